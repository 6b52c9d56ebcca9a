import { addOrganisation } from '../config/config-changes.ts';
import type { ApplicationOrganisation } from '../config/genesis.ts';
import { DevnetError } from '../errors.ts';
import { buildMspConfig } from '../msp/fabric-msp-config.ts';
import { createSigningIdentity, type SigningIdentity } from '../msp/index.ts';
import type { Membership, Memberships } from './membership.ts';
import type { OrdererSlot } from './orderer-slot.ts';
import type { Topology, TopologyOrganisation } from './topology.ts';

/** An organisation as the channel's configuration describes it; its first peer is its anchor. */
export function applicationOrganisationOf(
  { mspId, peers }: TopologyOrganisation,
  membership: Membership | undefined,
  host: string,
): ApplicationOrganisation {
  return {
    mspId,
    mspConfig: mspConfigOf(membership),
    anchorPeers: peers.slice(0, 1).map(({ port }) => ({ host, port })),
  };
}

export function mspConfigOf(membership: Membership | undefined): ApplicationOrganisation['mspConfig'] {
  if (membership === undefined) throw new DevnetError('MSP_INVALID', 'an organisation has no CA');
  return buildMspConfig({
    mspId: membership.mspId,
    rootCertsPem: [membership.ca.rootCertPem],
    tlsRootCertsPem: [membership.ca.tlsRootCertPem],
  });
}

/**
 * Lets organisations into the channel that the network has and the channel's configuration does not: one update for each,
 * signed by the admins of a majority of those that are in it. Gives the height that peers must reach to know of them all.
 */
export async function admitOrganisations(
  { organisations, host }: Topology,
  memberships: Memberships,
  orderer: OrdererSlot,
): Promise<bigint> {
  for (const [index, organisation] of organisations.entries()) {
    const members = membersOf(orderer);
    if (members.includes(organisation.mspId)) continue;
    const change = addOrganisation(applicationOrganisationOf(organisation, memberships.organisations[index], host));
    await orderer.updateConfig(change, majorityOf(members, memberships));
  }
  return orderer.height;
}

function membersOf(orderer: OrdererSlot): string[] {
  return orderer.channelConfig.applicationOrganisations.map(({ mspId }) => mspId);
}

function majorityOf(members: readonly string[], memberships: Memberships): SigningIdentity[] {
  return memberships.organisations
    .filter(({ mspId }) => members.includes(mspId))
    .slice(0, Math.floor(members.length / 2) + 1)
    .map(({ admin }) => createSigningIdentity(admin));
}
