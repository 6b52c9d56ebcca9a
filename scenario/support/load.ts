import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { canonicalJsonBytes } from '@waymark/protocol';
import type { BidiStream, SubmitRequest, SubmitResponse } from '@waymark/transport';
import { connectOutlet, type OutletConnection, recordMessage, type ScenarioRecord } from './outlet-client.ts';
import type { Draws } from './random.ts';
import type { Firm, Identity } from './running-consortium.ts';

type Receipt = SubmitResponse['receipts'][number];

/** What a client knows of a record that was acknowledged: it keeps this for itself, outside the consortium. */
export interface Acknowledged {
  readonly record: ScenarioRecord;
  readonly recordOid: string;
  readonly evidenceId: string;
  readonly leafIndex: number;
  readonly batchHash: string;
  /** SHA-256 of the payload's canonical JSON, hex. */
  readonly contentDigest: string;
}

/** What a load tells while it runs. */
export type LoadEvent = 'submitted' | 'acknowledged' | 'anchored' | 'broken';

/** Records submitted without pause to one outlet. */
export interface Load {
  /** By event id: every record that was acknowledged with "accepted". */
  readonly acknowledged: ReadonlyMap<string, Acknowledged>;
  /** Rules that were broken, in words. */
  readonly violations: readonly string[];
  /** Takes no new records and resolves when every record submitted so far is acknowledged. */
  finish(): Promise<void>;
  /** Gives up what is open, without waiting for anything. */
  abort(): void;
}

/** What a load is made of. */
export interface LoadOptions {
  readonly firm: Firm;
  readonly identity: Identity;
  readonly name: string;
  readonly draws: Draws;
  readonly onEvent: (event: LoadEvent) => void;
  /** Records submitted and not yet acknowledged. Default 24. */
  readonly maxOpen?: number;
  /** Between one request and the next. Default 0: as fast as the outlet takes them. */
  readonly pauseMs?: number;
  /**
   * Whether an accepted batch may be signed anew before it is confirmed, as a private ledger's center that takes over makes it necessary: its hash is final
   * from "confirmed" on, and its number and the records' places in it from the start. Default false.
   */
  readonly isSignedAnew?: boolean;
}

/**
 * Submits records to the firm's outlet, a few at a time. When the stream breaks it connects again and submits what was not yet
 * acknowledged; what was acknowledged is never submitted again, so that a loss cannot be made good unnoticed.
 */
export function startLoad({
  firm,
  identity,
  name,
  draws,
  onEvent,
  maxOpen = 24,
  pauseMs = 0,
  isSignedAnew = false,
}: LoadOptions): Load {
  const acknowledged = new Map<string, Acknowledged>();
  const open = new Map<number, ScenarioRecord>();
  /** Refs of open records that this stream has to be given once more. */
  const again = new Set<number>();
  /** Event ids whose batch hash is final, where it is not from the start. */
  const settled = new Set<string>();
  const violations: string[] = [];
  let nextRef = 0;
  let finishing = false;
  let aborted = false;
  let cancel = (): void => undefined;
  let changed = Promise.withResolvers<undefined>();
  const signal = (): void => {
    changed.resolve(undefined);
    changed = Promise.withResolvers();
  };

  function acknowledge(receipt: Receipt): void {
    const record = open.get(receipt.ref);
    const { recordOid, evidenceId, leafIndex, batchHash } = receipt;
    if (record === undefined) {
      compareWithFirst(receipt);
      return;
    }
    open.delete(receipt.ref);
    const contentDigest = digestOf(record);
    acknowledged.set(record.eventId, { record, recordOid, evidenceId, leafIndex, batchHash, contentDigest });
    onEvent('acknowledged');
  }

  function compareWithFirst(receipt: Receipt): void {
    const eventId = eventIdOf(name, receipt.ref);
    const first = acknowledged.get(eventId);
    const settles = isSignedAnew && receipt.state !== 'accepted' && !settled.has(eventId);
    const same =
      first?.recordOid === receipt.recordOid &&
      first.evidenceId === receipt.evidenceId &&
      first.leafIndex === receipt.leafIndex &&
      (settles || first.batchHash === receipt.batchHash);
    if (settles && same) {
      settled.add(eventId);
      acknowledged.set(eventId, { ...first, batchHash: receipt.batchHash });
    }
    if (!same) violations.push(`${eventId} has two receipts: ${first?.evidenceId ?? 'none'}, ${receipt.evidenceId}`);
    if (receipt.state === 'anchored') onEvent('anchored');
  }

  function take({ receipts, failures }: SubmitResponse): void {
    for (const receipt of receipts) acknowledge(receipt);
    for (const { ref, failure } of failures) {
      // The outlet may say that it cannot now; anything else about a good record is wrong.
      if (failure?.code === 'unavailable') again.add(ref);
      else violations.push(`${eventIdOf(name, ref)} failed: ${failure?.code ?? 'no code'}`);
    }
    signal();
  }

  async function feed(stream: BidiStream<SubmitRequest, SubmitResponse>, isOver: () => boolean): Promise<void> {
    for (const ref of open.keys()) again.add(ref);
    while (!isOver()) {
      const left = [...open].filter(([ref]) => again.has(ref)).map(([ref, record]) => recordMessage(record, ref));
      again.clear();
      if (left.length > 0) await stream.write({ records: left, flush: true });
      if (finishing && open.size === 0) {
        stream.cancel();
        return;
      }
      if (finishing || open.size >= maxOpen) {
        await changed.promise;
        continue;
      }
      const count = draws.between(1, 4);
      const records = Array.from({ length: count }, () => newRecord());
      await stream.write({ records, flush: draws.next() < 0.5 });
      onEvent('submitted');
      if (pauseMs > 0) await delay(pauseMs);
    }
  }

  function newRecord(): ReturnType<typeof recordMessage> {
    const ref = nextRef;
    nextRef += 1;
    const record = recordOf(name, ref, draws);
    open.set(ref, record);
    return recordMessage(record, ref);
  }

  async function session(outlet: OutletConnection): Promise<void> {
    await outlet.ready();
    const stream = outlet.open();
    let over = false;
    const reading = (async () => {
      for await (const response of stream.responses) take(response);
    })().finally(() => {
      over = true;
      signal();
    });
    try {
      await Promise.all([feed(stream, () => over), reading]);
    } finally {
      stream.cancel();
      await reading.catch(() => undefined);
    }
  }

  async function run(): Promise<void> {
    while (!aborted && (!finishing || open.size > 0)) {
      const outlet = connectOutlet(firm, identity);
      cancel = () => outlet.close();
      try {
        await session(outlet);
      } catch {
        onEvent('broken');
      } finally {
        outlet.close();
      }
    }
  }

  const running = run();
  return {
    acknowledged,
    violations,
    finish: async () => {
      finishing = true;
      signal();
      await running;
    },
    abort: () => {
      aborted = true;
      finishing = true;
      open.clear();
      signal();
      cancel();
    },
  };
}

function eventIdOf(name: string, ref: number): string {
  return `urn:scenario:${name}:${String(ref)}`;
}

function recordOf(name: string, ref: number, draws: Draws): ScenarioRecord {
  const eventId = eventIdOf(name, ref);
  return {
    eventId,
    consignment: `${name}-consignment-${String(draws.between(1, 5))}`,
    businessIds: [{ type: 'order', value: `${name}-order-${String(ref)}` }],
    payload: { step: draws.pick(['picked-up', 'loaded', 'arrived', 'delivered']), place: draws.between(1, 9_999), ref },
  };
}

/** SHA-256 of the payload's canonical JSON, hex. */
export function digestOf({ payload }: Pick<ScenarioRecord, 'payload'>): string {
  return createHash('sha256')
    .update(canonicalJsonBytes(payload as Parameters<typeof canonicalJsonBytes>[0]))
    .digest('hex');
}
