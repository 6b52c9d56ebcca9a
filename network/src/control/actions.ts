import { isDeepStrictEqual } from 'node:util';
import { WaymarkError } from '@waymark/protocol';
import { z } from 'zod';
import type { Consortium } from '../consortium.ts';
import { readStatus } from '../status/status.ts';
import type { ControlActions } from './control-server.ts';
import { chaincodeVersion, type TopologyOrganisation, withOrganisation } from '../topology.ts';
import type { Keeper } from './keeper.ts';
import { readNetworkFolder, writeTopology } from './network-folder.ts';

const described = z.strictObject({ organisation: z.looseObject({ mspId: z.string() }) });
const named = z.strictObject({ name: z.string().min(1).max(256) });

/** What a supervisor looks after. */
export interface Supervised {
  readonly consortium: Consortium;
  readonly keeper: Keeper;
  readonly dataDir: string;
  /** Told of every step of what the consortium does. */
  readonly listeners: Set<(step: string) => void>;
}

/** What a supervisor does when it is told to. */
export function actionsOf({ consortium, keeper, dataDir, listeners }: Supervised): ControlActions {
  const told = async <T>(say: (step: string) => void, act: () => Promise<T>): Promise<T> => {
    listeners.add(say);
    try {
      return await keeper.during(act);
    } finally {
      listeners.delete(say);
    }
  };
  return {
    status: () => readStatus(consortium, keeper.away),
    processes: () => Promise.resolve(consortium.processes().map(({ name, pid }) => ({ name, pid }))),
    describe: async () => ({ blockBytes: await consortium.channel.blockBytes(), services: servicesOf(consortium) }),
    'add-organisation': async (argument, say) => {
      const { organisation } = parsed(described, argument);
      // Checked as a part of the topology, whoever sent it.
      const next = withOrganisation(consortium.topology, organisation as unknown as TopologyOrganisation);
      const added = next.organisations.find(({ mspId }) => mspId === organisation.mspId);
      if (added === undefined) throw new WaymarkError('input-invalid', 'there is no organisation');
      // What is written down was completed: an addition that was cut short can be repeated.
      const settled = (await readNetworkFolder(dataDir))?.topology.organisations;
      const before = settled?.find(({ mspId }) => mspId === added.mspId);
      if (isDeepStrictEqual(before, added)) return { mspId: added.mspId, changed: false };
      if (before !== undefined)
        throw new WaymarkError('input-invalid', `${added.mspId} takes part already, and is described otherwise`);
      await told(say, () => consortium.addOrganisation(added));
      await writeTopology(dataDir, consortium.topology);
      return { mspId: added.mspId, changed: true };
    },
    deploy: async (argument, say) => {
      const { version } = parsed(z.strictObject({ version: chaincodeVersion.optional() }), argument);
      const before = consortium.topology.chaincode;
      if (version !== undefined) await told(say, () => consortium.upgradeChaincode(version));
      await writeTopology(dataDir, consortium.topology);
      const now = consortium.topology.chaincode;
      return { ...now, changed: now.sequence !== before.sequence };
    },
    halt: (argument) => keeper.halt(parsed(named, argument).name),
    resume: (argument) => keeper.resume(parsed(named, argument).name),
    'resume-all': () => keeper.resumeAll(),
  };
}

function parsed<T>(schema: z.ZodType<T>, argument: unknown): T {
  const result = schema.safeParse(argument);
  if (result.success) return result.data;
  throw new WaymarkError('input-invalid', result.error.issues[0]?.message ?? 'wrong argument');
}

/** How the services are reached. */
export interface DescribedService {
  readonly mspId: string;
  readonly name: string;
  readonly node: string;
  readonly operationsUrl: string;
}

function servicesOf({ services }: Consortium): DescribedService[] {
  return services.map(({ organisation, node, process, operationsUrl }) => ({
    mspId: organisation.mspId,
    name: process.name,
    node,
    operationsUrl,
  }));
}
