import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GatewayPlace } from '../provision-place.ts';
import { type RunningProcess, startProcess } from '../processes.ts';
import { blockBytesOf } from './block-bytes.ts';
import { chaincodeAddresses } from './chaincode.ts';
import { openChaincodes } from './chaincodes.ts';
import { batchOf, type ChannelPeer, type ChannelPlan, peersOf, type RunningChannel } from './channel.ts';

const script = join(import.meta.dirname, '..', 'devnet-process.ts');

/** What devnet's process says when it is ready. */
interface ReadyOrganisation {
  readonly mspId: string;
  readonly gateway: GatewayPlace;
  readonly peers: readonly { readonly name: string; readonly hostName: string; readonly address: string }[];
}

/** Starts the chaincode of each organisation, then devnet in a process of its own. */
export async function startEmbeddedChannel(first: ChannelPlan): Promise<RunningChannel> {
  const { layout, onProgress } = first;
  const chaincodes = openChaincodes(({ topology: { chaincode } }) => `${chaincode.name}_${chaincode.version}`);
  let plan = first;
  let devnet: RunningProcess | undefined;
  const stop = async (): Promise<void> => {
    await devnet?.stop();
    await chaincodes.stop();
  };
  try {
    onProgress('starting the chaincode of each organisation');
    await chaincodes.start(plan);
    for (const additional of plan.additionalChaincodes) {
      const { name, version } = additional;
      await additional.start(
        Object.fromEntries(plan.topology.organisations.map(({ mspId }) => [mspId, `${name}_${version}`])),
      );
    }
    onProgress('starting devnet (development only, not for production)');
    devnet = await startDevnetProcess(plan);
  } catch (error) {
    await stop();
    throw error;
  }
  const state = { devnet };
  const ready = (): readonly ReadyOrganisation[] => state.devnet.ready['organisations'] as readonly ReadyOrganisation[];
  return {
    runtime: 'embedded',
    fabricVersion: undefined,
    get gateways() {
      return new Map(ready().map(({ mspId, gateway }) => [mspId, gateway]));
    },
    get peers() {
      return ready().flatMap(({ mspId, gateway, peers }) =>
        peers.map((peer): ChannelPeer => ({ mspId, ...peer, tlsRootFile: gateway.tlsRootFile })),
      );
    },
    ordering: () => Promise.resolve({ type: 'devnet', orderers: 1, toleratedFaults: 0, leader: undefined }),
    get nodes() {
      return [state.devnet];
    },
    get chaincodes() {
      return chaincodes.running;
    },
    blockBytes: () => {
      const [organisation] = plan.topology.organisations;
      const peer = `${organisation?.leaderPeer ?? ''}.${organisation?.domain ?? ''}`;
      return blockBytesOf(join(layout.chain, 'ledgers', peer, 'blocks'));
    },
    extend: async (next) => {
      await chaincodes.start(next);
      next.onProgress('starting devnet again with what is new');
      // Clients meet a network that is away for a moment, as they would at any restart.
      await state.devnet.stop();
      state.devnet = await startDevnetProcess(next);
      plan = next;
      await chaincodes.retireOthers(next);
    },
    restart: async (name) => {
      if (state.devnet.name !== name) return chaincodes.restart(name);
      state.devnet = await startDevnetProcess(plan);
      return true;
    },
    stop: async () => {
      await state.devnet.stop();
      await chaincodes.stop();
    },
  };
}

async function startDevnetProcess({
  topology,
  ports,
  layout,
  hosting,
  additionalChaincodes,
}: ChannelPlan): Promise<RunningProcess> {
  const portOf = (name: string): { port?: number } => {
    const port = ports.devnet?.[name];
    return port === undefined ? {} : { port };
  };
  const plan = {
    dataDir: layout.chain,
    channel: topology.channel,
    organisations: topology.organisations.map((organisation) => ({
      mspId: organisation.mspId,
      domain: organisation.domain,
      peers: peersOf(organisation).map((name) => ({ name, ...portOf(`${name}.${organisation.domain}`) })),
    })),
    orderer: portOf('orderer'),
    chaincodes: [
      {
        ...topology.chaincode,
        address: chaincodeAddresses(hosting, topology, ports),
      },
      ...additionalChaincodes.map(({ name, version, sequence, address }) => ({ name, version, sequence, address })),
    ],
    batch: batchOf(topology),
  };
  const planFile = join(layout.run, 'devnet.json');
  await writeFile(planFile, `${JSON.stringify(plan, null, 2)}\n`);
  return startProcess({ name: 'devnet', script, args: ['--plan', planFile], announcesReady: true }, layout.run);
}
