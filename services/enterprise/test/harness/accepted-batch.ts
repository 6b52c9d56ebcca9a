import { createHash } from 'node:crypto';
import type { Evidence } from '@waymark/protocol';
import type { AcceptedBatch } from '../../src/journal/journal.ts';

/** 32 bytes that stand for a text. */
export const hashOf = (text: string): Uint8Array => createHash('sha256').update(text).digest();

/** A batch as the journal takes it, made up. */
export function acceptedBatch(outlet: string, seq: number, acceptedAtMs = seq, content = 'x'): AcceptedBatch {
  const batchHash = hashOf(`${outlet}/${String(seq)}/${content}`);
  const evidence: Evidence = {
    v: 1,
    msp: 'NorthMSP',
    outlet,
    seq,
    batchHash: Buffer.from(batchHash).toString('hex'),
    prev: '00'.repeat(32),
    root: '11'.repeat(32),
    cid: `cid-${outlet}-${String(seq)}`,
    count: 1,
    collectedFrom: '2026-03-01T12:00:00.000Z',
    collectedTo: '2026-03-01T12:00:00.000Z',
    node: 'center',
    certificate: '22'.repeat(32),
  };
  return {
    outlet,
    seq,
    batchHash,
    cid: evidence.cid,
    evidence,
    messageId: hashOf(`message ${String(seq)}`).subarray(0, 16),
    receipt: Buffer.from(`receipt ${outlet}/${String(seq)}`),
    acceptedAtMs,
    records: [
      {
        oid: hashOf(`oid ${outlet}/${String(seq)}/${content}`),
        contentTag: hashOf('tag'),
        cid: hashOf('cid'),
        tokens: [hashOf(`token ${outlet}`)],
      },
    ],
    consignmentKeys: [],
  };
}
