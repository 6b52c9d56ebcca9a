import { common, type msp } from '@hyperledger/fabric-protos';

/**
 * The signature policy that asks for `needed` of several (Fabric: common/policies/convert.go). A principal that more than
 * one of them names is named once.
 */
export function combineSignaturePolicies(
  needed: number,
  policies: readonly common.SignaturePolicyEnvelope[],
): common.SignaturePolicyEnvelope {
  const identities: msp.MSPPrincipal[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (principal: msp.MSPPrincipal): number => {
    const key = `${principal.getPrincipalClassification()}:${principal.getPrincipal_asB64()}`;
    const number = numbers.get(key) ?? identities.push(principal) - 1;
    numbers.set(key, number);
    return number;
  };
  const nOutOf = new common.SignaturePolicy.NOutOf();
  nOutOf.setN(needed);
  for (const policy of policies) {
    const renumbered = policy.getIdentitiesList().map(numberOf);
    const rule = policy.getRule()?.clone() ?? new common.SignaturePolicy();
    renumber(rule, renumbered);
    nOutOf.addRules(rule);
  }
  const rule = new common.SignaturePolicy();
  rule.setNOutOf(nOutOf);
  const combined = new common.SignaturePolicyEnvelope();
  combined.setRule(rule);
  combined.setIdentitiesList(identities);
  return combined;
}

function renumber(rule: common.SignaturePolicy, numbers: readonly number[]): void {
  if (rule.hasSignedBy()) rule.setSignedBy(numbers[rule.getSignedBy()] ?? rule.getSignedBy());
  for (const inner of rule.getNOutOf()?.getRulesList() ?? []) renumber(inner, numbers);
}
