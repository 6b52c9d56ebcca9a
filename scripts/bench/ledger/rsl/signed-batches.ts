import { randomFillSync } from 'node:crypto';
import {
  batchHash,
  batchRoot,
  type BatchLeaf,
  decodeCid,
  encodeBatchStatement,
  ledgerName,
  rawCode,
  signCose,
  zeroBatchHash,
} from '@waymark/protocol';
import type { SigningIdentity } from '@waymark/vault';
import type { SignedBatch } from '../generated/intake.ts';

const oidBytes = 32;
const cidHead = Uint8Array.of(0x01, rawCode, 0x12, 0x20);
const cidBytes = 36;
const tagBytes = 32;
const tokenBytes = 32;

/** Search tokens that bring what belongs to a record up to so many bytes: CID, content tag, tokens. */
export function tokensFor(recordBytes: number): number {
  return Math.max(1, Math.ceil((recordBytes - cidBytes - tagBytes) / tokenBytes));
}

/** The leaves of a batch as it travels. @throws WaymarkError input-invalid */
export function leavesOf({ oids, cids }: Pick<SignedBatch, 'oids' | 'cids'>): BatchLeaf[] {
  return Array.from({ length: oids.length / oidBytes }, (_none, index) => ({
    recordOid: oids.subarray(index * oidBytes, (index + 1) * oidBytes),
    cid: decodeCid(cids.subarray(index * cidBytes, (index + 1) * cidBytes), [rawCode]),
  }));
}

/** A column of a batch, cut into one part for each record, or each part of a record. */
export function partsOf(column: Uint8Array, partBytes: number): Uint8Array[] {
  return Array.from({ length: column.length / partBytes }, (_none, index) =>
    column.subarray(index * partBytes, (index + 1) * partBytes),
  );
}

export const columnBytes = { tag: tagBytes, token: tokenBytes } as const;

/** An outlet's batches, each signed and linked to the one before; content is random, as ciphertext and opaque ids are. */
export function signedBatchSource(
  identity: SigningIdentity,
  channel: string,
  recordBytes: number,
): (count: number) => { readonly seq: number; readonly batch: SignedBatch } {
  let seq = 0;
  let previous = zeroBatchHash;
  return (count) => {
    const oids = randomFillSync(new Uint8Array(count * oidBytes));
    const cids = randomFillSync(new Uint8Array(count * cidBytes));
    for (let at = 0; at < cids.length; at += cidBytes) cids.set(cidHead, at);
    const leaves = leavesOf({ oids, cids });
    const nowMs = Date.now();
    seq += 1;
    const statement = encodeBatchStatement({
      channel,
      msp: identity.mspId,
      outlet: identity.enrolmentId,
      certificateDigest: identity.certificateDigest,
      ledger: ledgerName(identity.mspId, channel),
      leaderKid: 'bench',
      seq,
      prevBatchHash: previous,
      root: batchRoot(leaves),
      count,
      collectedFromMs: nowMs,
      collectedToMs: nowMs,
      sentAtMs: nowMs,
      messageId: randomFillSync(new Uint8Array(16)),
    });
    previous = batchHash(statement);
    return {
      seq,
      batch: {
        statement,
        signature: signCose(identity, { type: 'batch', channel }, statement, true),
        oids,
        cids,
        tags: randomFillSync(new Uint8Array(count * tagBytes)),
        tokens: randomFillSync(new Uint8Array(count * tokensFor(recordBytes) * tokenBytes)),
      },
    };
  };
}
