import { common, type msp } from '@hyperledger/fabric-protos';
import { describeEndorsement, principalSetsOfInterest, type InquiredCall } from '../../src/inquire/index.ts';
import type { Identity } from '../../src/msp/index.ts';
import { compilePrincipal } from '../../src/msp/principal.ts';
import { signaturePolicyFromString } from '../../src/policy/index.ts';

/** A peer by its name, such as `a0`: the first of organisation `A`. */
export type PeerName = string;

/** What a principal asks of a peer of an organisation; there is no certificate behind it. */
export function identityOf(name: PeerName): Identity {
  return {
    mspId: name.slice(0, 1).toUpperCase(),
    serialized: Buffer.from(name),
    certificatePem: name,
    role: 'peer',
    verify: () => true,
    commonName: name,
    notAfterMs: Infinity,
    fingerprint: name,
    isAdmin: false,
    organizationalUnits: ['peer'],
    certifiersIdentifier: new Uint8Array(),
  };
}

export const policyOf = (policy: string | common.SignaturePolicyEnvelope): common.SignaturePolicyEnvelope =>
  typeof policy === 'string' ? signaturePolicyFromString(policy) : policy;

export const EMPTY_POLICY = new common.SignaturePolicyEnvelope();

/** A call of `contract`: its policy, those of the written keys, and whether all of them have one. */
export function callOf(
  policy: string | common.SignaturePolicyEnvelope | undefined,
  keyPolicies: readonly (string | common.SignaturePolicyEnvelope)[] = [],
  disregardNamespacePolicy = false,
): InquiredCall {
  return {
    name: 'contract',
    policy: policy === undefined ? undefined : policyOf(policy),
    keyPolicies: keyPolicies.map(policyOf),
    disregardNamespacePolicy,
  };
}

const satisfies = (name: PeerName, principal: msp.MSPPrincipal) => compilePrincipal(principal)(identityOf(name));

/** The layouts and groups of an interest; `withoutChaincode` are peers that lack one. */
export function describeCalls(
  calls: readonly InquiredCall[],
  peers: readonly PeerName[],
  withoutChaincode: readonly PeerName[] = [],
) {
  return describeEndorsement(principalSetsOfInterest(calls), {
    peers,
    satisfies,
    hasChaincodes: (peer) => !withoutChaincode.includes(peer),
  });
}
