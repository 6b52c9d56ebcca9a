import { toHex } from '@waymark/protocol';
import type { PersistStep, SealedBlock } from '@waymark/rsl';
import { limitExceeded } from './errors.ts';
import { type RecordBody, recordSize } from './format/record.ts';
import { encodeStep } from './format/step-encoding.ts';
import type { LedgerLog, LedgerLogOptions, LedgerLogStats, RestoredLog } from './ledger-log.ts';
import { encodeOpening, type LogPosition, type Opening, type Standing, standingOf } from './position.ts';
import { HeightIndex, type IndexedStep, indexedStep, type RecordPlace } from './read/height-index.ts';
import { readBlocks } from './read/read-blocks.ts';
import type { RecoveredLog } from './recovery/recover.ts';
import type { Segments } from './segments.ts';
import { emptyShape, type LogShape, sealedTop, shapeAfter, shapeOfCheckpoint } from './shape.ts';
import { GroupCommit } from './write/group-commit.ts';
import type { LogWriter } from './write/log-writer.ts';

const MiB = 1024 * 1024;
const maxRecordSizeBytes = 32 * MiB;
const nearlyFull = 0.75;

interface Parts {
  readonly options: LedgerLogOptions;
  readonly segments: Segments;
  readonly recovered: RecoveredLog;
  readonly openings: readonly Opening[];
  readonly writer: LogWriter;
  readonly isNew: boolean;
  readonly lock: { close(): Promise<void> };
}

/** An open log. */
export class FileLedgerLog implements LedgerLog {
  readonly restored: RestoredLog;
  readonly #logId: string;
  readonly #openings: readonly Opening[];
  readonly #segments: Segments;
  readonly #writer: LogWriter;
  readonly #commit: GroupCommit;
  readonly #lock: { close(): Promise<void> };
  readonly #maxSizeBytes: number;
  readonly #checkpointAfterBytes: number;
  /** With everything that was called for, durable or not. */
  #shape: LogShape;
  #index: HeightIndex;
  #baseSizeBytes: number;
  #closed: Promise<void> | undefined;

  constructor({ options, segments, recovered, openings, writer, isNew, lock }: Parts) {
    const [base] = [...recovered.live.values()];
    const { steps, tornTail, shape, index } = recovered;
    this.restored = { steps, isNew, tornTail };
    this.#logId = toHex(base?.header.logId ?? new Uint8Array(0));
    this.#openings = openings;
    this.#segments = segments;
    this.#writer = writer;
    this.#lock = lock;
    this.#maxSizeBytes = options.maxSizeBytes ?? 512 * MiB;
    this.#checkpointAfterBytes = options.checkpointAfterBytes ?? 32 * MiB;
    this.#shape = shape;
    this.#index = index;
    this.#baseSizeBytes = recovered.baseSizeBytes;
    this.#commit = new GroupCommit(writer, {
      maxSizeBytes: this.#maxSizeBytes,
      maxQueuedBytes: options.maxQueuedBytes ?? 64 * MiB,
      markAfterMs: options.markAfterMs === undefined ? 20 : options.markAfterMs,
    });
  }

  async persist(steps: readonly PersistStep[]): Promise<void> {
    const encoded = encodeSteps(steps, this.#shape);
    this.#commit.check('append', sizeOf(encoded.bodies));
    this.#shape = encoded.shape;
    return this.#commit.commit({
      kind: 'append',
      bodies: encoded.bodies,
      onDurable: (places) => addTo(this.#index, encoded.indexed, places),
    });
  }

  async checkpoint(steps: readonly PersistStep[]): Promise<void> {
    const shape = shapeOfCheckpoint(steps, this.#shape);
    const encoded = encodeSteps(steps, emptyShape);
    const openings = this.#openings.map((opening): RecordBody => ({ kind: 'opened', payload: encodeOpening(opening) }));
    const bodies = [...openings, ...encoded.bodies];
    this.#commit.check('checkpoint', sizeOf(bodies));
    this.#shape = shape;
    return this.#commit.commit({
      kind: 'checkpoint',
      bodies,
      onDurable: (places) => {
        this.#index = new HeightIndex();
        addTo(this.#index, encoded.indexed, places.slice(openings.length));
        this.#baseSizeBytes = sizeOf(bodies);
      },
    });
  }

  read(from: number, to: number): AsyncIterable<SealedBlock> {
    return readBlocks(
      { segments: this.#segments, index: () => this.#index, tagOf: (segment) => this.#writer.tagOf(segment) },
      from,
      to,
    );
  }

  position(): LogPosition {
    const last = this.#openings.at(-1);
    return {
      log: this.#logId,
      opens: last?.opens ?? 0,
      session: toHex(last?.session ?? new Uint8Array(0)),
      seq: this.#writer.durableSeq,
    };
  }

  standingOf(known: LogPosition): Standing {
    return standingOf(this.#logId, this.#openings, this.#writer.durableSeq, known);
  }

  stats(): LedgerLogStats {
    const { sizeBytes, segmentCount } = this.#writer;
    const { queuedBytes, counts, fault } = this.#commit;
    const used = sizeBytes + queuedBytes;
    const reason = fault?.details['reason'];
    return {
      sizeBytes,
      maxSizeBytes: this.#maxSizeBytes,
      segments: segmentCount,
      queuedBytes,
      ...counts,
      firstHeight: this.#index.firstHeight,
      lastHeight: this.#index.lastHeight,
      isCheckpointDue: used - this.#baseSizeBytes > this.#checkpointAfterBytes,
      isNearlyFull: used > this.#maxSizeBytes * nearlyFull,
      fault: reason === undefined ? null : String(reason),
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    try {
      await this.#commit.close();
      await this.#writer.close();
    } finally {
      await this.#lock.close();
    }
  }
}

interface EncodedSteps {
  readonly bodies: readonly RecordBody[];
  readonly indexed: readonly IndexedStep[];
  readonly shape: LogShape;
}

function encodeSteps(steps: readonly PersistStep[], before: LogShape): EncodedSteps {
  let shape = before;
  const bodies: RecordBody[] = [];
  const indexed: IndexedStep[] = [];
  for (const step of steps) {
    indexed.push(indexedStep(step, sealedTop(shape)));
    shape = shapeAfter(shape, step);
    const payload = encodeStep(step);
    if (payload.length > maxRecordSizeBytes) throw limitExceeded('record', payload.length, maxRecordSizeBytes);
    bodies.push({ kind: 'step', payload });
  }
  return { bodies, indexed, shape };
}

function sizeOf(bodies: readonly RecordBody[]): number {
  return bodies.reduce((sum, body) => sum + recordSize(body), 0);
}

function addTo(index: HeightIndex, steps: readonly IndexedStep[], places: readonly RecordPlace[]): void {
  for (const [at, step] of steps.entries()) {
    const place = places[at];
    if (place !== undefined) index.add(step, place);
  }
}
