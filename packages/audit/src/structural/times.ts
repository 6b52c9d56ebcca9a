import { headerOf, type RecordFacts } from '../facts/facts.ts';
import type { Rule } from '../rule.ts';

/** Limits on when a record may have been collected. */
export interface TimeLimits {
  /** How far into the future a collection time may lie: what an outlet's clock may be fast. */
  readonly skewMs: number;
  /** How long ago it may lie at most; without it, as long as one likes. */
  readonly maxAgeMs?: number;
}

/** Whoever has not seen the envelope knows from the signed statement between which times its records were collected. */
function collected({ statement, ...facts }: RecordFacts): { readonly fromMs: number; readonly toMs: number } {
  const header = headerOf(facts);
  if (header !== null) return { fromMs: header.collectedMs, toMs: header.collectedMs };
  return { fromMs: statement.collectedFromMs, toMs: statement.collectedToMs };
}

/** Collection times, against the clock of whoever audits (D8: a time later than now is an error). */
export function timeRule({ skewMs, maxAgeMs }: TimeLimits): Rule {
  return {
    codes: ['time-in-future', ...(maxAgeMs === undefined ? [] : ['time-too-old'])],
    checkedBy: 'both',
    check(facts, { nowMs, toleranceMs }) {
      const { fromMs, toMs } = collected(facts);
      if (fromMs > nowMs + skewMs + toleranceMs) return 'time-in-future';
      // A department may see the block long after the center made it; the center was there at about the time that the outlet signed.
      const auditedMs = toleranceMs === 0 ? nowMs : Math.min(nowMs, facts.statement.sentAtMs) - toleranceMs;
      return maxAgeMs !== undefined && toMs < auditedMs - maxAgeMs ? 'time-too-old' : null;
    },
    couldHold(facts, code, { nowMs, toleranceMs }) {
      const { fromMs, toMs } = collected(facts);
      if (code === 'time-in-future') {
        return toMs > Math.min(nowMs, facts.statement.sentAtMs) - toleranceMs + skewMs;
      }
      return maxAgeMs !== undefined && fromMs < nowMs + toleranceMs - maxAgeMs;
    },
  };
}
