import {
  batchHash,
  batchRoot,
  type BatchStatement,
  cidOfRaw,
  encodeBatchStatement,
  ledgerName,
  signCose,
} from '@waymark/protocol';
import { randomId, type SigningIdentity, type TransportPublicKey } from '@waymark/vault';
import type { BatchBody } from '../outbox/batch-body.ts';
import type { Stamp } from '../outbox/outbox.ts';

/** Signs a batch for the center's key of now: recipient, time, number and predecessor are inside the signature (S3, S4). */
export function stampBatch(parts: {
  readonly channel: string;
  readonly identity: SigningIdentity;
  readonly transportKey: Pick<TransportPublicKey, 'kid'>;
  readonly seq: number;
  readonly previous: Uint8Array;
  readonly body: BatchBody;
  readonly nowMs: number;
}): Stamp {
  const { channel, identity, body } = parts;
  const leaves = body.records.map(({ recordOid, envelope }) => ({ recordOid, cid: cidOfRaw(envelope) }));
  const statement: BatchStatement = {
    channel,
    msp: identity.mspId,
    outlet: identity.enrolmentId,
    certificateDigest: identity.certificateDigest,
    ledger: ledgerName(identity.mspId, channel),
    leaderKid: parts.transportKey.kid,
    seq: parts.seq,
    prevBatchHash: parts.previous,
    root: batchRoot(leaves),
    count: leaves.length,
    collectedFromMs: body.collectedFromMs,
    collectedToMs: body.collectedToMs,
    sentAtMs: parts.nowMs,
    messageId: randomId(16),
  };
  const bytes = encodeBatchStatement(statement);
  return {
    statement: bytes,
    signature: signCose(identity, { type: 'batch', channel }, bytes, true),
    batchHash: batchHash(bytes),
  };
}
