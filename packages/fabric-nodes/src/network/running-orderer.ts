import type { Client } from '@grpc/grpc-js';
import { addressOf, connectTo, type NodeAddress } from '../channel/connected-peer.ts';
import { participationOf, type Participation } from '../channel/participation.ts';
import type { Memberships } from '../membership/memberships.ts';
import { isHealthy } from '../nodes/health.ts';
import { plannedOrderer, zip, type PlannedNode } from '../nodes/planned-nodes.ts';
import type { FabricNetworkPlan } from '../options.ts';
import { isLeader } from '../ordering/leader.ts';
import type { OrdererState } from './network.ts';

/** An orderer with everything that is asked of it. */
export interface RunningOrderer {
  readonly node: PlannedNode;
  readonly address: NodeAddress;
  readonly participation: Participation;
  readonly client: Client;
  state(): Promise<OrdererState>;
}

/** The orderers of a plan, those of one organisation after those of the other. */
export function runningOrderers(plan: FabricNetworkPlan, { ordering }: Memberships): RunningOrderer[] {
  return zip(ordering, plan.ordering.organisations).flatMap(([membership, organisation]) =>
    zip(membership.orderers, organisation.orderers).map(([member, orderer]): RunningOrderer => {
      const participation = participationOf(member, orderer.adminPort);
      const address = addressOf(member, orderer.port);
      const { hostName, mspId } = member;
      return {
        node: plannedOrderer(plan, member, orderer),
        address,
        participation,
        client: connectTo(address),
        state: async () => {
          if (!(await isHealthy(orderer.operationsPort))) {
            return { hostName, mspId, isServing: false, isLeader: false };
          }
          const [leads, info] = await Promise.all([
            isLeader(plan.ordering.type, orderer.operationsPort, plan.channel),
            participation.info(plan.channel),
          ]);
          return {
            hostName,
            mspId,
            isServing: true,
            isLeader: leads,
            ...(info === undefined ? {} : { height: BigInt(info.height) }),
          };
        },
      };
    }),
  );
}
