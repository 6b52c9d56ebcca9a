import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import {
  beginNetworkFolder,
  callControl,
  checkTopology,
  containersOf,
  type ControlPlace,
  endOrphans,
  type Layout,
  layoutOf,
  type NetworkFolder,
  type NetworkStatus,
  ordererCount,
  readControlPlace,
  readNetworkFolder,
  readTopology,
  removeNetworkFolder,
  requireRuntime,
  type Topology,
} from '@waymark/network';
import { WaymarkError } from '@waymark/protocol';
import { parse } from 'yaml';
import { ensureChaincodeBuilt } from '../build-chaincode.ts';
import type { NetworkArguments, Verb } from './arguments.ts';
import { bestRuntime } from './best-runtime.ts';
import { demo } from './demo.ts';
import { drill } from './drills.ts';
import { showLogs } from './logs.ts';
import { statusText } from './status-text.ts';
import { startSupervisor } from './supervise.ts';

const readyWithinMs = 30_000;
const pollMs = 500;

type Say = (text: string) => void;
type Run = (options: NetworkArguments, say: Say) => Promise<number>;

/** Does what was asked for. Gives the exit code. */
export function runVerb(options: NetworkArguments, say: Say): Promise<number> {
  return verbs[options.verb](options, say);
}

const verbs: Readonly<Record<Verb, Run>> = {
  up: async (options, say) => {
    const folder = (await readNetworkFolder(options.dataDir)) ?? (await begin(options, say));
    requireSame(options, folder);
    await requireSameTopology(options, folder);
    const layout = layoutOf(options.dataDir, folder.runtime);
    const place = await readControlPlace(layout);
    if (place !== undefined) {
      // A drill that was interrupted leaves something away.
      for (const name of (await callControl(place, 'resume-all', undefined)) as string[]) say(`${name} is back`);
      say('the network is up already');
    } else {
      const chaincodeFolder = await ensureChaincodeBuilt();
      await startSupervisor(options.dataDir, layout.run, chaincodeFolder, say);
      say('the network is up');
    }
    const now = await running(options);
    await untilReady(now);
    return showStatus(options, now);
  },
  deploy: async (options, say) => {
    const { place } = await running(options);
    await ensureChaincodeBuilt();
    print(
      options,
      await callControl(place, 'deploy', { version: options.version }, say),
      (done) =>
        `${done['changed'] === true ? 'the channel now runs' : 'nothing to do: the channel runs'} ${String(done['name'])} ${String(done['version'])} (sequence ${String(done['sequence'])})`,
    );
    return 0;
  },
  demo: async (options, say) => {
    const { place, folder, layout } = await running(options);
    return demo({ place, folder, layout, inputs: options.input, json: options.json }, say);
  },
  status: async (options) => showStatus(options, await running(options)),
  logs: async (options) => {
    const { folder, layout } = await made(options);
    return showLogs({ folder, layout, name: options.words[0], lines: options.lines, follow: options.follow });
  },
  'add-org': async (options, say) => {
    const [file] = options.words;
    if (file === undefined) throw new WaymarkError('input-invalid', 'name the file that describes the organisation');
    const organisation = await readOrganisation(file, (await made(options)).folder.topology);
    const { place } = await running(options);
    print(
      options,
      await callControl(place, 'add-organisation', { organisation }, say),
      ({ changed }) => `${organisation.mspId} ${changed === false ? 'took part already' : 'takes part'}`,
    );
    return 0;
  },
  drill: async (options, say) => {
    const { place, layout, folder } = await running(options);
    return drill({ place, layout, folder, name: options.words[0], json: options.json }, say);
  },
  down: async (options, say) => {
    const folder = await readNetworkFolder(options.dataDir);
    if (folder === undefined) say('there is nothing to stop');
    else await stop(options, layoutOf(options.dataDir, folder.runtime), say);
    return 0;
  },
  clean: async (options, say) => {
    const folder = await readNetworkFolder(options.dataDir);
    if (folder === undefined) {
      say('there is nothing to remove');
      return 0;
    }
    await stop(options, layoutOf(options.dataDir, folder.runtime), say);
    await (await containersOf(layoutOf(options.dataDir, folder.runtime)))?.takeDown({ volumes: true });
    const left = await removeNetworkFolder(options.dataDir);
    say(
      left.length === 0
        ? `${options.dataDir} is gone`
        : `left in ${options.dataDir}, not made by the network: ${left.join(', ')}`,
    );
    return 0;
  },
};

/** Decides what the network is, and writes it down before anything is made. */
async function begin(options: NetworkArguments, say: Say): Promise<NetworkFolder> {
  const runtime = options.runtime ?? (await bestRuntime(say));
  await requireRuntime(runtime);
  if (runtime === 'embedded' && (options.ordering ?? options.orderers) !== undefined) {
    throw new WaymarkError(
      'input-invalid',
      '--ordering and --orderers are for native and docker: devnet orders by itself',
    );
  }
  const topology = await wantedTopology(options);
  const { fabricVersion, publish } = options;
  if (runtime !== 'docker' && (fabricVersion ?? publish) !== undefined) {
    throw new WaymarkError('input-invalid', `--fabric-version and --publish are for docker, not for ${runtime}`);
  }
  const folder = { runtime, topology, ...(runtime === 'docker' ? { fabricVersion, publish } : {}) };
  await beginNetworkFolder(options.dataDir, folder);
  return folder;
}

async function wantedTopology({ topologyFile, ordering, orderers }: NetworkArguments): Promise<Topology> {
  const topology = await readTopology(topologyFile);
  if (ordering === undefined && orderers === undefined) return topology;
  const changed = {
    ...topology,
    ordering: {
      ...topology.ordering,
      ...(ordering === undefined ? {} : { type: ordering }),
      ...(orderers === undefined ? {} : { orderers }),
    },
  };
  return checkTopology(changed, topologyFile);
}

/** A network stays what it was made as. */
function requireSame(
  { runtime, dataDir, ordering, orderers, fabricVersion, publish }: NetworkArguments,
  folder: NetworkFolder,
): void {
  const differs = (option: string, made: unknown, given: unknown): void => {
    if (given === undefined || given === made) return;
    throw new WaymarkError(
      'input-invalid',
      `${dataDir} was made with ${option} ${String(made)}; clean it, or give another folder with --data`,
    );
  };
  differs('--runtime', folder.runtime, runtime);
  differs('--ordering', folder.topology.ordering.type, ordering);
  differs('--fabric-version', folder.fabricVersion, fabricVersion);
  differs('--publish', folder.publish, publish);
  differs('--orderers', ordererCount(folder.topology), orderers);
}

/** What was added since may be there; what the file describes is there as it says. */
async function requireSameTopology(
  { topologyAsked, topologyFile, dataDir }: NetworkArguments,
  { topology }: NetworkFolder,
): Promise<void> {
  if (!topologyAsked) return;
  const asked = await readTopology(topologyFile);
  const first = topology.organisations.slice(0, asked.organisations.length);
  if (asked.channel === topology.channel && isDeepStrictEqual(first, asked.organisations)) return;
  throw new WaymarkError(
    'input-invalid',
    `${dataDir} was made with another topology than ${topologyFile}; clean it, or give another folder with --data`,
  );
}

interface Made {
  readonly folder: NetworkFolder;
  readonly layout: Layout;
}

interface Running extends Made {
  readonly place: ControlPlace;
}

async function made({ dataDir }: NetworkArguments): Promise<Made> {
  const folder = await readNetworkFolder(dataDir);
  if (folder === undefined) {
    throw new WaymarkError('unavailable', `there is no network in ${dataDir}; ./test-network.sh up makes one`);
  }
  return { folder, layout: layoutOf(dataDir, folder.runtime) };
}

async function running(options: NetworkArguments): Promise<Running> {
  const { folder, layout } = await made(options);
  const place = await readControlPlace(layout);
  if (place === undefined) throw new WaymarkError('unavailable', 'the network is down; ./test-network.sh up starts it');
  return { folder, layout, place };
}

async function stop({ dataDir }: NetworkArguments, layout: Layout, say: Say): Promise<void> {
  const place = await readControlPlace(layout);
  if (place === undefined) {
    for (const name of await endOrphans(dataDir)) say(`${name} was still running and has been ended`);
    await (await containersOf(layout))?.stop();
  } else await callControl(place, 'stop', undefined, say);
  say('everything is stopped');
}

/** Services are started one beside the other: those that wait for others are ready a moment later. What is not is shown as it is. */
async function untilReady({ place }: Running): Promise<void> {
  const deadlineMs = Date.now() + readyWithinMs;
  while (Date.now() < deadlineMs) {
    const { organisations } = (await callControl(place, 'status', undefined)) as NetworkStatus;
    if (organisations.every(({ services }) => services.every(({ state }) => state === 'ready'))) return;
    await delay(pollMs);
  }
}

async function showStatus(options: NetworkArguments, { place }: Running): Promise<number> {
  const status = (await callControl(place, 'status', undefined)) as NetworkStatus;
  process.stdout.write(options.json ? `${JSON.stringify(status)}\n` : statusText(status, Date.now()));
  return 0;
}

/** The organisation as a file describes it, checked as a part of the topology. */
async function readOrganisation(file: string, topology: Topology): Promise<Topology['organisations'][number]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new WaymarkError('input-invalid', `${file} cannot be read`, { cause });
  });
  const described = parsed(text, file);
  const { mspId } = (described ?? {}) as { mspId?: unknown };
  const others = topology.organisations.filter((organisation) => organisation.mspId !== mspId);
  const checked = checkTopology({ ...topology, organisations: [...others, described] }, file);
  const added = checked.organisations.at(-1);
  if (added === undefined) throw new WaymarkError('input-invalid', `${file} describes no organisation`);
  return added;
}

function parsed(text: string, file: string): unknown {
  try {
    return parse(text) as unknown;
  } catch (cause) {
    throw new WaymarkError('input-invalid', `${file} is not YAML`, { cause });
  }
}

function print({ json }: NetworkArguments, result: unknown, text: (result: Record<string, unknown>) => string): void {
  process.stdout.write(`${json ? JSON.stringify(result) : text((result ?? {}) as Record<string, unknown>)}\n`);
}
