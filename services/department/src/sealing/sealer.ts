import {
  bytesEqual,
  contentBytes,
  parseTime,
  recordContent,
  type ShipmentRecord,
  toHex,
  validateRecord,
  WaymarkError,
} from '@waymark/protocol';
import { createRoom } from '@waymark/service-kit';
import {
  type ConsignmentCipher,
  type ConsignmentKeys,
  newConsignmentOid,
  type OutletIds,
  type SubmittedRecord,
  type Tokens,
} from '@waymark/vault';
import type { NewBatch, Outbox } from '../outbox/outbox.ts';

/** When a batch is closed. */
export interface BatchLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** How long the first record of a batch waits for company. */
  readonly lingerMs: number;
  /** Batches not yet accepted, above which nothing more is taken. */
  readonly maxQueuedBatches: number;
  /** How far into the future a collection time may lie: the center refuses a whole batch for one that lies further. */
  readonly collectionSkewMs: number;
}

/** What the sealer is made of. */
export interface SealerParts {
  readonly outlet: string;
  readonly outbox: Outbox;
  readonly ids: OutletIds;
  readonly tokens: Tokens;
  readonly keys: ConsignmentKeys;
  readonly limits: BatchLimits;
  /** Firm policy: consignment keys go to the center with the batch. */
  readonly centerIsRecipient: boolean;
  readonly nowMs: () => number;
  /** Called with the id of a batch once it is on disk. */
  readonly onQueued: (batch: number) => void;
}

/** Where a record has been put. */
export interface Placed {
  readonly recordOid: Uint8Array;
  /** Id of its batch in the outbox. */
  readonly batch: number;
  readonly leaf: number;
  /** Whether it had been handed in before. */
  readonly repeated: boolean;
}

/** Turns records into sealed batches (S3). */
export interface Sealer {
  /**
   * Seals one record into the batch that is being formed; resolves once that batch is on disk. The same record again gives the same place.
   * @throws WaymarkError input-invalid, limit-exceeded, conflict (same id, other content)
   */
  add(record: unknown): Promise<Placed>;
  /** Closes the batch that is being formed. */
  flush(): void;
  /** Resolves when the outbox has room: callers stop reading until then. */
  room(signal: AbortSignal): Promise<void>;
  /** Says that the outbox may have room again. */
  check(): void;
  stop(): void;
}

interface Forming {
  readonly records: SubmittedRecord[];
  readonly consignments: Map<string, { token: Uint8Array; oid: Uint8Array; epoch: number }>;
  sizeBytes: number;
  collectedFromMs: number;
  collectedToMs: number;
  readonly queued: PromiseWithResolvers<number>;
}

interface Consignment {
  readonly token: Uint8Array;
  readonly oid: Uint8Array;
  readonly epoch: number;
  readonly cipher: ConsignmentCipher;
}

/** A record that was checked. */
interface ToSeal {
  readonly record: ShipmentRecord;
  readonly collectedMs: number;
  readonly oid: Uint8Array;
  readonly tag: Uint8Array;
  readonly content: Uint8Array;
}

const maxCachedConsignments = 10_000;

/** Builds a sealer. */
export function createSealer(parts: SealerParts): Sealer {
  const { outbox, ids, tokens, limits } = parts;
  const onTheirWay = new Map<string, { tag: Uint8Array; leaf: number; queued: Promise<number> }>();
  const consignments = new Map<string, Consignment | Promise<Consignment>>();
  let forming: Forming | undefined;
  let linger: NodeJS.Timeout | undefined;

  const room = createRoom(() => outbox.queuedCount() >= limits.maxQueuedBatches);

  /** At once when it was used before. */
  function consignmentOf(name: string): Consignment | Promise<Consignment> {
    const known = consignments.get(name);
    if (known !== undefined) return known;
    const fresh = loadConsignment(name);
    consignments.set(name, fresh);
    fresh.then(
      (loaded) => consignments.has(name) && consignments.set(name, loaded),
      () => consignments.delete(name),
    );
    if (consignments.size > maxCachedConsignments) consignments.delete(consignments.keys().next().value ?? '');
    return fresh;
  }

  async function loadConsignment(name: string): Promise<Consignment> {
    const token = tokens.token({ type: 'consignment', value: name });
    const { oid, epoch } = outbox.consignment(token) ?? { oid: newConsignmentOid(), epoch: 0 };
    return { token, oid, epoch, cipher: await parts.keys.create(oid, epoch) };
  }

  function close(): void {
    clearTimeout(linger);
    linger = undefined;
    const batch = forming;
    forming = undefined;
    if (batch === undefined) return;
    const finished = toNewBatch(batch, parts.centerIsRecipient);
    try {
      const id = outbox.queue(finished);
      batch.queued.resolve(id);
      parts.onQueued(id);
    } catch (error) {
      batch.queued.reject(error);
    }
    for (const { oid } of finished.records) onTheirWay.delete(toHex(oid));
  }

  function begin(): Forming {
    const queued = Promise.withResolvers<number>();
    // Every waiter hears of a failure through its own promise.
    queued.promise.catch(() => undefined);
    linger = setTimeout(close, limits.lingerMs);
    return {
      records: [],
      consignments: new Map(),
      sizeBytes: 0,
      collectedFromMs: Number.POSITIVE_INFINITY,
      collectedToMs: Number.NEGATIVE_INFINITY,
      queued,
    };
  }

  function known(oid: Uint8Array, tag: Uint8Array): Promise<Placed> | undefined {
    const flying = onTheirWay.get(toHex(oid));
    const stored = flying === undefined ? outbox.record(oid) : undefined;
    const before = flying?.tag ?? stored?.contentTag;
    if (before === undefined) {
      // Who hands a rejected record in again unchanged has not heard of it.
      const rejected = outbox.untoldRejection(oid, tag);
      return rejected === undefined ? undefined : Promise.resolve({ recordOid: oid, ...rejected, repeated: true });
    }
    if (!bytesEqual(before, tag)) {
      throw new WaymarkError(
        'conflict',
        'The event id was already used with other content; a correction takes a higher revision.',
        {
          details: { recordOid: toHex(oid) },
        },
      );
    }
    if (stored !== undefined)
      return Promise.resolve({ recordOid: oid, batch: stored.batch, leaf: stored.leaf, repeated: true });
    return flying?.queued.then((batch) => ({ recordOid: oid, batch, leaf: flying.leaf, repeated: true }));
  }

  function seal({ record, collectedMs, oid, tag, content }: ToSeal, consignment: Consignment): Promise<Placed> {
    const envelope = consignment.cipher.seal({
      outlet: parts.outlet,
      recordOid: oid,
      schema: record.schema,
      collectedMs,
      content,
    });
    const businessIds = [
      ...record.businessIds,
      { type: 'event', value: record.eventId },
      { type: 'consignment', value: record.consignment },
    ];
    const recordTokens = tokens.tokens(businessIds);
    if (forming !== undefined && forming.sizeBytes + envelope.bytes.length > limits.maxBytes) close();
    const batch = (forming ??= begin());
    const leaf = batch.records.length;
    batch.records.push({ recordOid: oid, envelope: envelope.bytes, tokens: recordTokens, contentTag: tag });
    batch.consignments.set(toHex(consignment.oid), consignment);
    batch.sizeBytes += envelope.bytes.length;
    batch.collectedFromMs = Math.min(batch.collectedFromMs, collectedMs);
    batch.collectedToMs = Math.max(batch.collectedToMs, collectedMs);
    const queued = batch.queued.promise;
    onTheirWay.set(toHex(oid), { tag, leaf, queued });
    if (batch.records.length >= limits.maxRecords) close();
    return queued.then((id) => ({ recordOid: oid, batch: id, leaf, repeated: false }));
  }

  return {
    async add(input) {
      const record = validateRecord(input);
      const collectedMs = parseTime(record.collectionTime);
      if (collectedMs > parts.nowMs() + limits.collectionSkewMs) {
        throw new WaymarkError('input-invalid', '/collectionTime lies in the future.', {
          details: { place: '/collectionTime', reason: 'lies in the future' },
        });
      }
      const content = contentBytes(recordContent(record));
      const oid = ids.recordOid(record.eventId, record.revision);
      const tag = ids.contentTag(content);
      const before = known(oid, tag);
      if (before !== undefined) return before;
      const found = consignmentOf(record.consignment);
      const facts = { record, collectedMs, oid, tag, content };
      if (!(found instanceof Promise)) return seal(facts, found);
      const consignment = await found;
      // Somebody else may have handed in the same record while the consignment was looked up.
      return known(oid, tag) ?? seal(facts, consignment);
    },
    flush: close,
    room: room.wait,
    check: () => room.check(),
    stop: close,
  };
}

function toNewBatch(batch: Forming, centerIsRecipient: boolean): NewBatch {
  const consignments = [...batch.consignments.values()];
  return {
    body: {
      records: batch.records,
      keyPlaces: centerIsRecipient ? consignments.map(({ oid, epoch }) => ({ consignmentOid: oid, epoch })) : [],
      collectedFromMs: batch.collectedFromMs,
      collectedToMs: batch.collectedToMs,
    },
    records: batch.records.map(({ recordOid, contentTag }) => ({ oid: recordOid, contentTag })),
    consignments: consignments.map(({ token, oid, epoch }) => ({ token, oid, epoch })),
  };
}
