import { batchHash, bytesEqual, decodeBatchStatement, signReceipt, toHex, WaymarkError } from '@waymark/protocol';
import { type BatchReceipt, type BidiStream, type SealedBatch, toFailure } from '@waymark/transport';
import {
  generateEncryptionKeyPair,
  openSubmission,
  type SigningIdentity,
  type TransportPublicKey,
} from '@waymark/vault';
import type { CenterConnection } from '../../src/upload/uploader.ts';

/** A batch that a fake center has. */
export interface Held {
  readonly seq: number;
  readonly batchHash: Uint8Array;
  readonly statement: Uint8Array;
  readonly oids: readonly string[];
  readonly receipt: Uint8Array;
}

/** A center in a few lines, which a test can make fail at every step. */
export interface FakeCenter extends CenterConnection {
  held: Held[];
  /** Every statement that arrived, also refused ones. */
  readonly arrived: { seq: number; batchHash: string; sentAtMs: number }[];
  /** Called before a batch is taken; what it throws is the answer. */
  before: (batch: { seq: number; oids: readonly string[] }) => void;
  /** Called after a batch was taken, before its receipt leaves: what it throws breaks the connection. */
  afterTaking: (seq: number) => void;
  /** Changes a receipt on its way. */
  forge: (receipt: Uint8Array) => Uint8Array;
  sessions: number;
  /** Whether its receipts say that a batch is on the channel already. */
  anchors: boolean;
}

/** @param identity the center's own, which signs receipts */
export function fakeCenter(identity: SigningIdentity, nowMs: () => number): FakeCenter {
  const pair = generateEncryptionKeyPair('P-256');
  const key = {
    kid: pair.kid,
    keyObject: pair.publicKey.keyObject,
    notBeforeMs: 0,
    notAfterMs: Number.MAX_SAFE_INTEGER,
    center: 'center',
  };
  const zero = new Uint8Array(32);

  function take(sealed: Uint8Array): Uint8Array {
    const submission = openSubmission(sealed, {
      channel: 'waymark',
      keyOf: (kid) => (kid === pair.kid ? pair.privateKey : undefined),
    });
    const statement = decodeBatchStatement(submission.statement);
    const hash = batchHash(submission.statement);
    const { seq } = statement;
    center.arrived.push({ seq, batchHash: toHex(hash), sentAtMs: statement.sentAtMs });
    const known = center.held.find((batch) => batch.seq === seq);
    if (known !== undefined) {
      if (bytesEqual(known.batchHash, hash)) return known.receipt;
      throw new WaymarkError('replay-conflict', 'another batch has this number');
    }
    const oids = submission.records.map(({ recordOid }) => toHex(recordOid));
    center.before({ seq, oids });
    const last = center.held.at(-1);
    if (seq !== (last?.seq ?? 0) + 1 || !bytesEqual(statement.prevBatchHash, last?.batchHash ?? zero)) {
      throw new WaymarkError('sequence-gap', 'it does not follow');
    }
    if (center.held.some((batch) => batch.oids.some((oid) => oids.includes(oid)))) {
      throw new WaymarkError('conflict', 'a record was accepted before');
    }
    const { channel, msp, outlet, root, count, messageId } = statement;
    const receipt = signReceipt(identity, {
      ...(center.anchors ? { state: 'anchored', txId: 'claimed' } : { state: 'accepted' }),
      channel,
      msp,
      outlet,
      seq,
      batchHash: hash,
      batchCid: 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy',
      root,
      count,
      messageId,
      acceptedAtMs: nowMs(),
    });
    center.held.push({ seq, batchHash: hash, statement: submission.statement, oids, receipt });
    center.afterTaking(seq);
    return receipt;
  }

  const center: FakeCenter = {
    held: [],
    arrived: [],
    before: () => undefined,
    afterTaking: () => undefined,
    forge: (receipt) => receipt,
    sessions: 0,
    anchors: false,
    transportKey: () => Promise.resolve(key as unknown as TransportPublicKey),
    position: () => {
      const last = center.held.at(-1);
      return Promise.resolve({ seq: last?.seq ?? 0, batchHash: last?.batchHash ?? zero });
    },
    openUpload() {
      center.sessions += 1;
      const queue: BatchReceipt[] = [];
      let wake = Promise.withResolvers<undefined>();
      let over: Error | undefined;
      const end = (error: Error): void => {
        over ??= error;
        wake.resolve(undefined);
      };
      const stream: BidiStream<SealedBatch, BatchReceipt> = {
        write: ({ ref, sealed }) => {
          if (over !== undefined) return Promise.reject(over);
          try {
            queue.push({ ref, receipt: Buffer.from(center.forge(take(sealed))), failure: undefined, rejected: [] });
          } catch (error) {
            if (error instanceof WaymarkError)
              queue.push({ ref, receipt: Buffer.alloc(0), failure: toFailure(error), rejected: [] });
            else end(new WaymarkError('unavailable', 'the connection broke'));
          }
          wake.resolve(undefined);
          return Promise.resolve();
        },
        responses: (async function* () {
          for (;;) {
            if (over !== undefined) throw over;
            const next = queue.shift();
            if (next !== undefined) {
              yield next;
              continue;
            }
            await wake.promise;
            wake = Promise.withResolvers();
          }
        })(),
        finish: () => undefined,
        cancel: () => end(new WaymarkError('unavailable', 'cancelled')),
      };
      return stream;
    },
  };
  return center;
}
