import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { WaymarkError } from '@waymark/protocol';
import { peersOf } from './channel/channel.ts';
import { type Layout, type PortPlan, serviceName, servicesOf } from './layout.ts';
import { ordererHostNames } from './ordering.ts';
import { freePorts } from './ports.ts';
import type { Runtime } from './runtime.ts';
import type { Topology } from './topology.ts';
import { writeWhole } from './write-whole.ts';

/** What of a node's listeners needs a port of its own. */
const fabricPorts = ['port', 'operationsPort', 'adminPort', 'chaincodePort'] as const;
const servicePorts = ['grpcPort', 'apiPort', 'operationsPort'] as const;
const contentPorts = ['swarmPort', 'apiPort'] as const;

/**
 * The ports of everything in a topology: what was planned before stays, what is new gets free ones.
 *
 * @throws WaymarkError `configuration-invalid` when the folder was made with another runtime
 */
export async function planPorts(topology: Topology, layout: Layout, runtime: Runtime): Promise<PortPlan> {
  const stored = await readPortPlan(layout);
  if (stored !== undefined && (stored.runtime ?? 'embedded') !== runtime) {
    throw new WaymarkError(
      'configuration-invalid',
      `${layout.root} was made with the runtime ${stored.runtime ?? 'embedded'}, not ${runtime}`,
    );
  }
  // The first pass counts what is missing, the second one hands it out.
  let missing = 0;
  fillIn(topology, runtime, stored, () => (missing += 1));
  if (missing === 0 && stored !== undefined) return stored;
  const free = await freePorts(missing, promisedIn(stored));
  const plan = fillIn(topology, runtime, stored, () => free.pop() ?? 0);
  await writeWhole(layout.portsFile, `${JSON.stringify(plan, null, 2)}\n`);
  return plan;
}

/** The ports that were planned for a folder; undefined when none were. */
export async function readPortPlan(layout: Layout): Promise<PortPlan | undefined> {
  if (!existsSync(layout.portsFile)) return undefined;
  return JSON.parse(await readFile(layout.portsFile, 'utf8')) as PortPlan;
}

/** Each definition of the chaincode has servers of its own, so that the old one serves until the channel has taken the new one. */
export function chaincodeKey(sequence: number, mspId: string): string {
  return sequence === 1 ? mspId : `${mspId}/${sequence}`;
}

/** All numbers of a plan. */
function promisedIn(plan: object | undefined): ReadonlySet<number> {
  const numbersIn = (value: unknown): number[] => {
    if (typeof value === 'number') return [value];
    return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
  };
  return new Set(numbersIn(plan));
}

function fillIn(topology: Topology, runtime: Runtime, stored: PortPlan | undefined, next: () => number): PortPlan {
  const { organisations } = topology;
  const peers = organisations.flatMap((organisation) =>
    peersOf(organisation).map((peer) => `${peer}.${organisation.domain}`),
  );
  const each = <Ports>(
    names: readonly string[],
    known: Readonly<Record<string, Ports>> | undefined,
    make: () => Ports,
  ): Record<string, Ports> => ({
    ...known,
    ...Object.fromEntries(names.map((name) => [name, known?.[name] ?? make()])),
  });
  const some = <Name extends string>(names: readonly Name[]) =>
    Object.fromEntries(names.map((name) => [name, next()])) as Record<Name, number>;
  const mspIds = organisations.map(({ mspId }) => mspId);
  return {
    runtime,
    ...(runtime === 'embedded'
      ? { devnet: each(['orderer', ...peers], stored?.devnet, next) }
      : {
          fabric: each([...ordererHostNames(topology), ...peers], stored?.fabric, () => some(fabricPorts)),
          content: each(mspIds, stored?.content, () => some(contentPorts)),
        }),
    chaincodes: each(
      mspIds.map((mspId) => chaincodeKey(topology.chaincode.sequence, mspId)),
      stored?.chaincodes,
      next,
    ),
    services: each(
      servicesOf(topology).map(({ organisation, node }) => serviceName(organisation, node)),
      stored?.services,
      () => some(servicePorts),
    ),
  };
}
