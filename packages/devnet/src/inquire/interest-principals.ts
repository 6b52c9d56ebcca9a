import type { common } from '@hyperledger/fabric-protos';
import { PrincipalSetMerger } from './merge.ts';
import { principalSetsOf, type PrincipalSet } from './principal-sets.ts';

/** What a transaction touches of one chaincode. */
export interface InquiredCall {
  readonly name: string;
  /** The chaincode's own policy; undefined when it has none that can be looked into. */
  readonly policy: common.SignaturePolicyEnvelope | undefined;
  /** The policies of the written keys that have one. */
  readonly keyPolicies: readonly common.SignaturePolicyEnvelope[];
  /** Every written key has its own policy: that of the chaincode does not count. */
  readonly disregardNamespacePolicy: boolean;
}

/**
 * The sets of principals that satisfy all policies a transaction touches: those of the chaincodes, then those of the keys
 * (Fabric: discovery/endorsement/endorsement.go, computePrincipalSets). Throws an Error with Fabric's text when there are
 * none.
 */
export function principalSetsOfInterest(calls: readonly InquiredCall[]): PrincipalSet[] {
  const needed = calls.map(namespacePolicyOf).filter((policy) => policy !== undefined);
  const merger = new PrincipalSetMerger();
  const setsOf = (policy: common.SignaturePolicyEnvelope, errors: { unread: string; unsatisfiable: string }) => {
    const sets = principalSetsOf(policy).map((set) => {
      const read = merger.read(set);
      if (read === undefined) throw new Error(errors.unread);
      return read;
    });
    if (sets.length === 0) throw new Error(errors.unsatisfiable);
    return sets;
  };
  const namespaces = needed.map((policy) =>
    setsOf(policy, {
      unread: 'failed creating a comparable principal set',
      unsatisfiable: 'endorsement policy cannot be satisfied',
    }),
  );
  const keys = calls
    .flatMap(({ keyPolicies }) => keyPolicies)
    .map((policy) =>
      setsOf(policy, {
        unread: 'failed creating a comparable principal set for state based endorsement',
        unsatisfiable: 'state based endorsement policy cannot be satisfied',
      }),
    );
  const merged = merger.merge(keys.length === 0 ? namespaces : [...namespaces, merger.merge(keys)]);
  return merged.map((set) => merger.toPrincipalSet(set));
}

/** Undefined when the policy of the chaincode does not count. */
function namespacePolicyOf(call: InquiredCall): common.SignaturePolicyEnvelope | undefined {
  const { name, policy, keyPolicies, disregardNamespacePolicy } = call;
  if (policy?.getRule() === undefined || policy.getIdentitiesList().length === 0) throw new Error('policy not found');
  if (!disregardNamespacePolicy) return policy;
  if (keyPolicies.length === 0) {
    throw new Error(
      `requested to disregard chaincode ${name}'s policy but key and collection policies are missing, either disable ` +
        'DisregardNamespacePolicy or specify at least one key policy or at least one collection policy',
    );
  }
  return undefined;
}
