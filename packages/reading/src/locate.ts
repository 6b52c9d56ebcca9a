import { type BatchStatement, bytesEqual, type Evidence, WaymarkError } from '@waymark/protocol';
import type { ProvenInLedger } from './ledger/ledger-proofs.ts';
import type { Hint } from './ports.ts';
import type { ProvenBatch } from './proven-batches.ts';
import type { LedgerPlace, TrustedRecord } from './trusted-record.ts';

/** A record's place, proven: whichever way its batch went, from here on it is read alike. */
export interface Located {
  readonly statement: BatchStatement;
  readonly batchHash: string;
  readonly recordOid: Uint8Array;
  readonly leafIndex: number;
  readonly cid: ProvenInLedger['cid'];
  readonly trust: TrustedRecord['trust'];
  readonly evidence: Evidence | null;
  readonly ledger: LedgerPlace | null;
}

/** A record of a batch that stands on the channel as evidence (S5). @throws WaymarkError data-abnormal */
export function locateByEvidence(hint: Hint, { statement, block, evidence }: ProvenBatch): Located {
  const leaf = block.leaves[hint.leafIndex];
  // The index may be wrong by mistake or by malice: then it is not followed anywhere.
  if (leaf === undefined || !bytesEqual(leaf.recordOid, hint.recordOid)) {
    throw new WaymarkError('data-abnormal', 'The index names a place that does not hold this record.');
  }
  if (leaf.cid.toString() !== hint.cid) {
    throw new WaymarkError('data-abnormal', 'The index names another address than the channel vouches for.');
  }
  const { leafIndex } = hint;
  const { recordOid, cid } = leaf;
  const { batchHash } = evidence;
  return { statement, batchHash, recordOid, leafIndex, cid, trust: 'anchored', evidence, ledger: null };
}

/** A record of a private ledger; the hint agreed with its proof. */
export function locateInLedger({ leafIndex }: Hint, proven: ProvenInLedger): Located {
  const { statement, batchHash, oid, cid, state, header, blockHash, anchor } = proven;
  const range = anchor === null ? null : { first: anchor.first, last: anchor.last, txId: anchor.txId };
  return {
    statement,
    batchHash,
    recordOid: oid,
    leafIndex,
    cid,
    trust: state,
    evidence: null,
    ledger: { height: header.height, blockHash, anchor: range },
  };
}
