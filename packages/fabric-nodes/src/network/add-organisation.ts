import { addOrganisation as additionOf, type ConfigChange } from '@waymark/devnet/fabric';
import { WaymarkError } from '@waymark/protocol';
import type { ChannelDescription } from '../channel/configuration.ts';
import { organisationDefinition } from '../channel/genesis.ts';
import { untilPeersHave } from '../channel/peers-have.ts';
import { committedDefinitions } from '../chaincode/definition.ts';
import { approve, install } from '../chaincode/lifecycle.ts';
import type { Member } from '../membership/membership.ts';
import { openOrganisation } from '../membership/memberships.ts';
import { hostOf, type PlannedNode } from '../nodes/planned-nodes.ts';
import type { FabricNetworkPlan, NewOrganisationPlan, OnInstalled } from '../options.ts';
import { checkPlan } from '../ordering/check-plan.ts';
import { rememberOrganisation } from './added-organisations.ts';
import { runningOrganisation, type RunningOrganisation } from './running-organisation.ts';

/** What of a running network an addition needs. */
export interface GrowingNetwork {
  readonly plan: FabricNetworkPlan;
  readonly genesis: Uint8Array;
  /** Gets the new organisation. */
  readonly organisations: RunningOrganisation[];
  startNodes(nodes: readonly PlannedNode[]): Promise<void>;
  updateConfig(change: ConfigChange, signers: readonly Member[]): Promise<ChannelDescription>;
}

/**
 * Lets another organisation take part in a running channel. Each step leaves alone what was done before, so that it can be repeated
 * after a failure anywhere: certificates; the configuration, signed by a majority of the members' admins, with the anchor peer;
 * from then on the organisation is remembered; peers, joined from the first block and waited for until they have caught up;
 * chaincode. A committed definition stays: approved with its package under the same sequence, the organisation may endorse at once, and
 * a policy that refers to the channel's counts it from the configuration block on. Only a policy that names organisations needs a
 * definition with the next sequence to name the new one.
 *
 * @returns package id by name of the chaincode
 * @throws WaymarkError `configuration-invalid` for a plan that does not fit, `conflict` when the organisation is there with other peers,
 *   `unsupported` for one that only orders, and what `updateConfig` and the chaincode lifecycle throw
 */
export async function addOrganisation(
  network: GrowingNetwork,
  added: NewOrganisationPlan,
  onInstalled: OnInstalled = () => Promise.resolve(),
): Promise<Readonly<Record<string, string>>> {
  const { plan, genesis, organisations } = network;
  const { mspId, domain, peers } = added;
  const known = organisations.find(({ description }) => description.mspId === mspId);
  const others = organisations.filter((organisation) => organisation !== known);
  const otherPlans = plan.organisations.filter((organisation) => organisation.mspId !== mspId);
  checkPlan({ ...plan, organisations: [...otherPlans, { mspId, domain, peers }] });
  if (known === undefined && plan.ordering.organisations.some((organisation) => organisation.mspId === mspId)) {
    throw new WaymarkError(
      'unsupported',
      `${mspId} orders already: peers for it have to be planned from the beginning`,
    );
  }
  const running = known ?? runningOrganisation(plan, await openOrganisation(plan.dataDir, added), added);
  const { membership } = running.description;
  if (membership.peers.map(({ name }) => name).join() !== peers.map(({ name }) => name).join()) {
    throw new WaymarkError('conflict', `${mspId} is on the channel with other peers`, { details: { mspId } });
  }
  try {
    const { blockNumber } = await network.updateConfig(
      memberWith(added, membership, hostOf(plan, running.description.gateway)),
      majorityOf(others).map(({ description }) => description.admin),
    );
    await rememberOrganisation(plan.dataDir, added);
    await network.startNodes(running.nodes);
    await running.join(plan.channel, genesis);
    await untilPeersHave(running.peers, plan.channel, blockNumber);
  } catch (error) {
    if (known === undefined) running.close();
    throw error;
  }
  if (known === undefined) organisations.push(running);
  return running.withGateway(async (organisation) => {
    const definitions = (await committedDefinitions(running.peers[0], plan.channel)).filter(
      ({ name }) => added.chaincodes?.[name] !== undefined,
    );
    const ids: Record<string, string> = {};
    for (const definition of definitions) {
      ids[definition.name] = await install(organisation, definition, added.chaincodes?.[definition.name] ?? '');
    }
    await onInstalled(ids);
    for (const definition of definitions) await approve(plan.channel, organisation, definition, ids[definition.name]);
    return ids;
  });
}

/** The members without whom the channel's `Admins` policy, a majority of them, is not satisfied. */
function majorityOf(members: readonly RunningOrganisation[]): readonly RunningOrganisation[] {
  return members.slice(0, Math.floor(members.length / 2) + 1);
}

function memberWith(
  { mspId, peers }: NewOrganisationPlan,
  membership: Parameters<typeof organisationDefinition>[0],
  host: string,
): ConfigChange {
  const addition = additionOf({
    ...organisationDefinition(membership),
    anchorPeers: peers.slice(0, 1).map(({ port }) => ({ host, port })),
  });
  return (config) => {
    const application = config.getChannelGroup()?.getGroupsMap().get('Application');
    if (application?.getGroupsMap().has(mspId) !== true) addition(config);
  };
}
