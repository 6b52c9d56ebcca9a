import {
  bytesEqual,
  decodeBatchStatement,
  type ErrorCode,
  isWaymarkError,
  readReceipt,
  type Receipt,
  WaymarkError,
} from '@waymark/protocol';
import type { BatchReceipt, BidiStream, Rejection, SealedBatch } from '@waymark/transport';
import { fromFailure } from '@waymark/transport';
import { type ConsignmentKeys, sealSubmission, type SigningIdentity, type TransportPublicKey } from '@waymark/vault';
import type { Rejections } from '../outbox/batch-state.ts';
import type { Outbox, QueuedBatch, Stamp } from '../outbox/outbox.ts';
import type { CenterInOffice, Centers } from './centers.ts';
import { stampBatch } from './stamp.ts';

/** Batches sent and not yet answered. */
const window = 8;
const firstRetryMs = 200;
const longestRetryMs = 10_000;
/** How often, with several centers, the one in office is asked whether it still is: a process that stands still breaks no connection. */
const askEveryMs = 5_000;
/** After so long without a word while batches wait for an answer the stream is opened anew: it may be broken where nobody notices. */
const defaultSilentMs = 30_000;
/** Codes of the audit's reasons. */
const reasonForm = /^[\w.-]{1,64}$/;
/**
 * After these the batch is signed or sent anew; all others are final for it. What is wrong with the outlet's certificate is wrong
 * with no batch: the queue waits until the outlet runs with one that counts.
 */
const passing: ReadonlySet<ErrorCode> = new Set([
  'unavailable',
  'internal',
  'message-stale',
  'sequence-gap',
  'key-unknown',
  'certificate-expired',
  'certificate-revoked',
  'certificate-untrusted',
]);

/** What a receipt says, for the channel to be asked about. */
export interface ReceivedBatch {
  readonly seq: number;
  readonly batchHash: Uint8Array;
  /** Of the private ledger's block that has the batch. */
  readonly height: number | undefined;
}

/** What the uploader is made of. */
export interface UploaderParts {
  readonly channel: string;
  readonly identity: SigningIdentity;
  readonly outbox: Outbox;
  readonly keys: ConsignmentKeys;
  readonly centers: Centers;
  /** Whether a certificate is that of a current center of the firm. @throws WaymarkError */
  readonly checkCenter: (certificateDer: Uint8Array) => void;
  readonly nowMs: () => number;
  /** A batch whose signature is older than this is signed anew before it is sent for the first time. */
  readonly maxStampAgeMs: number;
  /** The transaction that anchored a batch of this outlet, or its block, as the outlet's own replica shows the channel. */
  readonly transactionOf: (batch: ReceivedBatch) => string | undefined;
  readonly onChanged: (batch: number) => void;
  readonly onRetry: (error: unknown, delayMs: number) => void;
  readonly delay: (delayMs: number, signal: AbortSignal) => Promise<void>;
  /** Default 30,000. */
  readonly silentMs?: number;
}

/** Takes queued batches to the center, in order, and their receipts back. */
export interface Uploader {
  start(): void;
  wake(): void;
  stop(): Promise<void>;
  readonly connected: boolean;
}

interface Sent {
  readonly batch: QueuedBatch;
  readonly stamp: Stamp;
}

/** What sender and receiver of one session tell each other. */
interface Room {
  wake: PromiseWithResolvers<undefined>;
  /** Aborted when the session is over. */
  readonly over: AbortController;
  /** Messages of the center so far. */
  heard: number;
}

/** Builds an uploader. */
export function createUploader(parts: UploaderParts): Uploader {
  const { outbox } = parts;
  const abort = new AbortController();
  const stopped = (): boolean => abort.signal.aborted;
  let wakeUp = Promise.withResolvers<undefined>();
  let connected = false;
  let running: Promise<void> | undefined;
  /** Which center was last given everything that is not anchored: it has the envelopes, or had them from here. */
  let supplied: string | undefined;

  async function run(): Promise<void> {
    let retryMs = firstRetryMs;
    while (!stopped()) {
      try {
        await session(() => {
          retryMs = firstRetryMs;
        });
      } catch (error) {
        if (stopped()) return;
        parts.centers.heard(error);
        parts.onRetry(error, retryMs);
        await parts.delay(retryMs, abort.signal);
        retryMs = Math.min(retryMs * 2, longestRetryMs);
      } finally {
        connected = false;
      }
    }
  }

  /** One connection: take over the position of the center in office, then send what is queued until something breaks. */
  async function session(onProgress: () => void): Promise<void> {
    const center = await parts.centers.inOffice(abort.signal);
    const position = await center.position();
    outbox.follow(position);
    const stream = center.openUpload();
    const onAbort = (): void => stream.cancel();
    abort.signal.addEventListener('abort', onAbort, { once: true });
    const sent = new Map<number, Sent>();
    const room: Room = { wake: Promise.withResolvers<undefined>(), over: new AbortController(), heard: 0 };
    connected = true;
    try {
      await Promise.race([
        receive(stream, sent, room, onProgress),
        send(stream, center, position.seq, sent, room),
        staysAwake(sent, room),
        ...(parts.centers.count > 1 ? [staysInOffice(center, room.over.signal)] : []),
      ]);
    } finally {
      abort.signal.removeEventListener('abort', onAbort);
      // The sender may be asleep: it must not wake beside that of the next session, whose numbers may be others.
      room.over.abort();
      room.wake.resolve(undefined);
      stream.cancel();
    }
  }

  /** Throws when nothing is heard for long although something waits to be answered. */
  async function staysAwake(sent: ReadonlyMap<number, Sent>, room: Room): Promise<void> {
    const { silentMs = defaultSilentMs } = parts;
    let heardAtMs = performance.now();
    let before = room.heard;
    for (;;) {
      await parts.delay(askEveryMs, room.over.signal);
      if (room.over.signal.aborted) return;
      if (sent.size === 0 || room.heard !== before) heardAtMs = performance.now();
      before = room.heard;
      if (performance.now() - heardAtMs > silentMs)
        throw new WaymarkError('unavailable', 'The center has not answered for long; the stream is opened anew.');
    }
  }

  /** Throws as soon as another center is in office; while none says so, nothing is to be gained by leaving this one. */
  async function staysInOffice(center: CenterInOffice, over: AbortSignal): Promise<void> {
    for (;;) {
      await parts.delay(askEveryMs, over);
      if (over.aborted) return;
      const found = await parts.centers.inOffice(over).catch((error: unknown) => {
        if (isWaymarkError(error, 'unavailable')) return center;
        throw error;
      });
      if (found.enrolmentId !== center.enrolmentId)
        throw new WaymarkError('unavailable', 'Another center is in office.');
    }
  }

  async function send(
    stream: BidiStream<SealedBatch, BatchReceipt>,
    { key, enrolmentId }: CenterInOffice,
    centerSeq: number,
    sent: Map<number, Sent>,
    room: Room,
  ): Promise<void> {
    const position = outbox.position();
    let previous = position.batchHash;
    // Batches that were accepted earlier and whose anchoring was not heard of are not sent again: the replica tells. What it cannot tell
    // is which block of a private ledger has a batch and which of its records are in it: the center is asked, with the same bytes again.
    // A center that was not in office before gets all that the channel does not have yet: the one that took it in may be gone with its envelopes.
    const isNew = supplied !== enrolmentId;
    let asked = 0;
    let last = position.seq;
    const isOver = (): boolean => stopped() || room.over.signal.aborted;
    const next = (): QueuedBatch | undefined => {
      if (sent.size >= window) return undefined;
      if (asked < position.seq) {
        const [known] = isNew ? outbox.unanchoredAfter(asked, 1) : outbox.withoutBlockAfter(asked, 1);
        if (known !== undefined && known.seq <= position.seq) return known;
        asked = position.seq;
      }
      if (isNew && ![...sent.values()].some(({ batch }) => batch.seq <= position.seq)) supplied = enrolmentId;
      return outbox.queuedAfter(last, 1)[0];
    };
    while (!isOver()) {
      const batch = next();
      if (batch === undefined) {
        await Promise.race([wakeUp.promise, room.wake.promise]);
        if (isOver()) return;
        wakeUp = Promise.withResolvers();
        room.wake = Promise.withResolvers();
        continue;
      }
      if (key.notAfterMs <= parts.nowMs()) throw new WaymarkError('key-unknown', 'The transport key has ended.');
      const known = batch.seq <= centerSeq ? batch.stamp : undefined;
      const stamp = known ?? stampOf(batch, key, previous);
      const ref = batch.id;
      sent.set(ref, { batch, stamp });
      await stream.write({ ref, sealed: Buffer.from(await sealed(batch, stamp, key)) });
      if (batch.seq <= position.seq) asked = batch.seq;
      else {
        last = batch.seq;
        previous = stamp.batchHash;
      }
    }
  }

  /** A batch that the center does not have is signed for the key and time of now, and that is kept before it goes. */
  function stampOf(batch: QueuedBatch, key: TransportPublicKey, previous: Uint8Array): Stamp {
    if (batch.stamp !== undefined) {
      const statement = decodeBatchStatement(batch.stamp.statement);
      const fits =
        statement.seq === batch.seq &&
        statement.leaderKid === key.kid &&
        bytesEqual(statement.prevBatchHash, previous) &&
        bytesEqual(statement.certificateDigest, parts.identity.certificateDigest) &&
        Math.abs(parts.nowMs() - statement.sentAtMs) < parts.maxStampAgeMs;
      if (fits) return batch.stamp;
    }
    const { channel, identity } = parts;
    const { seq, body } = batch;
    const stamp = stampBatch({ channel, identity, transportKey: key, seq, previous, body, nowMs: parts.nowMs() });
    outbox.stamp(batch.id, stamp);
    return stamp;
  }

  async function sealed(
    { body }: QueuedBatch,
    { statement, signature }: Stamp,
    key: TransportPublicKey,
  ): Promise<Uint8Array> {
    const keys = await Promise.all(
      body.keyPlaces.map(async ({ consignmentOid, epoch }) => ({
        consignmentOid,
        epoch,
        key: await parts.keys.reveal(consignmentOid, epoch),
      })),
    );
    return sealSubmission(
      { statement, signature, records: body.records, keys },
      { channel: parts.channel, kid: key.kid, publicKey: key.keyObject },
    );
  }

  async function receive(
    stream: BidiStream<SealedBatch, BatchReceipt>,
    sent: Map<number, Sent>,
    room: Room,
    onProgress: () => void,
  ): Promise<void> {
    for await (const message of stream.responses) {
      const { ref, failure } = message;
      room.heard += 1;
      if (failure !== undefined) {
        refuse(ref, fromFailure(failure));
        // What was sent behind it links to it: begin again from the center's position.
        throw fromFailure(failure);
      }
      const entry = sent.get(ref);
      take(message, entry);
      if (entry !== undefined) {
        sent.delete(ref);
        room.wake.resolve(undefined);
        onProgress();
      }
      parts.onChanged(ref);
    }
    throw new WaymarkError('unavailable', 'The center ended the connection.');
  }

  function take({ ref, receipt, rejected, ledgerReceipt }: BatchReceipt, entry: Sent | undefined): void {
    const { seq, batchHash, height, blockHash, count } = checkReceipt(receipt, ref, entry);
    if (entry !== undefined) outbox.markAccepted(ref, receipt, ledgerReceipt);
    if (height !== undefined && blockHash !== undefined)
      outbox.markConfirmed(ref, { receipt, height, blockHash, rejected: rejectionsOf(rejected, count) });
    // What the outlet holds of a batch goes when the channel has it, not when the center says so (R4). If it comes later, the replica tells.
    const txId = parts.transactionOf({ seq, batchHash, height });
    if (txId !== undefined) outbox.markAnchored(ref, receipt, txId);
  }

  function refuse(id: number, error: WaymarkError): void {
    // What the center did not take is signed anew once it has said where it is: it may have more than it could tell.
    if (passing.has(error.code)) return;
    // What was accepted for a private ledger is judged record by record, in its block: as a whole it is not given up any more.
    if (outbox.ledgerReceipt(id) !== undefined) return;
    outbox.markRefused(id, { code: error.code, message: error.message });
    parts.onChanged(id);
  }

  function checkReceipt(bytes: Uint8Array, id: number, entry: Sent | undefined): Receipt {
    const { receipt, certificateDer } = readReceipt(bytes, parts.channel);
    parts.checkCenter(certificateDer);
    const known = outbox.state(id);
    const expected =
      entry?.stamp.batchHash ?? (known !== undefined && 'batchHash' in known ? known.batchHash : undefined);
    const { identity } = parts;
    const ours = receipt.msp === identity.mspId && receipt.outlet === identity.enrolmentId;
    if (!ours || expected === undefined || !bytesEqual(receipt.batchHash, expected)) {
      throw new WaymarkError('signature-invalid', 'The center gave a receipt for another batch.');
    }
    return receipt;
  }

  function rejectionsOf(rejected: readonly Rejection[], count: number): Rejections {
    if (rejected.some(({ index, reason }) => index >= count || !reasonForm.test(reason)))
      throw new WaymarkError(
        'input-invalid',
        'The center rejects a record that the batch does not have, or gives no reason.',
      );
    return new Map(rejected.map(({ index, reason }) => [index, reason]));
  }

  return {
    start: () => {
      running ??= run();
    },
    wake: () => wakeUp.resolve(undefined),
    stop: async () => {
      abort.abort();
      wakeUp.resolve(undefined);
      await running;
    },
    get connected() {
      return connected;
    },
  };
}
