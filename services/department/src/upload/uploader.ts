import {
  bytesEqual,
  decodeBatchStatement,
  type ErrorCode,
  readReceipt,
  type Receipt,
  WaymarkError,
} from '@waymark/protocol';
import type { BatchReceipt, BidiStream, SealedBatch } from '@waymark/transport';
import { fromFailure } from '@waymark/transport';
import { type ConsignmentKeys, sealSubmission, type SigningIdentity, type TransportPublicKey } from '@waymark/vault';
import type { Outbox, Position, QueuedBatch, Stamp } from '../outbox/outbox.ts';
import { stampBatch } from './stamp.ts';

/** Batches sent and not yet answered. */
const window = 8;
const firstRetryMs = 200;
const longestRetryMs = 10_000;
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

/** The center as its outlet reaches it. */
export interface CenterConnection {
  transportKey(): Promise<TransportPublicKey>;
  position(): Promise<Position>;
  openUpload(): BidiStream<SealedBatch, BatchReceipt>;
}

/** What the uploader is made of. */
export interface UploaderParts {
  readonly channel: string;
  readonly identity: SigningIdentity;
  readonly outbox: Outbox;
  readonly keys: ConsignmentKeys;
  readonly center: CenterConnection;
  /** Whether a certificate is that of a current center of the firm. @throws WaymarkError */
  readonly checkCenter: (certificateDer: Uint8Array) => void;
  readonly nowMs: () => number;
  /** A batch whose signature is older than this is signed anew before it is sent for the first time. */
  readonly maxStampAgeMs: number;
  /** The transaction that anchored a batch of this outlet, as its own replica shows the channel. */
  readonly transactionOf: (seq: number, batchHash: Uint8Array) => string | undefined;
  readonly onChanged: (batch: number) => void;
  readonly onRetry: (error: unknown, delayMs: number) => void;
  readonly delay: (delayMs: number, signal: AbortSignal) => Promise<void>;
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
}

/** Builds an uploader. */
export function createUploader(parts: UploaderParts): Uploader {
  const { outbox } = parts;
  const abort = new AbortController();
  const stopped = (): boolean => abort.signal.aborted;
  let wakeUp = Promise.withResolvers<undefined>();
  let connected = false;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    let retryMs = firstRetryMs;
    while (!stopped()) {
      try {
        await session(() => {
          retryMs = firstRetryMs;
        });
      } catch (error) {
        if (stopped()) return;
        parts.onRetry(error, retryMs);
        await parts.delay(retryMs, abort.signal);
        retryMs = Math.min(retryMs * 2, longestRetryMs);
      } finally {
        connected = false;
      }
    }
  }

  /** One connection: take over the center's position, then send what is queued until something breaks. */
  async function session(onProgress: () => void): Promise<void> {
    const key = await parts.center.transportKey();
    const center = await parts.center.position();
    outbox.follow(center);
    const stream = parts.center.openUpload();
    const onAbort = (): void => stream.cancel();
    abort.signal.addEventListener('abort', onAbort, { once: true });
    const sent = new Map<number, Sent>();
    const room = { wake: Promise.withResolvers<undefined>(), over: new AbortController() };
    connected = true;
    try {
      await Promise.race([receive(stream, sent, room, onProgress), send(stream, key, center.seq, sent, room)]);
    } finally {
      abort.signal.removeEventListener('abort', onAbort);
      // The sender may be asleep: it must not wake beside that of the next session, whose numbers may be others.
      room.over.abort();
      room.wake.resolve(undefined);
      stream.cancel();
    }
  }

  async function send(
    stream: BidiStream<SealedBatch, BatchReceipt>,
    key: TransportPublicKey,
    centerSeq: number,
    sent: Map<number, Sent>,
    room: Room,
  ): Promise<void> {
    // Batches that were accepted earlier and whose anchoring was not heard of are not sent again: the replica tells.
    let last = outbox.position().seq;
    let previous = outbox.position().batchHash;
    const isOver = (): boolean => stopped() || room.over.signal.aborted;
    while (!isOver()) {
      const [batch] = sent.size < window ? outbox.queuedAfter(last, 1) : [];
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
      last = batch.seq;
      previous = stamp.batchHash;
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
    for await (const { ref, receipt, failure } of stream.responses) {
      if (failure !== undefined) {
        refuse(ref, fromFailure(failure));
        // What was sent behind it links to it: begin again from the center's position.
        throw fromFailure(failure);
      }
      const checked = checkReceipt(receipt, ref, sent.get(ref));
      const entry = sent.get(ref);
      if (entry !== undefined) {
        outbox.markAccepted(ref, receipt);
        sent.delete(ref);
        room.wake.resolve(undefined);
        onProgress();
      }
      // What the outlet holds of a batch goes when the channel has it, not when the center says so (R4). If it comes later, the replica tells.
      const txId = parts.transactionOf(checked.seq, checked.batchHash);
      if (txId !== undefined) outbox.markAnchored(ref, receipt, txId);
      parts.onChanged(ref);
    }
    throw new WaymarkError('unavailable', 'The center ended the connection.');
  }

  function refuse(id: number, error: WaymarkError): void {
    // What the center did not take is signed anew once it has said where it is: it may have more than it could tell.
    if (passing.has(error.code)) return;
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
