import { recordLimits } from '@waymark/protocol';
import { headerOf } from '../facts/facts.ts';
import type { Rule } from '../rule.ts';

/** Whether a schema id is one of these; one that ends in `*` stands for all that begin so. */
export function schemaMatcher(patterns: readonly string[]): (schema: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')));
  const beginnings = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  return (schema) => exact.has(schema) || beginnings.some((beginning) => schema.startsWith(beginning));
}

const unfit = /^\s|\s$|[\u0000-\u001f\u007f-\u009f]/u;

/**
 * The schema that a record's envelope names.
 * @param permitted ids, or beginnings with `*`; without it every schema is permitted
 */
export function schemaRule(permitted?: readonly string[]): Rule {
  const isPermitted = permitted === undefined ? () => true : schemaMatcher(permitted);
  const reasonFor = (schema: string): string | null => {
    if (schema === '' || schema.length > recordLimits.schemaBytes || unfit.test(schema)) return 'schema-malformed';
    return isPermitted(schema) ? null : 'schema-not-permitted';
  };
  return {
    codes: ['schema-malformed', 'schema-not-permitted'],
    checkedBy: 'both',
    check(facts) {
      const header = headerOf(facts);
      return header === null ? null : reasonFor(header.schema);
    },
    couldHold(facts, code) {
      const header = headerOf(facts);
      return header === null || reasonFor(header.schema) === code;
    },
  };
}
