import { join } from 'node:path';
import { type FabricNetwork, startFabricNetwork } from '@waymark/fabric-nodes';
import { WaymarkError } from '@waymark/protocol';
import type { NodePorts, PortPlan } from '../layout.ts';
import { untilListening } from '../ports.ts';
import type { RunningProcess } from '../processes.ts';
import { ordererCount, type Topology } from '../topology.ts';
import { chaincodeAddress, startAll, startChaincode } from './chaincode.ts';
import { batchOf, type ChannelPlan, peersOf, type RunningChannel } from './channel.ts';

const ordererDomain = 'orderer.example';

/** Names of the orderers, `orderer0` first. */
export function ordererNames(topology: Topology): string[] {
  return Array.from({ length: ordererCount(topology) }, (_, index) => `orderer${index}`);
}

/** Host names of everything that Fabric runs for a topology. */
export function fabricNodeNames(topology: Topology): string[] {
  return [
    ...ordererNames(topology).map((name) => `${name}.${ordererDomain}`),
    ...topology.organisations.flatMap((organisation) =>
      peersOf(organisation).map((name) => `${name}.${organisation.domain}`),
    ),
  ];
}

/**
 * Starts orderers and peers of real Fabric, brings the chaincode onto the channel, then starts its services.
 *
 * @throws WaymarkError `program-missing` where Fabric's programs are not on PATH
 */
export async function startNativeChannel(plan: ChannelPlan): Promise<RunningChannel> {
  const { topology, layout, ports, additionalChaincodes, onProgress } = plan;
  onProgress("starting Fabric's orderers and peers");
  const fabric = await startFabricNetwork({
    dataDir: layout.chain,
    channel: topology.channel,
    organisations: topology.organisations.map((organisation) => ({
      mspId: organisation.mspId,
      domain: organisation.domain,
      peers: peersOf(organisation).map((name) => ({ name, ...portsOf(ports, `${name}.${organisation.domain}`) })),
    })),
    orderers: ordererNames(topology).map((name) => ({ name, ...portsOf(ports, `${name}.${ordererDomain}`) })),
    ordererDomain,
    batch: batchOf(topology),
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
      address: Object.fromEntries(topology.organisations.map(({ mspId }) => [mspId, chaincodeAddress(ports, mspId)])),
    });
    const startOne = async (index: number): Promise<RunningProcess> => {
      const organisation = topology.organisations[index];
      if (organisation === undefined) throw new RangeError('no such organisation');
      const packageId = packageIds[organisation.mspId] ?? '';
      const process = await startChaincode(topology, organisation, layout, ports, plan.chaincodeFolder, packageId);
      // A peer that finds nobody there fails the transaction; devnet would wait.
      await untilListening(ports.chaincodes[organisation.mspId] ?? 0).catch(async (error: unknown) => {
        await process.stop();
        throw error;
      });
      return process;
    };
    await startAll(chaincodes, topology.organisations, startOne);
    for (const additional of additionalChaincodes) await additional.start(await fabric.deploy(additional));
    return channelOf(plan, fabric, chaincodes, startOne, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

function channelOf(
  { topology, layout }: ChannelPlan,
  fabric: FabricNetwork,
  chaincodes: RunningProcess[],
  startChaincodeAt: (index: number) => Promise<RunningProcess>,
  stop: () => Promise<void>,
): RunningChannel {
  const [first] = fabric.organisations;
  return {
    runtime: 'native',
    fabricVersion: fabric.fabricVersion,
    gateways: new Map(
      fabric.organisations.map(({ mspId, gateway }) => [
        mspId,
        { endpoint: gateway.address, tlsRootFile: gateway.tlsRootCertPath },
      ]),
    ),
    peers: fabric.organisations.flatMap(({ mspId, peers }) =>
      peers.map(({ name, address, tlsRootCertPath }) => ({ mspId, name, address, tlsRootFile: tlsRootCertPath })),
    ),
    get nodes() {
      return [...fabric.nodes.values()].map((node): RunningProcess => ({ ...node, ready: {} }));
    },
    chaincodes,
    blockFolder: join(
      layout.chain,
      'data',
      first?.gateway.hostName ?? '',
      'ledgersData',
      'chains',
      'chains',
      topology.channel,
    ),
    restart: async (name) => {
      if (fabric.nodes.has(name)) {
        await fabric.restart(name);
        return true;
      }
      const index = chaincodes.findIndex((process) => process.name === name);
      if (index < 0) return false;
      chaincodes[index] = await startChaincodeAt(index);
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
