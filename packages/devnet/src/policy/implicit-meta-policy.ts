import { common } from '@hyperledger/fabric-protos';
import { DevnetError } from '../errors.ts';
import { combineSignaturePolicies } from './convert.ts';
import type { Policy } from './policy.ts';

/**
 * A rule over the policies of the same name one level below (common/policies/implicitmeta.go).
 * With no level below, nothing is needed.
 */
export function createImplicitMetaPolicy(
  rule: common.ImplicitMetaPolicy.RuleMap[keyof common.ImplicitMetaPolicy.RuleMap],
  subPolicies: readonly Policy[],
  subPolicyName = '',
): Policy {
  const needed = subPolicies.length === 0 ? 0 : threshold(rule, subPolicies.length);
  const countSatisfied: (identities: Parameters<Policy['evaluate']>[0]) => number = (identities) => {
    let satisfied = 0;
    for (const policy of subPolicies) {
      if (satisfied === needed) break;
      if (policy.evaluate(identities)) satisfied++;
    }
    return satisfied;
  };
  return {
    evaluate: (identities) => countSatisfied(identities) === needed,
    whyNot: (identities) =>
      `implicit policy evaluation failed - ${countSatisfied(identities)} sub-policies were satisfied, ` +
      `but this policy requires ${needed} of the '${subPolicyName}' sub-policies to be satisfied`,
    toSignaturePolicy: () => {
      const converted = subPolicies.map((policy) => policy.toSignaturePolicy?.());
      return converted.every((policy) => policy !== undefined)
        ? combineSignaturePolicies(needed, converted)
        : undefined;
    },
  };
}

function threshold(rule: number, count: number): number {
  switch (rule) {
    case common.ImplicitMetaPolicy.Rule.ANY:
      return 1;
    case common.ImplicitMetaPolicy.Rule.ALL:
      return count;
    case common.ImplicitMetaPolicy.Rule.MAJORITY:
      return Math.floor(count / 2) + 1;
    default:
      throw new DevnetError('POLICY_INVALID', 'unknown implicit meta rule');
  }
}

/** Reads `ANY Readers`, `ALL Writers`, `MAJORITY Admins`. Throws DevnetError POLICY_INVALID. */
export function parseImplicitMetaRule(text: string): common.ImplicitMetaPolicy {
  const match = /^(ANY|ALL|MAJORITY) (\S+)$/.exec(text);
  const [, rule, subPolicy] = match ?? [];
  if (rule === undefined || subPolicy === undefined) {
    throw new DevnetError('POLICY_INVALID', `expected ANY, ALL or MAJORITY and a policy name, got '${text}'`);
  }
  const policy = new common.ImplicitMetaPolicy();
  policy.setRule(common.ImplicitMetaPolicy.Rule[rule as keyof common.ImplicitMetaPolicy.RuleMap]);
  policy.setSubPolicy(subPolicy);
  return policy;
}
