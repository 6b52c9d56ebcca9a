import { join } from 'node:path';
import { WaymarkError } from '@waymark/protocol';
import { addressOf, connectTo, gatewayOver, joinPeer, type ConnectedPeer } from '../channel/connected-peer.ts';
import type { LifecycleOrganisation } from '../chaincode/lifecycle.ts';
import type { Membership } from '../membership/membership.ts';
import { plannedPeers, zip, type Addressing, type PlannedNode } from '../nodes/planned-nodes.ts';
import type { OrganisationPlan } from '../options.ts';
import type { FabricOrganisation } from './network.ts';

/** An organisation with its peers, and connections to them once they run. */
export interface RunningOrganisation {
  readonly description: FabricOrganisation;
  readonly nodes: readonly PlannedNode[];
  readonly peers: readonly [ConnectedPeer, ...ConnectedPeer[]];
  /** Joins the peers that have not joined. */
  join(channel: string, configBlock: Uint8Array): Promise<void>;
  /** Work with the chaincode lifecycle as the organisation's admin. */
  withGateway<T>(work: (organisation: LifecycleOrganisation) => Promise<T>): Promise<T>;
  close(): void;
}

export function runningOrganisation(
  addressing: Addressing,
  membership: Membership,
  plan: OrganisationPlan,
): RunningOrganisation {
  const { mspId, domain, dir, admin, user } = membership;
  const addresses = zip(membership.peers, plan.peers).map(([node, { port }]) => addressOf(node, port));
  const [leader, ...others] = addresses.map((node): ConnectedPeer => ({ node, client: connectTo(node), admin }));
  if (leader === undefined) throw new WaymarkError('configuration-invalid', `${mspId} has no peer`);
  const peers: RunningOrganisation['peers'] = [leader, ...others];
  const gateway = leader.node;
  return {
    description: { mspId, domain, mspDir: join(dir, 'msp'), peers: addresses, gateway, admin, user, membership },
    nodes: plannedPeers(addressing, membership, plan),
    peers,
    join: async (channel, configBlock) => {
      await Promise.all(peers.map((peer) => joinPeer(peer, channel, configBlock)));
    },
    withGateway: async (work) => {
      const connected = gatewayOver(leader.client, admin);
      try {
        return await work({ mspId, peers, gateway: connected });
      } finally {
        connected.close();
      }
    },
    close: () => {
      for (const { client } of peers) client.close();
    },
  };
}
