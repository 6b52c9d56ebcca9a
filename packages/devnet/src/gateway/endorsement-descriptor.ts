import type { common, msp, peer } from '@hyperledger/fabric-protos';
import type { ChannelConfig } from '../config/channel-config.ts';
import {
  describeEndorsement,
  principalSetsOfInterest,
  type EndorsementDescriptor,
  type InquiredCall,
} from '../inquire/index.ts';
import type { StateSnapshot } from '../ledger/ledger.ts';
import { LIFECYCLE_NAMESPACE } from '../lifecycle/chaincode-definition.ts';
import { compilePrincipal, type PrincipalMatcher } from '../msp/principal.ts';
import type { GatewayChannel, GatewayEndorser } from './gateway-context.ts';

const MAX_CACHED_DESCRIPTORS = 500;
/** What has to be endorsed of a call of `_lifecycle`. */
const LIFECYCLE_POLICY = '/Channel/Application/LifecycleEndorsement';
/** Whoever asks for discovery brings policies of any size. */
const MAX_CACHED_INTEREST_LENGTH = 16 * 1024;

/** By channel configuration, definitions, peers and interest: only key policies make an interest unusual. Peers by address. */
const cache = new WeakMap<GatewayChannel, Map<string, EndorsementDescriptor<string>>>();

/**
 * Which peers together satisfy all policies that a transaction touches, for the gateway's plans and for clients of
 * discovery. Throws a plain Error with Fabric's text when none do.
 */
export async function describeInterest(
  channel: GatewayChannel,
  channelId: string,
  interest: peer.ChaincodeInterest,
): Promise<EndorsementDescriptor<GatewayEndorser>> {
  const config = channel.config();
  const calls = interest.getChaincodesList();
  const names = calls.map((call) => call.getName());
  const hasChaincodes = (endorser: GatewayEndorser) => names.every((name) => endorser.hasChaincode(name));
  const policies = await policiesOf(channel, channelId, names);
  const endorsers = new Map(channel.endorsers().map((endorser) => [endorser.address, endorser]));
  const peersId = [...endorsers].map(([address, endorser]) => `${address} ${hasChaincodes(endorser)}`).join();
  const versions = policies.map(({ version }) => version).join();
  const id = `${config.sequence}|${versions}|${peersId}|${Buffer.from(interest.serializeBinary()).toString('base64')}`;
  const known = cache.get(channel) ?? new Map<string, EndorsementDescriptor<string>>();
  cache.set(channel, known);
  let descriptor = known.get(id);
  if (descriptor === undefined) {
    const inquired = calls.map((call, index) => toInquired(call, policies[index]?.policy()));
    const described = describeEndorsement(principalSetsOfInterest(inquired), {
      peers: [...endorsers.values()],
      satisfies: principalEvaluator(config),
      hasChaincodes,
    });
    descriptor = mapEndorsers(described, ({ address }) => address);
    if (known.size >= MAX_CACHED_DESCRIPTORS) known.clear();
    if (id.length <= MAX_CACHED_INTEREST_LENGTH) known.set(id, descriptor);
  }
  return mapEndorsers(descriptor, (address) => endorsers.get(address));
}

function toInquired(call: peer.ChaincodeCall, policy: common.SignaturePolicyEnvelope | undefined): InquiredCall {
  return {
    name: call.getName(),
    policy,
    keyPolicies: call.getKeyPoliciesList(),
    disregardNamespacePolicy: call.getDisregardNamespacePolicy(),
  };
}

interface NamespacePolicy {
  /** Changes with the policy, as long as the configuration stays. */
  readonly version: string;
  policy(): common.SignaturePolicyEnvelope | undefined;
}

async function policiesOf(
  channel: GatewayChannel,
  channelId: string,
  names: readonly string[],
): Promise<NamespacePolicy[]> {
  const snapshot = await channel.ledger.snapshot();
  try {
    return await Promise.all(names.map((name) => policyOf(channel, channelId, snapshot, name)));
  } finally {
    snapshot.release();
  }
}

/** A chaincode whose policy nobody can look into is, to Fabric, one that nobody knows. */
async function policyOf(
  channel: GatewayChannel,
  channelId: string,
  snapshot: StateSnapshot,
  name: string,
): Promise<NamespacePolicy> {
  const config = channel.config();
  const unknown = () => new Error(`No metadata was found for chaincode ${name} in channel ${channelId}`);
  const referred = (path: string) => () => {
    const policy = config.findPolicy(path)?.toSignaturePolicy?.();
    if (policy === undefined) throw unknown();
    return policy;
  };
  if (name === LIFECYCLE_NAMESPACE) return { version: name, policy: referred(LIFECYCLE_POLICY) };
  const definition = await channel.readDefinition(snapshot, name);
  if (definition === undefined) throw unknown();
  const own = definition.endorsementPolicy.getSignaturePolicy();
  return {
    version: `${name}:${definition.sequence}`,
    policy: own === undefined ? referred(definition.endorsementPolicy.getChannelConfigPolicyReference()) : () => own,
  };
}

/** Peers are judged by the channel's configuration of now; nobody satisfies a principal that cannot be read. */
function principalEvaluator(config: ChannelConfig): (peer: GatewayEndorser, principal: msp.MSPPrincipal) => boolean {
  const matchers = new Map<msp.MSPPrincipal, PrincipalMatcher>();
  return (endorser, principal) => {
    try {
      const matches = matchers.get(principal) ?? compilePrincipal(principal);
      matchers.set(principal, matches);
      return matches(config.msps.deserialize(endorser.identity.serialized));
    } catch {
      return false;
    }
  };
}

function mapEndorsers<P, Q>(
  { layouts, endorsersByGroup }: EndorsementDescriptor<P>,
  map: (peer: P) => Q | undefined,
): EndorsementDescriptor<Q> {
  const mapped = [...endorsersByGroup].map(
    ([group, peers]) => [group, peers.map(map).filter((peer) => peer !== undefined)] as const,
  );
  return { layouts, endorsersByGroup: new Map(mapped) };
}
