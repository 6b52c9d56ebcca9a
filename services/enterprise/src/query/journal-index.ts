import { decodeCid, formatEvidenceId, WaymarkError } from '@waymark/protocol';
import type { IndexHit, QueryIndex } from '@waymark/query-api';
import type { Replica } from '@waymark/service-kit';
import type { IndexHit as JournalHit, Journal } from '../journal/journal.ts';

/** The center's index: its journal knows every record of the firm from the moment it is accepted. */
export function createJournalIndex(msp: string, journal: Journal, replica: Pick<Replica, 'evidence'>): QueryIndex {
  const toHit = ({ recordOid, outlet, seq, leafIndex, cid }: JournalHit): IndexHit => ({
    recordOid,
    evidenceId: formatEvidenceId({ msp, outlet, seq }),
    leafIndex,
    cid: cidOf(cid),
  });
  /** An index that was emptied under our feet must not answer "there is nothing". */
  const requireComplete = (): void => {
    if (journal.isEmptied()) throw new WaymarkError('unavailable', 'The index of this center was emptied.');
  };
  return {
    findByOid(oid) {
      const hit = journal.findByOid(oid);
      if (hit !== undefined) return toHit(hit);
      requireComplete();
      return undefined;
    },
    findByToken(token, limit) {
      const hits = journal.findByToken(token, limit);
      if (hits.length === 0) requireComplete();
      return hits.map(toHit);
    },
    evidence: (evidenceId) => replica.evidence(evidenceId),
  };
}

function cidOf(bytes: Uint8Array): IndexHit['cid'] {
  try {
    return decodeCid(bytes);
  } catch (cause) {
    throw new WaymarkError('data-abnormal', 'The index was altered: an address does not have its form.', { cause });
  }
}
