import { type Rule, ruleSet } from '../rule.ts';
import { contentRule, readableRule } from './content-rule.ts';
import { carrierContent } from './carrier.ts';
import type { ContentDescription } from './description.ts';
import { producerContent } from './producer.ts';
import { regulatorContent } from './regulator.ts';
import { sellerContent } from './seller.ts';

/** The kinds of enterprise that have content rules of their own (D4). */
export type EnterpriseKind = 'producer' | 'carrier' | 'seller' | 'regulator';

/** What records must say, for each kind of enterprise. */
export const contentOfKind: Readonly<Record<EnterpriseKind, readonly ContentDescription[]>> = {
  producer: producerContent,
  carrier: carrierContent,
  seller: sellerContent,
  regulator: regulatorContent,
};

/**
 * The content rules of an enterprise, with those of its own behind them. They say nothing of records of other schemas.
 * @throws WaymarkError configuration-invalid
 */
export function contentRules(
  kinds: readonly EnterpriseKind[],
  own: readonly ContentDescription[] = [],
): readonly Rule[] {
  const descriptions = new Set([...kinds.flatMap((kind) => contentOfKind[kind]), ...own]);
  return ruleSet([readableRule, ...[...descriptions].map(contentRule)]);
}
