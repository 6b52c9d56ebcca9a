import type { common, msp } from '@hyperledger/fabric-protos';

/** Principals, some of them maybe twice: signatures of one identity for each satisfy a policy. */
export type PrincipalSet = readonly msp.MSPPrincipal[];

const MAX_DEPTH = 64;
/** A rule with more ways to choose its branches loses branches until there are no more than these. */
const MAX_CHOICES_OF_RULE = 10_000;
/** Over all sets of a policy, those on the way to them among them. */
const MAX_PRINCIPALS = 2_000_000;

/** A leaf of the rule's tree. `depth` orders the set: what is nearer to the root comes first. */
interface Leaf {
  /** Undefined for a rule that means nothing. */
  readonly principal: msp.MSPPrincipal | undefined;
  readonly depth: number;
}
type LeafSet = readonly Leaf[];

interface Expansion {
  readonly identities: readonly msp.MSPPrincipal[];
  principalsLeft: number;
}

/**
 * All sets of principals that satisfy a signature policy (Fabric: common/policies/inquire/inquire.go, common/graph).
 * None for a policy that cannot be satisfied, and none as soon as one set would hold a rule that is empty or wrong.
 * Throws an Error when the policy has more combinations than can be handled.
 */
export function principalSetsOf(policy: common.SignaturePolicyEnvelope): PrincipalSet[] {
  const expansion = { identities: policy.getIdentitiesList(), principalsLeft: MAX_PRINCIPALS };
  const sets: PrincipalSet[] = [];
  for (const leaves of expand(expansion, policy.getRule(), 0)) {
    const principals = [...leaves].sort((a, b) => a.depth - b.depth).map(({ principal }) => principal);
    if (!principals.every((principal) => principal !== undefined)) return [];
    sets.push(principals);
  }
  return sets;
}

function expand(expansion: Expansion, rule: common.SignaturePolicy | undefined, depth: number): LeafSet[] {
  const nOutOf = rule?.getNOutOf();
  if (nOutOf === undefined) {
    const principal = rule?.hasSignedBy() === true ? expansion.identities[rule.getSignedBy()] : undefined;
    return [[{ principal, depth }]];
  }
  const branches = nOutOf.getRulesList();
  const n = nOutOf.getN();
  if (n <= 0 || branches.length === 0 || depth === MAX_DEPTH) return [[{ principal: undefined, depth }]];
  let kept = branches.length;
  while (choices(kept, n) > MAX_CHOICES_OF_RULE) kept--;
  if (kept < n) return [];
  const ofBranches = branches.slice(0, kept).map((branch) => expand(expansion, branch, depth + 1));
  const sets: LeafSet[] = [];
  for (const chosen of choose(kept, n)) {
    const lists = chosen.map((index) => ofBranches[index] ?? []);
    for (const set of product(expansion, lists)) sets.push(set);
  }
  return sets;
}

/** One set of each list, joined, in all ways. */
function product(expansion: Expansion, lists: readonly (readonly LeafSet[])[]): LeafSet[] {
  let joined: LeafSet[] = [[]];
  for (const list of lists) {
    joined = joined.flatMap((set) =>
      list.map((next) => {
        expansion.principalsLeft -= set.length + next.length;
        if (expansion.principalsLeft < 0) throw new Error('the endorsement policy has too many combinations');
        return [...set, ...next];
      }),
    );
  }
  return joined;
}

/** Ways to choose k of n; counts no further than needed to see that they are too many. */
function choices(n: number, k: number): number {
  if (k > n) return 0;
  let result = 1;
  for (let i = 1; i <= Math.min(k, n - k); i++) {
    result = (result * (n - i + 1)) / i;
    if (result > MAX_CHOICES_OF_RULE) break;
  }
  return result;
}

/** The numbers below `n`, `k` at a time, in the order of the numbers. */
function* choose(n: number, k: number): Generator<readonly number[]> {
  const chosen = Array.from({ length: k }, (_, index) => index);
  for (;;) {
    yield [...chosen];
    let place = k - 1;
    while (place >= 0 && chosen[place] === n - k + place) place--;
    if (place < 0) return;
    let next = (chosen[place] ?? 0) + 1;
    for (; place < k; place++) chosen[place] = next++;
  }
}
