import { join } from 'node:path';
import {
  ensureSwarmKey,
  type KuboNode,
  type KuboNodePlan,
  type KuboRunner,
  startKuboNode,
  writeKuboFiles,
} from '@waymark/kubo-nodes';
import { WaymarkError } from '@waymark/protocol';
import type { Hosting } from '../hosting/hosting.ts';
import type { Layout, PortPlan } from '../layout.ts';
import type { RunningProcess } from '../processes.ts';
import type { Topology, TopologyOrganisation } from '../topology.ts';
import type { RunningContent } from './content.ts';

/** What kubos are started from. */
export interface KuboContentPlan {
  readonly topology: Topology;
  readonly layout: Layout;
  readonly ports: () => PortPlan;
  readonly hosting: Hosting;
  /** Default: processes of this machine. */
  readonly runner?: KuboRunner | undefined;
}

/**
 * One kubo for each organisation, in a private swarm of their own: nobody without the swarm's key takes part, and each knows the
 * others by name.
 *
 * @throws WaymarkError `program-missing`
 */
export async function startKuboContent(plan: KuboContentPlan): Promise<RunningContent> {
  const swarmKeyFile = join(plan.layout.content, 'swarm.key');
  await ensureSwarmKey(swarmKeyFile);
  const organisations = [...plan.topology.organisations];
  const nodes = new Map<string, KuboNode>();
  const planOf = ({ mspId, domain }: TopologyOrganisation): KuboNodePlan => {
    const ports = plan.ports().content?.[mspId];
    if (ports === undefined) throw new WaymarkError('configuration-invalid', `no ports are planned for ipfs.${domain}`);
    const hostName = `ipfs.${domain}`;
    const isLocal = plan.hosting.advertise === 'localhost';
    return {
      hostName,
      folder: join(plan.layout.content, domain),
      ...ports,
      listenHost: plan.hosting.listenHost,
      advertiseHost: isLocal ? '127.0.0.1' : hostName,
      swarmKeyFile,
    };
  };
  /** Everybody's files first: a node is started with the names of all others. */
  const peersOf = async () => {
    const selves = await Promise.all(
      organisations.map(async (organisation) => ({
        organisation,
        self: (await writeKuboFiles(planOf(organisation))).self,
      })),
    );
    return (organisation: TopologyOrganisation) =>
      selves.filter((other) => other.organisation.mspId !== organisation.mspId).map(({ self }) => self);
  };
  const start = async (organisation: TopologyOrganisation, peers: KuboNodePlan['peers']): Promise<void> => {
    nodes.set(organisation.mspId, await startKuboNode({ ...planOf(organisation), peers }, plan.runner));
  };
  const stop = async (): Promise<void> => {
    await Promise.all([...nodes.values()].map((node) => node.stop()));
  };
  const peersAtFirst = await peersOf();
  const settled = await Promise.allSettled(
    organisations.map((organisation) => start(organisation, peersAtFirst(organisation))),
  );
  const failure = settled.find((result) => result.status === 'rejected');
  if (failure !== undefined) {
    await stop();
    throw failure.reason;
  }
  return {
    get nodes() {
      return [...nodes.values()].map(runningProcess);
    },
    sectionOf: (mspId) => {
      const organisation = organisations.find((candidate) => candidate.mspId === mspId);
      const node = nodes.get(mspId);
      if (organisation === undefined || node === undefined) throw new WaymarkError('internal', `${mspId} has no kubo`);
      const { hostName, apiPort } = planOf(organisation);
      return {
        kind: 'kubo',
        url: `http://${plan.hosting.address(hostName, apiPort)}`,
        authorizationScheme: node.authorization.scheme,
        secretFile: node.authorization.secretFile,
      };
    },
    add: async (organisation) => {
      if (!organisations.includes(organisation)) organisations.push(organisation);
      const peers = await peersOf();
      if (!nodes.has(organisation.mspId)) await start(organisation, peers(organisation));
      await Promise.all(organisations.map(async (member) => nodes.get(member.mspId)?.setPeers(peers(member))));
    },
    restart: async (name) => {
      const node = [...nodes.values()].find(({ hostName }) => hostName === name);
      await node?.restart();
      return node !== undefined;
    },
    stop,
  };
}

function runningProcess(node: KuboNode): RunningProcess {
  return {
    name: node.hostName,
    pid: node.pid,
    ready: {},
    exited: node.exited,
    stop: () => node.stop(),
    kill: (signal) => node.kill(signal),
  };
}
