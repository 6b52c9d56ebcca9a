import { dagCborCode, parseCid, verifyBlock } from '../cid/cid.ts';
import { readSign1, verifySign1 } from '../cose/sign1.ts';
import { WaymarkError } from '../errors.ts';
import { bytesEqual, toHex } from '../hash.ts';
import { formatTime } from '../record/time.ts';
import type { BatchBlock, BatchStatement, Evidence } from './batch.ts';
import { decodeBatchBlock } from './block.ts';
import { batchRoot } from './leaf.ts';
import { batchHash, decodeBatchStatement, ledgerName } from './statement.ts';

/** A batch that agrees with its evidence in every point. */
export interface VerifiedBatch {
  readonly statement: BatchStatement;
  readonly block: BatchBlock;
  /** The outlet's certificate: its digest is the one the chain names. Whether a CA stands behind it is for the caller. */
  readonly certificateDer: Uint8Array;
}

/**
 * Proves a batch block against what the chain says of it (S7): the bytes are those of the CID, the statement is the one whose
 * hash is on chain and says the same as the evidence, the outlet signed it, and the leaves have the signed root.
 * @param channel the channel the evidence was read from
 * @throws WaymarkError data-abnormal
 */
export function verifyBatchBlock(bytes: Uint8Array, evidence: Evidence, channel: string): VerifiedBatch {
  try {
    verifyBlock(parseCid(evidence.cid, [dagCborCode]), bytes);
    const block = decodeBatchBlock(bytes);
    const statement = decodeBatchStatement(block.statement);
    checkEvidence(block, statement, evidence, channel);
    const message = readSign1(block.signature);
    if (!bytesEqual(message.certificateDigest, statement.certificateDigest))
      throw abnormal('another certificate signed it');
    verifySign1(message, { type: 'batch', channel }, { payload: block.statement });
    return { statement, block, certificateDer: message.certificateDer };
  } catch (error) {
    if (error instanceof WaymarkError && error.code === 'data-abnormal') throw error;
    throw abnormal('it is not a batch its outlet signed', error);
  }
}

/** What the statement says in the words of the evidence, field by field. */
function differences(statement: BatchStatement, statementBytes: Uint8Array, evidence: Evidence): readonly string[] {
  const said: Omit<Evidence, 'v' | 'cid' | 'node'> = {
    msp: statement.msp,
    outlet: statement.outlet,
    seq: statement.seq,
    batchHash: toHex(batchHash(statementBytes)),
    prev: toHex(statement.prevBatchHash),
    root: toHex(statement.root),
    count: statement.count,
    collectedFrom: formatTime(statement.collectedFromMs),
    collectedTo: formatTime(statement.collectedToMs),
    certificate: toHex(statement.certificateDigest),
  };
  return (Object.keys(said) as (keyof typeof said)[]).filter((name) => said[name] !== evidence[name]);
}

function checkEvidence(block: BatchBlock, statement: BatchStatement, evidence: Evidence, channel: string): void {
  const different = differences(statement, block.statement, evidence);
  if (different.length > 0) throw abnormal(`its statement is not the one on chain (${different.join(', ')})`);
  if (statement.channel !== channel || statement.ledger !== ledgerName(evidence.msp, channel))
    throw abnormal('it was made for another ledger');
  if (block.leaves.length !== statement.count) throw abnormal('it has another number of records');
  if (!bytesEqual(batchRoot(block.leaves), statement.root)) throw abnormal('its records have another Merkle root');
}

function abnormal(reason: string, cause?: unknown): WaymarkError {
  return new WaymarkError('data-abnormal', `The batch does not agree with the channel: ${reason}.`, {
    details: { reason },
    cause,
  });
}
