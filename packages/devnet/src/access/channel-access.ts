import type { ChannelConfig } from '../config/channel-config.ts';
import { validSigners, type SignedData } from '../policy/policy.ts';

/** What a caller may be allowed to do, and the policy that decides when the channel has no ACL for it. */
const DEFAULT_POLICIES = {
  'peer/Propose': '/Channel/Application/Writers',
  'peer/ChaincodeToChaincode': '/Channel/Application/Writers',
  'event/Block': '/Channel/Application/Readers',
  'event/FilteredBlock': '/Channel/Application/Readers',
  'gateway/CommitStatus': '/Channel/Application/Readers',
  'gateway/ChaincodeEvents': '/Channel/Application/Readers',
  'qscc/GetChainInfo': '/Channel/Application/Readers',
  'qscc/GetBlockByNumber': '/Channel/Application/Readers',
  'qscc/GetBlockByHash': '/Channel/Application/Readers',
  'qscc/GetTransactionByID': '/Channel/Application/Readers',
  'qscc/GetBlockByTxID': '/Channel/Application/Readers',
  'cscc/GetConfigBlock': '/Channel/Application/Readers',
  'cscc/GetChannelConfig': '/Channel/Application/Readers',
  '_lifecycle/QueryChaincodeDefinition': '/Channel/Application/Writers',
  '_lifecycle/QueryChaincodeDefinitions': '/Channel/Application/Writers',
  '_lifecycle/CheckCommitReadiness': '/Channel/Application/Writers',
} as const;

export type Resource = keyof typeof DEFAULT_POLICIES;

/**
 * Throws a plain Error with Fabric's text when the signer may not use the resource (Fabric: core/aclmgmt,
 * core/policy/policy.go).
 */
export function checkAccess(config: ChannelConfig, resource: Resource, signed: SignedData): void {
  const path = config.acls.get(resource) ?? DEFAULT_POLICIES[resource];
  const policy = config.policy(path);
  const signers = validSigners([signed], config.msps);
  if (policy.evaluate(signers)) return;
  throw new Error(
    `Failed evaluating policy on signed data during check policy on channel [${config.channelId}] with policy [${path}]: [${policy.whyNot(signers)}]`,
  );
}

/** Fabric's text for a channel that the peer does not know, in requests that are signed data and no proposal. */
export function unknownChannel(channelId: string): Error {
  if (channelId === '') {
    return new Error('Invalid channel ID name during check policy on signed data. Name must be different from nil.');
  }
  return new Error(`Failed to get policy manager for channel [${channelId}]`);
}
