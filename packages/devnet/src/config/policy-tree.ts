import { common } from '@hyperledger/fabric-protos';
import { DevnetError } from '../errors.ts';
import { createImplicitMetaPolicy } from '../policy/implicit-meta-policy.ts';
import { REJECT_POLICY, type Policy } from '../policy/policy.ts';
import { parseSignaturePolicy } from '../policy/signature-policy.ts';

/** All policies of a configuration by absolute path, such as `/Channel/Application/Writers`. */
export type PolicyTree = ReadonlyMap<string, Policy>;

/** Compiles the policies of a group and of all groups below it. Throws DevnetError CONFIG_INVALID or POLICY_INVALID. */
export function compilePolicyTree(root: common.ConfigGroup, path = '/Channel'): PolicyTree {
  const tree = new Map<string, Policy>();
  compileGroup(root, path, tree);
  return tree;
}

function compileGroup(group: common.ConfigGroup, path: string, tree: Map<string, Policy>): void {
  const children: string[] = [];
  group.getGroupsMap().forEach((child, name) => {
    children.push(`${path}/${name}`);
    compileGroup(child, `${path}/${name}`, tree);
  });
  group.getPoliciesMap().forEach((configPolicy, name) => {
    const policy = configPolicy.getPolicy();
    if (policy === undefined) throw new DevnetError('CONFIG_INVALID', `policy ${path}/${name} is empty`);
    tree.set(`${path}/${name}`, compilePolicy(policy, children, tree));
  });
}

function compilePolicy(policy: common.Policy, children: readonly string[], tree: PolicyTree): Policy {
  switch (policy.getType()) {
    case common.Policy.PolicyType.SIGNATURE:
      return parseSignaturePolicy(policy.getValue_asU8());
    case common.Policy.PolicyType.IMPLICIT_META: {
      const implicit = common.ImplicitMetaPolicy.deserializeBinary(policy.getValue_asU8());
      const subPolicies = children.map((child) => tree.get(`${child}/${implicit.getSubPolicy()}`) ?? REJECT_POLICY);
      return createImplicitMetaPolicy(implicit.getRule(), subPolicies, implicit.getSubPolicy());
    }
    default:
      throw new DevnetError('CONFIG_INVALID', 'unknown policy type');
  }
}
