import { WaymarkError } from '@waymark/protocol';
import type { RecordFacts } from './facts/facts.ts';

/** With which eyes a rule looks. */
export interface RuleContext {
  /** This member's clock. */
  readonly nowMs: number;
  /** How far this member's clock and its copy of the register may be from the center's. 0 at the center. */
  readonly toleranceMs: number;
}

/**
 * One rule of an audit. A firm or a regulator may write its own: a module like this, or a description for `contentRule`. Pure; the same facts and the same
 * context always give the same reason.
 */
export interface Rule {
  /** Every code that the rule may give; `codeForm`. */
  readonly codes: readonly string[];
  /** `center`: needs what only the center has, so departments follow its reasons. `both`: departments check acceptances and rejections. `department`: acceptances only. */
  readonly checkedBy: 'center' | 'both' | 'department';
  /**
   * Why the record is not compliant, or null. With a tolerance it gives a reason only when every clock within the tolerance would: a department must be
   * sure before it contradicts its center.
   */
  check(facts: RecordFacts, context: RuleContext): string | null;
  /** Whether the center can have had this reason, for rules that `both` check. Without it the rule is followed. */
  couldHold?(facts: RecordFacts, code: string, context: RuleContext): boolean;
}

/** Form of a reason code: it stands in blocks for good. */
export const codeForm: RegExp = /^[a-z][a-z0-9-]{0,62}$/;

/**
 * The rules of a member, checked: codes are well formed and mean one thing.
 * @throws WaymarkError configuration-invalid
 */
export function ruleSet(rules: readonly Rule[]): readonly Rule[] {
  const owners = new Map<string, Rule['checkedBy']>();
  for (const { codes, checkedBy } of rules) {
    for (const code of codes) {
      const owner = owners.get(code);
      if (!codeForm.test(code) || (owner !== undefined && owner !== checkedBy)) throw invalid(code);
      owners.set(code, checkedBy);
    }
  }
  return [...rules];
}

function invalid(code: string): WaymarkError {
  return new WaymarkError('configuration-invalid', 'An audit rule has a reason code that cannot be used.', {
    details: { code },
  });
}
