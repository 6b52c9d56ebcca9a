import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GatewayPlace } from '../provision.ts';
import { type RunningProcess, startProcess } from '../processes.ts';
import type { TopologyOrganisation } from '../topology.ts';
import { blockBytesOf } from './block-bytes.ts';
import { chaincodeAddresses, startAll, startChaincode } from './chaincode.ts';
import { batchOf, type ChannelPeer, type ChannelPlan, peersOf, type RunningChannel } from './channel.ts';

const script = join(import.meta.dirname, '..', 'devnet-process.ts');

/** What devnet's process says when it is ready. */
interface ReadyOrganisation {
  readonly mspId: string;
  readonly gateway: GatewayPlace;
  readonly peers: readonly { readonly name: string; readonly hostName: string; readonly address: string }[];
}

/** Starts the chaincode of each organisation, then devnet in a process of its own. */
export async function startEmbeddedChannel(plan: ChannelPlan): Promise<RunningChannel> {
  const { topology, layout, additionalChaincodes, onProgress } = plan;
  const chaincodes: RunningProcess[] = [];
  const nodes: RunningProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const process of [...nodes, ...chaincodes]) await process.stop();
  };
  try {
    onProgress('starting the chaincode of each organisation');
    const packageId = `${topology.chaincode.name}_${topology.chaincode.version}`;
    const startOne = (organisation: TopologyOrganisation): Promise<RunningProcess> =>
      startChaincode(plan.hosting, topology, organisation, plan.ports, packageId);
    await startAll(chaincodes, topology.organisations, startOne);
    for (const additional of additionalChaincodes) {
      const { name, version } = additional;
      await additional.start(
        Object.fromEntries(topology.organisations.map(({ mspId }) => [mspId, `${name}_${version}`])),
      );
    }
    onProgress('starting devnet (development only, not for production)');
    nodes.push(await startDevnetProcess(plan));
    const ready = nodes[0]?.ready['organisations'] as readonly ReadyOrganisation[];
    const [first] = topology.organisations;
    return {
      runtime: 'embedded',
      fabricVersion: undefined,
      gateways: new Map(ready.map(({ mspId, gateway }) => [mspId, gateway])),
      peers: ready.flatMap(({ mspId, gateway, peers }) =>
        peers.map((peer): ChannelPeer => ({ mspId, ...peer, tlsRootFile: gateway.tlsRootFile })),
      ),
      ordering: () => Promise.resolve({ type: 'devnet', orderers: 1, toleratedFaults: 0, leader: undefined }),
      nodes,
      chaincodes,
      blockBytes: () =>
        blockBytesOf(join(layout.chain, 'ledgers', `${first?.leaderPeer ?? ''}.${first?.domain ?? ''}`, 'blocks')),
      restart: async (name) => {
        if (nodes[0]?.name === name) nodes[0] = await startDevnetProcess(plan);
        else {
          const index = chaincodes.findIndex((process) => process.name === name);
          const organisation = topology.organisations[index];
          if (organisation === undefined) return false;
          chaincodes[index] = await startOne(organisation);
        }
        return true;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
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
