import type { Rule } from '../rule.ts';

/** The department's signature and right to submit (D2, S4). */
export const rightRule: Rule = {
  codes: ['signature-invalid', 'right-withdrawn'],
  checkedBy: 'both',
  check({ standing, statement }, { toleranceMs }) {
    if (standing.state === 'unsigned') return 'signature-invalid';
    const isSure = toleranceMs > 0;
    if (standing.state === 'unknown') return isSure ? null : 'right-withdrawn';
    if (standing.state !== 'withdrawn') return null;
    if (!isSure) return 'right-withdrawn';
    // What was signed before the withdrawal stays valid, and the center may have learnt of it a little later.
    const { sinceMs } = standing;
    return sinceMs !== undefined && statement.sentAtMs > sinceMs + toleranceMs ? 'right-withdrawn' : null;
  },
  couldHold({ standing }, code) {
    if (code === 'signature-invalid') return standing.state === 'unsigned';
    return standing.state === 'withdrawn' || standing.state === 'unknown';
  },
};
