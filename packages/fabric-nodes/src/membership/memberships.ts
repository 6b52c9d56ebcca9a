import { join } from 'node:path';
import type { OrganisationPlan, OrderingOrganisationPlan } from '../options.ts';
import { openMembership, type Membership } from './membership.ts';

/** All organisations of a network: those with peers, and those that order; one that does both has one membership. */
export interface Memberships {
  /** In the order of the plan. */
  readonly organisations: readonly Membership[];
  readonly ordering: readonly Membership[];
}

/** Opens the folders of all organisations, in the layout of cryptogen, and makes what is not there yet. */
export async function openMemberships(
  dataDir: string,
  organisations: readonly OrganisationPlan[],
  ordering: readonly OrderingOrganisationPlan[],
): Promise<Memberships> {
  const memberships = new Map<string, Membership>();
  const withPeers = await Promise.all(
    organisations.map((organisation) =>
      openOrganisation(
        dataDir,
        organisation,
        ordering.find(({ mspId }) => mspId === organisation.mspId),
      ),
    ),
  );
  for (const membership of withPeers) memberships.set(membership.mspId, membership);
  return {
    organisations: withPeers,
    ordering: await Promise.all(
      ordering.map(async (organisation) => {
        const { mspId, domain, orderers } = organisation;
        return (
          memberships.get(mspId) ??
          openMembership({
            dir: join(dataDir, 'ordererOrganizations', domain),
            mspId,
            domain,
            peers: [],
            orderers: orderers.map(({ name }) => name),
          })
        );
      }),
    ),
  };
}

/** One organisation with peers, and its orderers when it has some. */
export function openOrganisation(
  dataDir: string,
  { mspId, domain, peers }: OrganisationPlan,
  ordering?: OrderingOrganisationPlan,
): Promise<Membership> {
  return openMembership({
    dir: join(dataDir, 'peerOrganizations', domain),
    mspId,
    domain,
    peers: peers.map(({ name }) => name),
    orderers: (ordering?.orderers ?? []).map(({ name }) => name),
  });
}
