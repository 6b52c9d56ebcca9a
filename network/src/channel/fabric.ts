import { join } from 'node:path';
import { type FabricNetwork, type NodeRunner, startFabricNetwork } from '@waymark/fabric-nodes';
import { WaymarkError } from '@waymark/protocol';
import type { NodePorts, PortPlan } from '../layout.ts';
import type { RunningProcess } from '../processes.ts';
import { orderingOrganisations } from '../ordering.ts';
import type { TopologyOrganisation } from '../topology.ts';
import { blockBytesOf } from './block-bytes.ts';
import { chaincodeAddresses, startAll, startListeningChaincode } from './chaincode.ts';
import { batchOf, type ChannelPlan, peersOf, type RunningChannel } from './channel.ts';

/** What Fabric's nodes run on. */
export interface FabricRuntime {
  readonly runtime: 'native' | 'docker';
  /** Default: processes of this machine. */
  readonly runner?: NodeRunner | undefined;
  /** Bytes of the block files in a folder of a peer's data. Default: those of this machine. */
  readonly blockBytesIn?: ((hostName: string, folder: string) => Promise<number>) | undefined;
}

/**
 * Starts orderers and peers of real Fabric, brings the chaincode onto the channel, then starts its services.
 *
 * @throws WaymarkError `program-missing` where Fabric's programs are not on PATH
 */
export async function startFabricChannel(plan: ChannelPlan, on: FabricRuntime): Promise<RunningChannel> {
  const { topology, layout, ports, hosting, additionalChaincodes, onProgress } = plan;
  onProgress("starting Fabric's orderers and peers");
  const fabric = await startFabricNetwork({
    dataDir: layout.chain,
    channel: topology.channel,
    organisations: topology.organisations.map((organisation) => ({
      mspId: organisation.mspId,
      domain: organisation.domain,
      peers: peersOf(organisation).map((name) => ({ name, ...portsOf(ports, `${name}.${organisation.domain}`) })),
    })),
    ordering: {
      type: topology.ordering.type,
      organisations: orderingOrganisations(topology).map(({ mspId, domain, orderers }) => ({
        mspId,
        domain,
        orderers: orderers.map((name) => ({ name, ...portsOf(ports, `${name}.${domain}`) })),
      })),
    },
    batch: batchOf(topology),
    advertise: hosting.advertise,
    listenHost: hosting.listenHost,
    ...(on.runner === undefined ? {} : { runner: on.runner }),
  });
  const chaincodes: RunningProcess[] = [];
  const stop = async (): Promise<void> => {
    await fabric.stop();
    for (const process of chaincodes) await process.stop();
  };
  try {
    onProgress(`bringing the chaincode onto the channel (Fabric ${fabric.fabricVersion})`);
    const packageIds = await fabric.deploy({
      ...topology.chaincode,
      address: chaincodeAddresses(hosting, topology, ports),
    });
    const startOne = (organisation: TopologyOrganisation): Promise<RunningProcess> =>
      startListeningChaincode(hosting, topology, organisation, ports, packageIds[organisation.mspId] ?? '');
    await startAll(chaincodes, topology.organisations, startOne);
    for (const additional of additionalChaincodes) await additional.start(await fabric.deploy(additional));
    return channelOf(plan, on, fabric, chaincodes, startOne, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

function channelOf(
  { topology, layout }: ChannelPlan,
  { runtime, blockBytesIn }: FabricRuntime,
  fabric: FabricNetwork,
  chaincodes: RunningProcess[],
  startChaincodeOf: (organisation: TopologyOrganisation) => Promise<RunningProcess>,
  stop: () => Promise<void>,
): RunningChannel {
  const [first] = fabric.organisations;
  return {
    runtime,
    fabricVersion: fabric.fabricVersion,
    gateways: new Map(
      fabric.organisations.map(({ mspId, gateway }) => [
        mspId,
        {
          endpoint: gateway.address,
          hostName: gateway.hostName,
          port: Number(gateway.address.split(':').at(-1)),
          tlsRootFile: gateway.tlsRootCertPath,
        },
      ]),
    ),
    peers: fabric.organisations.flatMap(({ mspId, peers }) =>
      peers.map(({ name, hostName, address, tlsRootCertPath }) => ({
        mspId,
        name,
        hostName,
        address,
        tlsRootFile: tlsRootCertPath,
      })),
    ),
    ordering: async () => ({ ...fabric.ordering, leader: await fabric.leader() }),
    get nodes() {
      return [...fabric.nodes.values()].map((node): RunningProcess => ({ ...node, ready: {} }));
    },
    chaincodes,
    blockBytes: () => {
      const hostName = first?.gateway.hostName ?? '';
      const folder = `ledgersData/chains/chains/${topology.channel}`;
      return blockBytesIn === undefined
        ? blockBytesOf(join(layout.chain, 'data', hostName, folder))
        : blockBytesIn(hostName, folder);
    },
    restart: async (name) => {
      if (fabric.nodes.has(name)) {
        await fabric.restart(name);
        return true;
      }
      const index = chaincodes.findIndex((process) => process.name === name);
      const organisation = topology.organisations[index];
      if (organisation === undefined) return false;
      chaincodes[index] = await startChaincodeOf(organisation);
      return true;
    },
    stop,
  };
}

function portsOf(ports: PortPlan, hostName: string): NodePorts {
  const found = ports.fabric?.[hostName];
  if (found === undefined) throw new WaymarkError('configuration-invalid', `no ports are planned for ${hostName}`);
  return found;
}
