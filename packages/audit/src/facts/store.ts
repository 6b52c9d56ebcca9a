import { WaymarkError } from '@waymark/protocol';
import type { Digest } from '@waymark/rsl';
import type { ContentFinding, EnvelopeFinding } from './facts.ts';

/** What was found out about one record by looking at its envelope. */
export interface Finding {
  readonly envelope: EnvelopeFinding;
  readonly content: ContentFinding;
}

/** What was found out about one submission. */
export interface SubmissionFindings {
  /** Reason for each oid that is not compliant. */
  readonly verdicts: ReadonlyMap<string, string>;
  /** By oid; kept where records are looked at by samples (departments). */
  readonly findings: ReadonlyMap<string, Finding>;
}

/** Findings on the way: from the moment they are gathered until the submission is confirmed or returned. Bounded. */
export interface FactStore {
  /** @throws WaymarkError unavailable when it is full of submissions that are not decided: take in no more until some are */
  put(hash: Digest, found: SubmissionFindings): void;
  get(hash: Digest): SubmissionFindings | undefined;
  /** The submission was confirmed or returned. */
  forget(hash: Digest): void;
  /** This member has left office: what was returned is audited by the next center. */
  clear(): void;
  readonly size: number;
}

/** `evict`: what to do when it is full; departments can lose findings and look again, a center cannot. */
export function createFactStore({
  maxSubmissions = 4_096,
  whenFull = 'refuse',
}: {
  readonly maxSubmissions?: number;
  readonly whenFull?: 'refuse' | 'evict-oldest';
} = {}): FactStore {
  const held = new Map<Digest, SubmissionFindings>();
  return {
    put(hash, found) {
      if (held.size >= maxSubmissions && !held.has(hash)) {
        const [oldest] = held.keys();
        if (whenFull === 'refuse' || oldest === undefined)
          throw new WaymarkError('unavailable', 'Too many submissions wait for the ledger.', {
            details: { limit: maxSubmissions },
          });
        held.delete(oldest);
      }
      held.set(hash, found);
    },
    get: (hash) => held.get(hash),
    forget: (hash) => {
      held.delete(hash);
    },
    clear: () => held.clear(),
    get size() {
      return held.size;
    },
  };
}
