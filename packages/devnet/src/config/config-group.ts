import { common } from '@hyperledger/fabric-protos';
import { parseImplicitMetaRule } from '../policy/implicit-meta-policy.ts';
import { signaturePolicyFromString } from '../policy/policy-dsl.ts';

/** A policy as configtx.yaml writes it. */
export type PolicyRule =
  { readonly type: 'Signature'; readonly rule: string } | { readonly type: 'ImplicitMeta'; readonly rule: string };

export type PolicyRules = Readonly<Record<string, PolicyRule>>;

/** Anything that Fabric keeps as bytes in a configuration value. */
interface Serializable {
  serializeBinary(): Uint8Array;
}

const ADMINS = 'Admins';

/** One level of the configuration tree; every element may be changed by the level's `Admins`. */
export function buildConfigGroup(content: {
  readonly policies: Readonly<Record<string, PolicyRule | common.SignaturePolicyEnvelope>>;
  readonly values: Readonly<Record<string, Serializable>>;
  readonly groups?: Readonly<Record<string, common.ConfigGroup>>;
}): common.ConfigGroup {
  const group = new common.ConfigGroup();
  group.setModPolicy(ADMINS);
  for (const [name, rule] of Object.entries(content.policies)) {
    const policy = new common.ConfigPolicy();
    policy.setModPolicy(ADMINS);
    policy.setPolicy(buildPolicy(rule));
    group.getPoliciesMap().set(name, policy);
  }
  for (const [name, message] of Object.entries(content.values)) {
    const value = new common.ConfigValue();
    value.setModPolicy(ADMINS);
    value.setValue(message.serializeBinary());
    group.getValuesMap().set(name, value);
  }
  for (const [name, child] of Object.entries(content.groups ?? {})) group.getGroupsMap().set(name, child);
  return group;
}

export function buildCapabilities(...names: readonly string[]): common.Capabilities {
  const capabilities = new common.Capabilities();
  for (const name of names) capabilities.getCapabilitiesMap().set(name, new common.Capability());
  return capabilities;
}

function buildPolicy(rule: PolicyRule | common.SignaturePolicyEnvelope): common.Policy {
  const policy = new common.Policy();
  if (rule instanceof common.SignaturePolicyEnvelope) {
    policy.setType(common.Policy.PolicyType.SIGNATURE);
    policy.setValue(rule.serializeBinary());
  } else if (rule.type === 'Signature') {
    policy.setType(common.Policy.PolicyType.SIGNATURE);
    policy.setValue(signaturePolicyFromString(rule.rule).serializeBinary());
  } else {
    policy.setType(common.Policy.PolicyType.IMPLICIT_META);
    policy.setValue(parseImplicitMetaRule(rule.rule).serializeBinary());
  }
  return policy;
}
