import type { peer } from '@hyperledger/fabric-protos';
import { LIFECYCLE_NAMESPACE } from '../lifecycle/chaincode-definition.ts';
import { compileApplicationPolicy } from '../policy/application-policy.ts';
import { compileSignaturePolicy } from '../policy/signature-policy.ts';
import type { Policy } from '../policy/policy.ts';
import { EndorsementPlan, type Layout } from './endorsement-plan.ts';
import type { GatewayChannel, GatewayEndorser } from './gateway-context.ts';
import { findLayouts } from './layouts.ts';

const MAX_CACHED_LAYOUTS = 500;
/** What has to be endorsed of a call of `_lifecycle`. */
const LIFECYCLE_POLICY = '/Channel/Application/LifecycleEndorsement';
/** Whoever asks for discovery brings policies of any size. */
const MAX_CACHED_INTEREST_LENGTH = 16 * 1024;

/** Layouts by channel configuration, definitions, peers and interest: only key policies make an interest unusual. */
const cache = new WeakMap<GatewayChannel, Map<string, readonly Layout[]>>();

/** Peers that have the chaincode, by organisation; the most advanced first, the gateway's own first among equals. */
export function endorsersByOrganisation(
  channel: GatewayChannel,
  ...chaincodes: readonly string[]
): Map<string, GatewayEndorser[]> {
  const result = new Map<string, GatewayEndorser[]>();
  for (const endorser of channel.endorsers()) {
    if (!chaincodes.every((name) => endorser.hasChaincode(name))) continue;
    const group = result.get(endorser.mspId);
    if (group === undefined) result.set(endorser.mspId, [endorser]);
    else group.push(endorser);
  }
  for (const group of result.values()) group.sort(mostAdvancedFirst);
  return result;
}

export function mostAdvancedFirst(a: GatewayEndorser, b: GatewayEndorser): number {
  const difference = b.height() - a.height();
  if (difference !== 0n) return difference > 0n ? 1 : -1;
  return Number(b.isLocal) - Number(a.isLocal);
}

/** One peer of each organisation named. Throws a plain Error when one of them has none. */
export function planForOrganisations(
  channel: GatewayChannel,
  chaincode: string,
  mspIds: readonly string[],
): EndorsementPlan {
  const endorsers = endorsersByOrganisation(channel, chaincode);
  const missing = mspIds.filter((mspId) => !endorsers.has(mspId));
  if (missing.length > 0) throw new Error(`failed to find any endorsing peers for org(s): ${missing.join(', ')}`);
  const layout = new Map(mspIds.map((mspId) => [mspId, 1]));
  return new EndorsementPlan([layout], endorsers);
}

/**
 * Peers that together satisfy all policies that a transaction touches; layouts with the preferred organisation first.
 * Throws a plain Error with Fabric's text when there are none.
 */
export async function planForInterest(
  channel: GatewayChannel,
  channelId: string,
  interest: peer.ChaincodeInterest,
  preferred: GatewayEndorser | undefined,
): Promise<EndorsementPlan> {
  const calls = interest.getChaincodesList();
  const endorsers = endorsersByOrganisation(channel, ...calls.map((call) => call.getName()));
  const layouts = await layoutsFor(channel, channelId, interest, endorsers);
  if (layouts.length === 0) {
    throw new Error(
      'no combination of peers can be derived which satisfy the endorsement policy: no peer combination can satisfy the endorsement policy',
    );
  }
  const isPreferred = (layout: Layout) => preferred !== undefined && layout.has(preferred.mspId);
  const ordered = [...shuffled(layouts.filter(isPreferred)), ...shuffled(layouts.filter((l) => !isPreferred(l)))];
  return new EndorsementPlan(ordered, endorsers);
}

/** The smallest combinations of peers, by organisation, that satisfy all policies that a transaction touches. */
export function layoutsForInterest(
  channel: GatewayChannel,
  channelId: string,
  interest: peer.ChaincodeInterest,
): Promise<readonly Layout[]> {
  const names = interest.getChaincodesList().map((call) => call.getName());
  return layoutsFor(channel, channelId, interest, endorsersByOrganisation(channel, ...names));
}

async function layoutsFor(
  channel: GatewayChannel,
  channelId: string,
  interest: peer.ChaincodeInterest,
  endorsers: ReadonlyMap<string, readonly GatewayEndorser[]>,
): Promise<readonly Layout[]> {
  const { policies, key } = await policiesOf(channel, channelId, interest);
  const peers = [...endorsers].map(([mspId, group]) => `${mspId}×${group.length}`).join();
  const id = `${key}|${peers}|${Buffer.from(interest.serializeBinary()).toString('base64')}`;
  let known = cache.get(channel);
  if (known === undefined) {
    known = new Map<string, readonly Layout[]>();
    cache.set(channel, known);
  }
  let layouts = known.get(id);
  if (layouts === undefined) {
    const identities = new Map([...endorsers].map(([mspId, group]) => [mspId, group.map((e) => e.identity)]));
    layouts = findLayouts(policies, identities);
    if (known.size >= MAX_CACHED_LAYOUTS) known.clear();
    if (id.length <= MAX_CACHED_INTEREST_LENGTH) known.set(id, layouts);
  }
  return layouts;
}

async function policiesOf(
  channel: GatewayChannel,
  channelId: string,
  interest: peer.ChaincodeInterest,
): Promise<{ policies: Policy[]; key: string }> {
  const config = channel.config();
  const policies: Policy[] = [];
  const sequences: string[] = [];
  const snapshot = await channel.ledger.snapshot();
  try {
    for (const call of interest.getChaincodesList()) {
      if (call.getName() === LIFECYCLE_NAMESPACE) {
        policies.push(config.policy(LIFECYCLE_POLICY));
        continue;
      }
      const definition = await channel.readDefinition(snapshot, call.getName());
      if (definition === undefined) {
        throw new Error(
          `no combination of peers can be derived which satisfy the endorsement policy: No metadata was found for chaincode ${call.getName()} in channel ${channelId}`,
        );
      }
      sequences.push(`${definition.name}:${definition.sequence}`);
      policies.push(...call.getKeyPoliciesList().map(compileSignaturePolicy));
      if (!call.getDisregardNamespacePolicy()) {
        policies.push(compileApplicationPolicy(definition.endorsementPolicy, (path) => config.policy(path)));
      }
    }
  } finally {
    snapshot.release();
  }
  return { policies, key: `${config.sequence}|${sequences.join()}` };
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
