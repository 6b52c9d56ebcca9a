import type { RunningProcess } from '../processes.ts';
import type { TopologyOrganisation } from '../topology.ts';
import { chaincodeProcessName, startListeningChaincode } from './chaincode.ts';
import type { ChannelPlan } from './channel.ts';

/** The chaincode's servers: one for each organisation, and during an upgrade one for each definition. */
export interface RunningChaincodes {
  readonly running: readonly RunningProcess[];
  /** Starts those that a plan has and that do not run yet. */
  start(plan: ChannelPlan): Promise<void>;
  /** Starts a server again that has ended; false when it is none of these. */
  restart(name: string): Promise<boolean>;
  /** Ends those of other definitions than the plan's. */
  retireOthers(plan: ChannelPlan): Promise<void>;
  stop(): Promise<void>;
}

/**
 * @param packageIdOf what an organisation's peers expect its server to register as
 */
export function openChaincodes(
  packageIdOf: (plan: ChannelPlan, organisation: TopologyOrganisation) => Promise<string> | string,
): RunningChaincodes {
  const servers = new Map<string, { process: RunningProcess; readonly begin: () => Promise<RunningProcess> }>();
  return {
    get running() {
      return [...servers.values()].map(({ process }) => process);
    },
    start: async (plan) => {
      const { topology, hosting, ports } = plan;
      const settled = await Promise.allSettled(
        topology.organisations.map(async (organisation) => {
          const name = chaincodeProcessName(topology.chaincode.sequence, organisation);
          if (servers.has(name)) return;
          const packageId = await packageIdOf(plan, organisation);
          const begin = (): Promise<RunningProcess> =>
            startListeningChaincode(hosting, topology, organisation, ports, packageId);
          servers.set(name, { process: await begin(), begin });
        }),
      );
      // All have started or failed by now: what runs is in the list, for its owner to stop.
      const failure = settled.find((result) => result.status === 'rejected');
      if (failure !== undefined) throw failure.reason;
    },
    restart: async (name) => {
      const server = servers.get(name);
      if (server === undefined) return false;
      server.process = await server.begin();
      return true;
    },
    retireOthers: async ({ topology }) => {
      const kept = new Set(
        topology.organisations.map((organisation) => chaincodeProcessName(topology.chaincode.sequence, organisation)),
      );
      for (const [name, { process }] of servers) {
        if (kept.has(name)) continue;
        servers.delete(name);
        await process.stop();
      }
    },
    stop: async () => {
      await Promise.all([...servers.values()].map(({ process }) => process.stop()));
    },
  };
}
