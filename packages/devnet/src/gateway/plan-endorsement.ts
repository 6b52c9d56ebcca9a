import type { peer } from '@hyperledger/fabric-protos';
import { messageOf } from '../errors.ts';
import type { EndorsementDescriptor } from '../inquire/index.ts';
import { describeInterest } from './endorsement-descriptor.ts';
import { EndorsementPlan } from './endorsement-plan.ts';
import type { GatewayChannel, GatewayEndorser } from './gateway-context.ts';

/** Peers that have the chaincode, by organisation; the most advanced first, the gateway's own first among equals. */
export function endorsersByOrganisation(channel: GatewayChannel, chaincode: string): Map<string, GatewayEndorser[]> {
  const result = new Map<string, GatewayEndorser[]>();
  for (const endorser of channel.endorsers()) {
    if (!endorser.hasChaincode(chaincode)) continue;
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
 * Peers that together satisfy all policies that a transaction touches; layouts with a group of the preferred peer first
 * (Fabric: internal/pkg/gateway/registry.go, endorsementPlan). Throws a plain Error with Fabric's text when there are none.
 */
export async function planForInterest(
  channel: GatewayChannel,
  channelId: string,
  interest: peer.ChaincodeInterest,
  preferred: GatewayEndorser | undefined,
): Promise<EndorsementPlan> {
  let descriptor: EndorsementDescriptor<GatewayEndorser>;
  try {
    descriptor = await describeInterest(channel, channelId, interest);
  } catch (cause) {
    throw new Error(
      `no combination of peers can be derived which satisfy the endorsement policy: ${messageOf(cause)}`,
      { cause },
    );
  }
  // In which of its groups a peer counts is, as in Fabric, anybody's guess.
  const groups = shuffled([...descriptor.endorsersByGroup]).map(
    ([group, endorsers]) => [group, [...endorsers].sort(mostAdvancedFirst)] as const,
  );
  const preferredGroup = groups.findLast(([, endorsers]) => endorsers.some((endorser) => endorser === preferred))?.[0];
  const layouts = shuffled(descriptor.layouts);
  const isPreferred = (layout: ReadonlyMap<string, number>) =>
    preferredGroup !== undefined && layout.has(preferredGroup);
  const ordered = [...layouts.filter(isPreferred), ...layouts.filter((layout) => !isPreferred(layout))];
  return new EndorsementPlan(ordered, new Map(groups));
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
