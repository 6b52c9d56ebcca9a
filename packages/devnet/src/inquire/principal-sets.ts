import type { common, msp } from '@hyperledger/fabric-protos';

/** Principals, some of them maybe twice: signatures of one identity for each satisfy a policy. */
export type PrincipalSet = readonly msp.MSPPrincipal[];

/** A rule with more ways to choose its branches loses branches until there are no more than these. */
const MAX_CHOICES_OF_RULE = 10_000;
/** Rules looked at for one policy. */
const MAX_STEPS = 2_000_000;

/** One rule of a policy; numbers are in the order of the distance from the root. */
interface Vertex {
  readonly rule: common.SignaturePolicy | undefined;
  readonly branches: readonly number[];
}

/**
 * All sets of principals that satisfy a signature policy, in Fabric's order, the principals nearest to the root first
 * (Fabric: common/policies/inquire/inquire.go, common/graph). None for a policy that cannot be satisfied, and none as soon
 * as one set would hold a rule that is empty or wrong. Throws an Error when the policy has more combinations than can be
 * handled.
 */
export function principalSetsOf(policy: common.SignaturePolicyEnvelope): PrincipalSet[] {
  const vertices = verticesOf(policy.getRule());
  const sets: PrincipalSet[] = [];
  for (const chosen of choicesOf(vertices)) {
    const principals: msp.MSPPrincipal[] = [];
    for (const number of [...chosen].sort((a, b) => a - b)) {
      const rule = vertices[number]?.rule;
      if (isInner(vertices[number]) && neededBy(rule) > 0) continue;
      const principal = rule?.hasSignedBy() === true ? policy.getIdentitiesList()[rule.getSignedBy()] : undefined;
      if (principal === undefined) return [];
      principals.push(principal);
    }
    sets.push(principals);
  }
  return sets;
}

function verticesOf(root: common.SignaturePolicy | undefined): Vertex[] {
  const rules = [root];
  const vertices: Vertex[] = [];
  for (const rule of rules) {
    const inner = rule?.getNOutOf()?.getRulesList() ?? [];
    let kept = inner.length;
    while (countChoices(kept, neededBy(rule)) > MAX_CHOICES_OF_RULE) kept--;
    vertices.push({ rule, branches: inner.slice(0, kept).map((branch) => rules.push(branch) - 1) });
  }
  return vertices;
}

function isInner(vertex: Vertex | undefined): boolean {
  return vertex !== undefined && vertex.branches.length > 0;
}

function neededBy(rule: common.SignaturePolicy | undefined): number {
  return Math.max(0, rule?.getNOutOf()?.getN() ?? 0);
}

/** Each choice as the numbers of its rules. A choice without the rule at hand comes before those with it. */
function choicesOf(vertices: readonly Vertex[]): readonly ReadonlySet<number>[] {
  let choices: ReadonlySet<number>[] = [new Set([0])];
  let stepsLeft = MAX_STEPS;
  const spend = (steps: number) => {
    stepsLeft -= steps;
    if (stepsLeft < 0) throw new Error('the endorsement policy has too many combinations');
  };
  for (const [number, { rule, branches }] of vertices.entries()) {
    if (branches.length === 0) continue;
    spend(choices.length);
    const next = choices.filter((choice) => !choice.has(number));
    for (const choice of choices) {
      if (!choice.has(number)) continue;
      for (const indices of choose(branches.length, neededBy(rule))) {
        spend(choice.size + indices.length);
        next.push(new Set([...choice, ...indices.map((index) => branches[index] ?? 0)]));
      }
    }
    choices = next;
  }
  return choices;
}

/** Ways to choose k of n; counts no further than needed to see that they are too many. */
function countChoices(n: number, k: number): number {
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
  if (k > n) return;
  const chosen = Array.from({ length: k }, (_, index) => index);
  for (;;) {
    yield chosen;
    let place = k - 1;
    while (place >= 0 && chosen[place] === n - k + place) place--;
    if (place < 0) return;
    for (let next = (chosen[place] ?? 0) + 1; place < k; place++) chosen[place] = next++;
  }
}
