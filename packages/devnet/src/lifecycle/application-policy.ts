import type { peer } from '@hyperledger/fabric-protos';
import type { ChannelConfig } from '../config/channel-config.ts';
import { REJECT_POLICY, type Policy } from '../policy/policy.ts';
import { compileSignaturePolicy } from '../policy/signature-policy.ts';

/** The policy that a definition means: its own signatures, or a policy of the channel configuration. */
export function compileApplicationPolicy(
  policy: peer.ApplicationPolicy,
  config: Pick<ChannelConfig, 'policy'>,
): Policy {
  const signatures = policy.getSignaturePolicy();
  if (signatures !== undefined) return compileSignaturePolicy(signatures);
  const reference = policy.getChannelConfigPolicyReference();
  return reference === '' ? REJECT_POLICY : config.policy(reference);
}
