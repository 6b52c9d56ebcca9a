import { batchHash, bytesEqual, decodeBatchStatement, signReceipt, toHex, WaymarkError } from '@waymark/protocol';
import { type BatchReceipt, type BidiStream, type SealedBatch, toFailure } from '@waymark/transport';
import {
  generateEncryptionKeyPair,
  openSubmission,
  type SigningIdentity,
  type TransportPublicKey,
} from '@waymark/vault';
import type { CenterInOffice, Centers } from '../../src/upload/centers.ts';

/** A batch that a fake center has. */
export interface Held {
  readonly seq: number;
  readonly batchHash: Uint8Array;
  readonly statement: Uint8Array;
  readonly oids: readonly string[];
  readonly ref: number;
  readonly messageId: Uint8Array;
  readonly root: Uint8Array;
  /** What it says of the batch now. */
  answer: Omit<BatchReceipt, 'ref'>;
}

/** A center in a few lines, which a test can make fail at every step. */
export interface FakeCenter extends Centers {
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
  /** Whether it takes batches for a private ledger. */
  hasLedger: boolean;
  /** Whether its answers get lost on the way, on a connection that stands. */
  isSilent: boolean;
  /** Puts a batch into a block of its private ledger: the outlet is told if it is there. */
  confirm(seq: number, height: number, rejected?: Readonly<Record<number, string>>): void;
  /** Leaves office: connections end, and it takes nothing any more. */
  leave(successor?: string): void;
}

/** @param identity the center's own, which signs receipts */
export function fakeCenter(identity: SigningIdentity, nowMs: () => number, name = 'center'): FakeCenter {
  const pair = generateEncryptionKeyPair('P-256');
  const key = {
    kid: pair.kid,
    keyObject: pair.publicKey.keyObject,
    notBeforeMs: 0,
    notAfterMs: Number.MAX_SAFE_INTEGER,
    center: name,
  };
  const zero = new Uint8Array(32);

  const cid = 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';
  const open = new Set<{ send: (message: BatchReceipt) => void; end: (error: Error) => void }>();
  let notInOffice: WaymarkError | undefined;

  function take({ ref, sealed }: SealedBatch): Held['answer'] {
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
      if (bytesEqual(known.batchHash, hash)) return known.answer;
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
      batchCid: cid,
      root,
      count,
      messageId,
      acceptedAtMs: nowMs(),
    });
    const ledgerReceipt = center.hasLedger ? { ledgerReceipt: Buffer.from(`${name} ${String(seq)}`) } : {};
    const answer = { receipt, failure: undefined, rejected: [], ...ledgerReceipt };
    center.held.push({ seq, batchHash: hash, statement: submission.statement, oids, ref, messageId, root, answer });
    center.afterTaking(seq);
    return answer;
  }

  const center: FakeCenter = {
    held: [],
    arrived: [],
    before: () => undefined,
    afterTaking: () => undefined,
    forge: (receipt) => receipt,
    sessions: 0,
    anchors: false,
    hasLedger: false,
    isSilent: false,
    count: 1,
    heard: () => undefined,
    confirm(seq, height, rejected = {}) {
      const held = center.held.find((batch) => batch.seq === seq);
      if (held === undefined) throw new Error('there is no such batch');
      const { channel, msp, outlet } = decodeBatchStatement(held.statement);
      const { batchHash: hash, messageId, root, oids } = held;
      held.answer = {
        ...held.answer,
        receipt: signReceipt(identity, {
          state: 'confirmed',
          channel,
          msp,
          outlet,
          seq,
          batchHash: hash,
          batchCid: cid,
          root,
          count: oids.length,
          messageId,
          acceptedAtMs: nowMs(),
          height,
          blockHash: cid,
        }),
        rejected: Object.entries(rejected).map(([index, reason]) => ({ index: Number(index), reason })),
      };
      for (const stream of open) stream.send({ ref: held.ref, ...held.answer });
    },
    leave(successor) {
      notInOffice = new WaymarkError('unavailable', 'not in office', {
        details: successor === undefined ? {} : { center: successor },
      });
      for (const stream of open) stream.end(notInOffice);
    },
    inOffice: () =>
      notInOffice === undefined
        ? Promise.resolve({
            enrolmentId: name,
            key: key as unknown as TransportPublicKey,
            left: new AbortController().signal,
            position: () => {
              const last = center.held.at(-1);
              return Promise.resolve({ seq: last?.seq ?? 0, batchHash: last?.batchHash ?? zero });
            },
            openUpload,
            answerQueries: () => {
              throw new Error('nobody asks here');
            },
          } satisfies CenterInOffice)
        : Promise.reject(notInOffice),
  };

  function openUpload(): BidiStream<SealedBatch, BatchReceipt> {
    center.sessions += 1;
    const queue: BatchReceipt[] = [];
    let wake = Promise.withResolvers<undefined>();
    let over: Error | undefined;
    const session = {
      send(message: BatchReceipt): void {
        if (center.isSilent) return;
        queue.push(message);
        wake.resolve(undefined);
      },
      end(error: Error): void {
        over ??= error;
        open.delete(session);
        wake.resolve(undefined);
      },
    };
    open.add(session);
    return {
      write: (batch) => {
        const { ref } = batch;
        if (over !== undefined) return Promise.reject(over);
        try {
          const answer = take(batch);
          session.send({ ...answer, ref, receipt: Buffer.from(center.forge(answer.receipt)) });
        } catch (error) {
          if (error instanceof WaymarkError)
            session.send({ ref, receipt: Buffer.alloc(0), failure: toFailure(error), rejected: [] });
          else session.end(new WaymarkError('unavailable', 'the connection broke'));
        }
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
      cancel: () => session.end(new WaymarkError('unavailable', 'cancelled')),
    };
  }
  return center;
}
