import type { WaymarkError } from '@waymark/protocol';
import { closedError, diskFault, limitExceeded, NothingChangedError } from '../errors.ts';
import { type RecordBody, recordSize } from '../format/record.ts';
import type { RecordPlace } from '../read/height-index.ts';
import type { LogWriter } from './log-writer.ts';

/** Records that become durable together or, but for a checkpoint, as a beginning of them. */
export interface CommitRequest {
  readonly kind: 'append' | 'checkpoint';
  readonly bodies: readonly RecordBody[];
  /** Called once they are durable, before anybody is told. */
  readonly onDurable: (places: readonly RecordPlace[]) => void;
}

export interface GroupCommitLimits {
  readonly maxSizeBytes: number;
  readonly maxQueuedBytes: number;
  readonly markAfterMs: number | null;
}

interface Waiting extends CommitRequest {
  readonly sizeBytes: number;
  readonly resolve: () => void;
  readonly reject: (fault: unknown) => void;
}

const maxGroupSizeBytes = 8 * 1024 * 1024;

/**
 * Joins the writes of callers that wait: while one group is synced the next gathers. After the first fault of the disk nothing is taken any more,
 * because nobody knows what a later sync would vouch for.
 */
export class GroupCommit {
  readonly #writer: LogWriter;
  readonly #limits: GroupCommitLimits;
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #queuedAppendBytes = 0;
  #running: Promise<void> | undefined;
  #fault: WaymarkError | undefined;
  #isClosed = false;
  #isMarked = true;
  #markTimer: NodeJS.Timeout | undefined;
  #groups = 0;
  #steps = 0;

  constructor(writer: LogWriter, limits: GroupCommitLimits) {
    this.#writer = writer;
    this.#limits = limits;
  }

  get fault(): WaymarkError | undefined {
    return this.#fault;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get counts(): { readonly groups: number; readonly steps: number } {
    return { groups: this.#groups, steps: this.#steps };
  }

  /** @throws WaymarkError when the request may not be taken; nothing has happened then */
  check(kind: CommitRequest['kind'], sizeBytes: number): void {
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#isClosed) throw closedError();
    const { maxSizeBytes, maxQueuedBytes } = this.#limits;
    const total = kind === 'checkpoint' ? sizeBytes : this.#writer.sizeBytes + this.#queuedAppendBytes + sizeBytes;
    if (total > maxSizeBytes) throw limitExceeded('log-size', total, maxSizeBytes);
    if (this.#queuedBytes > 0 && this.#queuedBytes + sizeBytes > maxQueuedBytes)
      throw limitExceeded('queue', this.#queuedBytes + sizeBytes, maxQueuedBytes);
  }

  /** Takes a request that `check` let pass. */
  commit(request: CommitRequest): Promise<void> {
    const sizeBytes = request.bodies.reduce((sum, body) => sum + recordSize(body), 0);
    clearTimeout(this.#markTimer);
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...request, sizeBytes, resolve, reject });
      this.#queuedBytes += sizeBytes;
      if (request.kind === 'append') this.#queuedAppendBytes += sizeBytes;
      this.#running ??= this.#run();
    });
  }

  /** Takes nothing more, and resolves when everything that waited was answered and the end is marked. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#markTimer);
    while (this.#running !== undefined) await this.#running;
    if (this.#fault !== undefined) return;
    try {
      await this.#writer.mark(true);
    } catch (cause) {
      this.#fail(cause);
    }
  }

  async #run(): Promise<void> {
    // Whoever calls in the same turn shares the first group.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const group = this.#takeGroup();
      try {
        if (this.#fault !== undefined) throw this.#fault;
        await this.#write(group);
        this.#leave(group);
        for (const request of group) request.resolve();
      } catch (cause) {
        // A checkpoint for which there is no room leaves the log as it was; what follows an append counts on it.
        const isHarmless = group[0]?.kind === 'checkpoint' && cause instanceof NothingChangedError;
        const fault = isHarmless ? faultOf(cause) : this.#fail(cause);
        this.#leave(group);
        for (const request of group) request.reject(fault);
      }
    }
    this.#running = undefined;
    this.#markWhenIdle();
  }

  /** The group no longer waits. */
  #leave(group: readonly Waiting[]): void {
    for (const { kind, sizeBytes } of group) {
      this.#queuedBytes -= sizeBytes;
      if (kind === 'append') this.#queuedAppendBytes -= sizeBytes;
    }
  }

  /** A checkpoint is a group of its own. */
  #takeGroup(): Waiting[] {
    let count = 0;
    let sizeBytes = 0;
    for (const request of this.#queue) {
      const isJoined = request.kind === 'append' && sizeBytes + request.sizeBytes <= maxGroupSizeBytes;
      if (count > 0 && !isJoined) break;
      count += 1;
      sizeBytes += request.sizeBytes;
      if (request.kind === 'checkpoint') break;
    }
    return this.#queue.splice(0, count);
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    const [first] = group;
    if (first?.kind === 'checkpoint') await this.#writer.replace(first.bodies, first.onDurable);
    else {
      const places = await this.#writer.append(group.flatMap(({ bodies }) => bodies));
      let from = 0;
      for (const { bodies, onDurable } of group) onDurable(places.slice(from, (from += bodies.length)));
    }
    this.#isMarked = first?.kind === 'checkpoint';
    this.#groups += 1;
    for (const { bodies } of group) this.#steps += bodies.filter(({ kind }) => kind === 'step').length;
  }

  /** The next group says that this one is durable; when none comes, a mark does. */
  #markWhenIdle(): void {
    const { markAfterMs } = this.#limits;
    if (markAfterMs === null || this.#isMarked || this.#isClosed || this.#fault !== undefined) return;
    this.#markTimer = setTimeout(() => {
      if (this.#running === undefined && !this.#isClosed) this.#running = this.#mark();
    }, markAfterMs).unref();
  }

  async #mark(): Promise<void> {
    try {
      await this.#writer.mark();
      this.#isMarked = true;
    } catch (cause) {
      this.#fail(cause);
    }
    this.#running = undefined;
    if (this.#queue.length > 0) this.#running = this.#run();
  }

  #fail(cause: unknown): WaymarkError {
    this.#fault ??= faultOf(cause);
    return this.#fault;
  }
}

function faultOf(cause: unknown): WaymarkError {
  return diskFault('The ledger log could not be made durable.', cause);
}
