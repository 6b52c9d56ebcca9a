import { ruleSet, type Rule } from '../rule.ts';
import { envelopeRule } from './envelope.ts';
import { rightRule } from './right.ts';
import { schemaRule } from './schema.ts';
import { type TimeLimits, timeRule } from './times.ts';

/** What a firm settles for every record. */
export interface StructuralSettings extends TimeLimits {
  /** Ids of the schemas that records may have, or beginnings of ids with `*`; without it all. */
  readonly schemas?: readonly string[];
}

/** The rules for every enterprise, in the order in which their reasons are the most useful. That an oid comes once the core sees to itself. */
export function structuralRules(settings: StructuralSettings): readonly Rule[] {
  return ruleSet([rightRule, envelopeRule, schemaRule(settings.schemas), timeRule(settings)]);
}
