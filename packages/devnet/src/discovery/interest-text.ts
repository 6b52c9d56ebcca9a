import type { common, peer } from '@hyperledger/fabric-protos';

/** An interest as Go prints the message. */
export function interestText(interest: peer.ChaincodeInterest): string {
  return join(interest.getChaincodesList().map((call) => `chaincodes:{${callText(call)}}`));
}

function callText(call: peer.ChaincodeCall): string {
  return join([
    text('name', call.getName()),
    ...call.getCollectionNamesList().map((name) => `collection_names:${JSON.stringify(name)}`),
    flag('no_private_reads', call.getNoPrivateReads()),
    ...call.getKeyPoliciesList().map((policy) => `key_policies:{${policyText(policy)}}`),
    flag('disregard_namespace_policy', call.getDisregardNamespacePolicy()),
  ]);
}

function policyText(policy: common.SignaturePolicyEnvelope): string {
  const rule = policy.getRule();
  return join([
    number('version', policy.getVersion()),
    rule === undefined ? '' : `rule:{${ruleText(rule)}}`,
    ...policy.getIdentitiesList().map((principal) => {
      const classification = principal.getPrincipalClassification();
      const parts = [
        classification === 0 ? '' : `principal_classification:${CLASSIFICATIONS[classification] ?? classification}`,
        bytes('principal', principal.getPrincipal_asU8()),
      ];
      return `identities:{${join(parts)}}`;
    }),
  ]);
}

const CLASSIFICATIONS: Readonly<Record<number, string>> = {
  1: 'ORGANIZATION_UNIT',
  2: 'IDENTITY',
  3: 'ANONYMITY',
  4: 'COMBINED',
};

function ruleText(rule: common.SignaturePolicy): string {
  if (rule.hasSignedBy()) return `signed_by:${rule.getSignedBy()}`;
  const nOutOf = rule.getNOutOf();
  if (nOutOf === undefined) return '';
  const rules = nOutOf.getRulesList().map((inner) => `rules:{${ruleText(inner)}}`);
  return `n_out_of:{${join([number('n', nOutOf.getN()), ...rules])}}`;
}

function join(fields: readonly string[]): string {
  return fields.filter((field) => field !== '').join(' ');
}

function text(name: string, value: string): string {
  return value === '' ? '' : `${name}:${JSON.stringify(value)}`;
}

function number(name: string, value: number): string {
  return value === 0 ? '' : `${name}:${value}`;
}

function flag(name: string, value: boolean): string {
  return value ? `${name}:true` : '';
}

function bytes(name: string, value: Uint8Array): string {
  if (value.length === 0) return '';
  const escaped = [...value].map((octet) => {
    const character = String.fromCharCode(octet);
    const known = BYTE_ESCAPES[character];
    if (known !== undefined) return known;
    return octet >= 0x20 && octet < 0x7f ? character : `\\x${octet.toString(16).padStart(2, '0')}`;
  });
  return `${name}:"${escaped.join('')}"`;
}

const BYTE_ESCAPES: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '"': '\\"',
  '\\': '\\\\',
};
