import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  checkTopology,
  type Consortium,
  type ConsortiumOptions,
  readTopology,
  removeContainers,
  type RunningService,
  startConsortium,
  type Topology,
} from '@waymark/network';
import { ensureChaincodeBuilt } from '../../scripts/build-chaincode.ts';

type Organisation = RunningService['organisation'];

/** One organisation of a running consortium, as its people reach it. */
export interface Firm {
  readonly organisation: Organisation;
  readonly mspId: string;
  readonly channel: string;
  readonly outletName: string;
  /** TLS root of all services of the organisation. */
  readonly tlsRootPem: string;
  readonly rootPem: string;
  readonly ports: { readonly center: Ports; readonly outlet: Ports };
  /** How the organisation's gateway peer is reached. */
  readonly gateway: { readonly endpoint: string; readonly tlsRootPem: string };
  identity(node: string): Promise<Identity>;
  /** The organisation's admin, who answers for its part of the register. */
  admin(): Promise<Identity>;
}

/** Ports of one service on loopback. */
export interface Ports {
  readonly grpcPort: number;
  readonly apiPort: number;
  readonly operationsPort: number;
}

/** A certificate with its key. */
export interface Identity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** A consortium in a folder of its own. */
export interface RunningConsortium {
  readonly consortium: Consortium;
  readonly folder: string;
  readonly firms: readonly [Firm, Firm, ...Firm[]];
  /** Stops everything; the files stay. */
  stop(): Promise<void>;
  /** Stops everything and removes the folder, unless it is to be kept or WAYMARK_KEEP is set. */
  end(): Promise<void>;
}

/** The topology of S12, as it is shipped. */
export const shippedTopology = join(import.meta.dirname, '..', '..', 'network', 'topology.yaml');

/** How a consortium differs from the shipped one on devnet. */
export type RunOptions = Partial<Omit<ConsortiumOptions, 'dataDir' | 'chaincodeFolder'>> & {
  /** Leaves the folder when everything has ended. */
  readonly keep?: boolean;
};

/**
 * A topology without private ledgers, whose batches go to the channel as evidence (S5). That path stays as real as the ledger's: the suites that ask the
 * contract `evidence` run on it, those of private ledgers say so in a topology of their own.
 */
export async function evidenceTopology(file: string = shippedTopology): Promise<Topology> {
  const topology = await readTopology(file);
  const organisations = topology.organisations.map(({ privateLedger: _, ...organisation }) => organisation);
  return checkTopology({ ...topology, privateLedger: 'none', organisations }, file);
}

/** Starts the shipped topology (S12) without private ledgers: devnet, chaincode, two centers, two outlets, each a process. */
export async function runConsortium({ keep = false, ...options }: RunOptions = {}): Promise<RunningConsortium> {
  const folder = await mkdtemp(join(tmpdir(), 'waymark-scenario-'));
  const topology = options.topology ?? (await evidenceTopology());
  const consortium = await startConsortium({
    ...options,
    topology,
    dataDir: folder,
    chaincodeFolder: await ensureChaincodeBuilt(),
  }).catch(async (error: unknown) => {
    if (!keep) await remove(folder);
    throw error;
  });
  const firms = await Promise.all(topology.organisations.map((organisation) => firmOf(consortium, organisation)));
  const [first, second, ...others] = firms;
  if (first === undefined || second === undefined) throw new Error('the topology has two organisations');
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= consortium.stop());
  return {
    consortium,
    folder,
    firms: [first, second, ...others],
    stop,
    end: async () => {
      await stop();
      if (!keep && process.env['WAYMARK_KEEP'] === undefined) await remove(folder);
      else process.stderr.write(`kept: ${folder}\n`);
    },
  };
}

async function remove(folder: string): Promise<void> {
  await removeContainers(folder);
  await rm(folder, { recursive: true, force: true });
}

/** One organisation of a consortium that runs. */
export async function firmOf(consortium: Consortium, organisation: Organisation): Promise<Firm> {
  const { layout, topology } = consortium;
  const folder = join(layout.root, 'organisations', organisation.domain);
  const plan = JSON.parse(await readFile(layout.portsFile, 'utf8')) as { services: Record<string, Ports> };
  const portsOf = (node: string): Ports => {
    const ports = plan.services[`${organisation.domain}-${node}`];
    if (ports === undefined) throw new Error(`no ports for ${node}`);
    return ports;
  };
  const outletName = organisation.outlets[0]?.name ?? '';
  const gateway = consortium.channel.gateways.get(organisation.mspId);
  if (gateway === undefined) throw new Error(`no gateway for ${organisation.mspId}`);
  return {
    organisation,
    mspId: organisation.mspId,
    channel: topology.channel,
    outletName,
    tlsRootPem: await readFile(join(folder, 'tls-root.pem'), 'utf8'),
    rootPem: await readFile(join(folder, 'msp-root.pem'), 'utf8'),
    ports: { center: portsOf('center'), outlet: portsOf(outletName) },
    gateway: { endpoint: gateway.endpoint, tlsRootPem: await readFile(gateway.tlsRootFile, 'utf8') },
    identity: async (node) => {
      const files = layout.node(organisation, node);
      return {
        certificatePem: await readFile(files.certificate, 'utf8'),
        privateKeyPem: await readFile(files.privateKey, 'utf8'),
      };
    },
    admin: async () => {
      const msp = join(layout.organisationCa(organisation), 'users', `Admin@${organisation.domain}`, 'msp');
      return {
        certificatePem: await onlyFile(join(msp, 'signcerts')),
        privateKeyPem: await onlyFile(join(msp, 'keystore')),
      };
    },
  };
}

async function onlyFile(folder: string): Promise<string> {
  const [name = ''] = await readdir(folder);
  return readFile(join(folder, name), 'utf8');
}
