import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  chaincodePackageId,
  type FabricNetwork,
  type NodeRunner,
  type OrganisationPlan,
  startFabricNetwork,
} from '@waymark/fabric-nodes';
import { WaymarkError } from '@waymark/protocol';
import type { NodePorts, PortPlan } from '../layout.ts';
import { orderingOrganisations } from '../ordering.ts';
import type { RunningProcess } from '../processes.ts';
import type { TopologyOrganisation } from '../topology.ts';
import { blockBytesOf } from './block-bytes.ts';
import { chaincodeAddresses } from './chaincode.ts';
import { openChaincodes } from './chaincodes.ts';
import { batchOf, type ChannelPlan, peersOf, type RunningChannel } from './channel.ts';

const sameHeightWithinMs = 30_000;
const pollMs = 100;

/** What Fabric's nodes run on. */
export interface FabricRuntime {
  readonly runtime: 'native' | 'docker';
  /** Default: processes of this machine. */
  readonly runner?: NodeRunner | undefined;
  /** Bytes of the block files in a folder of a peer's data. Default: those of this machine. */
  readonly blockBytesIn?: ((hostName: string, folder: string) => Promise<number>) | undefined;
}

/**
 * Starts orderers and peers of real Fabric and the chaincode's services, and brings the chaincode onto the channel.
 *
 * @throws WaymarkError `program-missing` where Fabric's programs are not on PATH
 */
export async function startFabricChannel(first: ChannelPlan, on: FabricRuntime): Promise<RunningChannel> {
  const { topology, layout, onProgress } = first;
  onProgress("starting Fabric's orderers and peers");
  const fabric = await startFabricNetwork({
    dataDir: layout.chain,
    channel: topology.channel,
    organisations: topology.organisations.map((organisation) => organisationPlan(organisation, first.ports)),
    ordering: {
      type: topology.ordering.type,
      organisations: orderingOrganisations(topology).map(({ mspId, domain, orderers }) => ({
        mspId,
        domain,
        orderers: orderers.map((name) => ({ name, ...portsOf(first.ports, `${name}.${domain}`) })),
      })),
    },
    batch: batchOf(topology),
    advertise: first.hosting.advertise,
    listenHost: first.hosting.listenHost,
    ...(on.runner === undefined ? {} : { runner: on.runner }),
  });
  const chaincodes = openChaincodes((plan, { mspId }) => {
    const { name, version } = plan.topology.chaincode;
    const address = chaincodeAddresses(plan.hosting, plan.topology, plan.ports)[mspId] ?? '';
    return chaincodePackageId(`${name}_${version}`, address);
  });
  const stop = async (): Promise<void> => {
    await fabric.stop();
    await chaincodes.stop();
  };
  const deploy = (plan: ChannelPlan) =>
    fabric.deploy({
      ...plan.topology.chaincode,
      address: chaincodeAddresses(plan.hosting, plan.topology, plan.ports),
    });
  try {
    onProgress(`bringing the chaincode onto the channel (Fabric ${fabric.fabricVersion})`);
    // The servers first: a peer that finds nobody there fails the transaction.
    await chaincodes.start(first);
    await deploy(first);
    for (const additional of first.additionalChaincodes) await additional.start(await fabric.deploy(additional));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    runtime: on.runtime,
    fabricVersion: fabric.fabricVersion,
    get gateways() {
      return gatewaysOf(fabric);
    },
    get peers() {
      return fabric.organisations.flatMap(({ mspId, peers }) =>
        peers.map(({ tlsRootCertPath, ...peer }) => ({ ...peer, mspId, tlsRootFile: tlsRootCertPath })),
      );
    },
    ordering: async () => ({ ...fabric.ordering, leader: await fabric.leader() }),
    get nodes() {
      return [...fabric.nodes.values()].map((node): RunningProcess => ({ ...node, ready: {} }));
    },
    get chaincodes() {
      return chaincodes.running;
    },
    blockBytes: () => {
      const hostName = fabric.organisations[0]?.gateway.hostName ?? '';
      const folder = `ledgersData/chains/chains/${topology.channel}`;
      return on.blockBytesIn === undefined
        ? blockBytesOf(join(layout.chain, 'data', hostName, folder))
        : on.blockBytesIn(hostName, folder);
    },
    extend: async (plan) => {
      await chaincodes.start(plan);
      const { name } = plan.topology.chaincode;
      const addresses = chaincodeAddresses(plan.hosting, plan.topology, plan.ports);
      for (const organisation of plan.topology.organisations) {
        const { mspId } = organisation;
        if (fabric.organisations.some((member) => member.mspId === mspId)) continue;
        plan.onProgress(`${organisation.name}: certificates, channel configuration, peers, approval`);
        await fabric.addOrganisation({
          ...organisationPlan(organisation, plan.ports),
          chaincodes: { [name]: addresses[mspId] ?? '' },
        });
      }
      plan.onProgress('bringing the chaincode onto the channel');
      await deploy(plan);
      // A peer that is behind still runs the definition before.
      await untilSameHeight(fabric);
      await chaincodes.retireOthers(plan);
    },
    restart: async (name) => {
      if (!fabric.nodes.has(name)) return chaincodes.restart(name);
      await fabric.restart(name);
      return true;
    },
    stop,
  };
}

function gatewaysOf({ organisations }: FabricNetwork): RunningChannel['gateways'] {
  return new Map(
    organisations.map(({ mspId, gateway: { address, hostName, tlsRootCertPath } }) => [
      mspId,
      { endpoint: address, hostName, port: Number(address.split(':').at(-1)), tlsRootFile: tlsRootCertPath },
    ]),
  );
}

/** Waits for all peers that answer; one that is away has the servers it needs when it comes back, since they are started by name. */
async function untilSameHeight(fabric: FabricNetwork): Promise<void> {
  const heights = async (): Promise<bigint[]> => Object.values(await fabric.heights().catch(() => ({})));
  const target = (await heights()).reduce((highest, height) => (height > highest ? height : highest), 0n);
  const deadline = Date.now() + sameHeightWithinMs;
  while ((await heights()).some((height) => height < target) && Date.now() < deadline) await delay(pollMs);
}

function organisationPlan(organisation: TopologyOrganisation, ports: PortPlan): OrganisationPlan {
  const { mspId, domain } = organisation;
  return {
    mspId,
    domain,
    peers: peersOf(organisation).map((name) => ({ name, ...portsOf(ports, `${name}.${domain}`) })),
  };
}

function portsOf(ports: PortPlan, hostName: string): NodePorts {
  const found = ports.fabric?.[hostName];
  if (found === undefined) throw new WaymarkError('configuration-invalid', `no ports are planned for ${hostName}`);
  return found;
}
