import { encodeCbor } from '../encoding/cbor.ts';
import { decodeFields } from '../encoding/cbor-fields.ts';
import { sha256 } from '../hash.ts';
import { earliestTimeMs, latestTimeMs } from '../record/time.ts';
import type { BatchStatement } from './batch.ts';

/** Most records in one batch: the chaincode's limit. */
export const maxBatchRecords = 10_000;
/** `prev` of an outlet's first batch. */
export const zeroBatchHash: Uint8Array = new Uint8Array(32);
const maxStatementBytes = 4_096;

/** Canonical bytes of a statement: what the outlet signs (docs/formats.md, "Batch"). */
export function encodeBatchStatement(statement: BatchStatement): Uint8Array {
  return encodeCbor({
    v: 1,
    type: 'batch',
    channel: statement.channel,
    msp: statement.msp,
    outlet: statement.outlet,
    cert: statement.certificateDigest,
    ledger: statement.ledger,
    leaderKid: statement.leaderKid,
    seq: statement.seq,
    prev: statement.prevBatchHash,
    root: statement.root,
    count: statement.count,
    collectedFrom: statement.collectedFromMs,
    collectedTo: statement.collectedToMs,
    sentAt: statement.sentAtMs,
    messageId: statement.messageId,
  });
}

/**
 * Reads a statement; anything but its canonical bytes is refused.
 * @throws WaymarkError input-invalid, limit-exceeded
 */
export function decodeBatchStatement(bytes: Uint8Array): BatchStatement {
  const fields = decodeFields(bytes, 'batch statement', maxStatementBytes);
  fields.constant('v', 1);
  fields.constant('type', 'batch');
  const statement: BatchStatement = {
    channel: fields.text('channel'),
    msp: fields.text('msp'),
    outlet: fields.text('outlet'),
    certificateDigest: fields.bytes('cert', 32),
    ledger: fields.text('ledger', 512),
    leaderKid: fields.text('leaderKid'),
    seq: fields.integer('seq', 1),
    prevBatchHash: fields.bytes('prev', 32),
    root: fields.bytes('root', 32),
    count: fields.integer('count', 1, maxBatchRecords),
    collectedFromMs: fields.integer('collectedFrom', earliestTimeMs, latestTimeMs),
    collectedToMs: fields.integer('collectedTo', earliestTimeMs, latestTimeMs),
    sentAtMs: fields.integer('sentAt', 0, latestTimeMs),
    messageId: fields.bytes('messageId', 16),
  };
  fields.end();
  return statement;
}

/** Hash of a batch: its name in receipts, in the next batch and on chain. */
export function batchHash(statementBytes: Uint8Array): Uint8Array {
  return sha256(statementBytes);
}

/** Name of a firm's ledger on a channel. */
export function ledgerName(msp: string, channel: string): string {
  return `${msp}/${channel}`;
}
