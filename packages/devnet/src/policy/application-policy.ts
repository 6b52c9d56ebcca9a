import type { peer } from '@hyperledger/fabric-protos';
import { DevnetError } from '../errors.ts';
import type { Policy } from './policy.ts';
import { compileSignaturePolicy } from './signature-policy.ts';

/**
 * The endorsement policy of a chaincode: its own signature policy, or one of the channel's by path
 * (core/policy/application.go). Throws DevnetError POLICY_INVALID when it is neither.
 */
export function compileApplicationPolicy(
  policy: Pick<peer.ApplicationPolicy, 'getSignaturePolicy' | 'getChannelConfigPolicyReference'>,
  channelPolicy: (path: string) => Policy,
): Policy {
  const signaturePolicy = policy.getSignaturePolicy();
  if (signaturePolicy !== undefined) return compileSignaturePolicy(signaturePolicy);
  const reference = policy.getChannelConfigPolicyReference();
  if (reference === '') throw new DevnetError('POLICY_INVALID', 'an application policy is empty');
  return channelPolicy(reference);
}
