import type { Membership, NodeMember } from '../membership/membership.ts';
import type { FabricNetworkPlan, OrdererPlan, OrganisationPlan } from '../options.ts';
import { coreConfig } from './core-config.ts';
import { ordererConfig } from './orderer-config.ts';
import type { NodePaths, NodePortNumbers } from './runner.ts';

const LISTEN_HOST = '127.0.0.1';

/** A node with its place in the network; its configuration depends on what the runner shows it. */
export interface PlannedNode {
  readonly member: NodeMember;
  readonly ports: NodePortNumbers;
  /** Name of the configuration file in the node's folder. */
  readonly configFile: 'core.yaml' | 'orderer.yaml';
  config(paths: NodePaths, fabricVersion: string): object;
}

/** How nodes are reached, by each other. */
export type Addressing = Pick<FabricNetworkPlan, 'advertise' | 'listenHost'>;

/** Host that other nodes reach a node at. */
export function hostOf({ advertise }: Addressing, { hostName }: Pick<NodeMember, 'hostName'>): string {
  return advertise === 'host-name' ? hostName : 'localhost';
}

/** The peers of an organisation: the first begins gossip with itself, the others with it. */
export function plannedPeers(addressing: Addressing, membership: Membership, plan: OrganisationPlan): PlannedNode[] {
  const nodes = zip(membership.peers, plan.peers);
  const addressOf = ([member, peer]: (typeof nodes)[number]) => `${hostOf(addressing, member)}:${peer.port}`;
  return nodes.map((node, _index, [leader = node]) => {
    const [member, peer] = node;
    const { port, chaincodePort, operationsPort } = peer;
    return {
      member,
      ports: { port, chaincodePort, operationsPort },
      configFile: 'core.yaml',
      config: (paths, fabricVersion) =>
        coreConfig({
          mspId: member.mspId,
          hostName: member.hostName,
          peer,
          address: addressOf(node),
          bootstrap: addressOf(leader),
          paths,
          listenHost: addressing.listenHost ?? LISTEN_HOST,
          fabricVersion,
        }),
    };
  });
}

/** One orderer. */
export function plannedOrderer(plan: FabricNetworkPlan, member: NodeMember, orderer: OrdererPlan): PlannedNode {
  const { port, adminPort, operationsPort } = orderer;
  return {
    member,
    ports: { port, adminPort, operationsPort },
    configFile: 'orderer.yaml',
    config: ({ dataDir }) =>
      ordererConfig({
        mspId: member.mspId,
        orderer,
        ordering: plan.ordering.type,
        dataDir,
        listenHost: plan.listenHost ?? LISTEN_HOST,
      }),
  };
}

/** Pairs of two lists of the same length. */
export function zip<A, B>(left: readonly A[], right: readonly B[]): [A, B][] {
  return left.flatMap((item, index) => {
    const other = right[index];
    return other === undefined ? [] : [[item, other] satisfies [A, B]];
  });
}
