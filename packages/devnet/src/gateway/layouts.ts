import type { Identity } from '../msp/msp.ts';
import type { Policy } from '../policy/policy.ts';
import type { Layout } from './endorsement-plan.ts';

/** With more organisations than this, at most one peer of each is considered. */
const MAX_ORGANISATIONS_WITH_SEVERAL_PEERS = 6;
const MAX_PEERS_PER_ORGANISATION = 3;
const MAX_COMBINATIONS = 100_000;

/**
 * The smallest combinations of peers, by organisation, whose endorsements satisfy all policies. Policies are asked, not
 * taken apart, so every kind of policy has its layouts. Peers of an organisation count as alike.
 */
export function findLayouts(
  policies: readonly Policy[],
  peersByOrganisation: ReadonlyMap<string, readonly Identity[]>,
): Layout[] {
  const organisations = [...peersByOrganisation.keys()];
  const most = organisations.length > MAX_ORGANISATIONS_WITH_SEVERAL_PEERS ? 1 : MAX_PEERS_PER_ORGANISATION;
  const limits = organisations.map((org) => Math.min(most, peersByOrganisation.get(org)?.length ?? 0));
  const found: number[][] = [];
  let tried = 0;
  for (let total = 1; total <= limits.reduce((sum, limit) => sum + limit, 0); total++) {
    for (const counts of combinations(limits, total)) {
      if (++tried > MAX_COMBINATIONS) return found.map((counts) => toLayout(organisations, counts));
      if (found.some((smaller) => smaller.every((count, index) => count <= (counts[index] ?? 0)))) continue;
      const identities = counts.flatMap((count, index) =>
        (peersByOrganisation.get(organisations[index] ?? '') ?? []).slice(0, count),
      );
      if (policies.every((policy) => policy.evaluate(identities))) found.push(counts);
    }
  }
  return found.map((counts) => toLayout(organisations, counts));
}

/** All ways to choose `total` peers, at most `limits[i]` of organisation i. */
function* combinations(limits: readonly number[], total: number): Generator<number[]> {
  const [limit, ...rest] = limits;
  if (limit === undefined) {
    if (total === 0) yield [];
    return;
  }
  for (let count = Math.min(limit, total); count >= 0; count--) {
    for (const others of combinations(rest, total - count)) yield [count, ...others];
  }
}

function toLayout(organisations: readonly string[], counts: readonly number[]): Layout {
  const layout = new Map<string, number>();
  organisations.forEach((organisation, index) => {
    const count = counts[index] ?? 0;
    if (count > 0) layout.set(organisation, count);
  });
  return layout;
}
