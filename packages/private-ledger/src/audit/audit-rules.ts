import { contentRules, type Rule, structuralRules } from '@waymark/audit';
import type { PrivateLedgerConfiguration } from '../configuration/section.ts';

/** The rules that a firm's configuration names (D4, D5). @throws WaymarkError configuration-invalid */
export function auditRules({ kinds, schemas, skewMs, maxAgeMs }: PrivateLedgerConfiguration['audit']): readonly Rule[] {
  const structural = structuralRules({
    skewMs,
    ...(schemas === undefined ? {} : { schemas }),
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
  });
  return kinds.length === 0 ? structural : [...structural, ...contentRules(kinds)];
}
