import type { Audit } from '../../src/index.ts';
import type { BlockStore } from './block-store.ts';
import { verdictOf } from './submitter.ts';

/** The audit rules of a simulated member: they see what is true, but for what is sealed to the center alone. */
export function createSimAudit(store: () => BlockStore): Audit {
  return {
    record: (_submission, { oid }) => verdictOf(oid),
    // Whether a `sealed` record is compliant only the center can say; its word is followed either way.
    followsRejection: (_submission, { oid }, reason) => reason === 'sealed' || verdictOf(oid) === reason,
    followsAcceptance: (_submission, { oid }) => {
      const truth = verdictOf(oid);
      return truth === null || truth === 'sealed';
    },
    isRecorded: (oid) => store().isRecorded(oid),
  };
}
