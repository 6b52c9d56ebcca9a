import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { common } from '@hyperledger/fabric-protos';
import { createOrganisationCa } from '../../../src/ca/index.ts';
import type { IssuedTls } from '../../../src/ca/issued.ts';
import { startDevnet, type Devnet, type DevnetOptions, type NodeConnection } from '../../../src/index.ts';
import { createSigningIdentity, type SigningIdentity } from '../../../src/msp/index.ts';
import { fabricProgram, runFabric } from '../../support/fabric-programs.ts';
import { freePorts } from '../../support/free-ports.ts';
import { fabricConfigDir } from '../../support/native-fabric.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { writeBuilder, writePackage } from './chaincode-package.ts';
import { FabricNode } from './fabric-node.ts';

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 100;
/** Whose answers are recorded: older ones differ in filters and texts. */
const RECORDED_VERSION = '3.1';

/** Why Fabric's programs cannot be asked; undefined when they can. */
export function missingFabric(): string | undefined {
  const missing = ['peer', 'orderer'].filter((program) => fabricProgram(program) === undefined);
  if (missing.length > 0) return `not on PATH: ${missing.join(', ')}`;
  if (fabricConfigDir() === undefined) return 'FABRIC_CFG_PATH names no folder with core.yaml and orderer.yaml';
  const version = /Version: v?(\S+)/.exec(execFileSync(fabricProgram('peer') ?? 'peer', ['version']).toString())?.[1];
  return version?.startsWith(RECORDED_VERSION) === true
    ? undefined
    : `peer is version ${version}, not ${RECORDED_VERSION}`;
}

/** One request, two addressees: a devnet, and Fabric's own programs on the very same channel with the very same identities. */
export interface Twin {
  readonly devnet: Devnet;
  /** Org1's peer on both sides. The native one gets its blocks from devnet's orderer. */
  readonly peers: Sides<FabricNode>;
  /** The same, without a TLS certificate of the client. */
  readonly anonymousPeers: Sides<FabricNode>;
  /** The native orderer has a chain of its own, from the same genesis block. */
  readonly orderers: Sides<FabricNode>;
  /** The client's TLS certificate. */
  readonly clientTls: IssuedTls;
  readonly identities: {
    readonly user: SigningIdentity;
    readonly admin: SigningIdentity;
    readonly otherUser: SigningIdentity;
    readonly otherAdmin: SigningIdentity;
    readonly ordererAdmin: SigningIdentity;
  };
  /** Gives the native orderer what devnet's has ordered, transaction by transaction; resolves when the native peer has all blocks. */
  caughtUp(): Promise<void>;
  /** Resolves when the native peer has as many blocks as devnet's. */
  level(): Promise<void>;
  /** Resolves when both orderers have as many blocks. */
  ordered(): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

/** `fabric` is undefined where Fabric's programs are not on this machine. */
export interface Sides<T> {
  readonly devnet: T;
  readonly fabric: T | undefined;
}

/**
 * Starts a devnet of two organisations and, where they are, Fabric's peer and orderer with the certificates and keys that
 * devnet made.
 */
export async function startTwin(
  options: Partial<DevnetOptions> = {},
  installed: readonly InstalledChaincode[] = [],
  approved: readonly string[] = [],
): Promise<Twin> {
  const dataDir = await temporaryFolder();
  const devnet = await startDevnet({
    dataDir,
    organisations: [{ mspId: 'Org1MSP' }, { mspId: 'Org2MSP' }],
    batch: { timeoutMs: 50 },
    ...options,
  });
  const programs = new Programs(devnet, await temporaryFolder());
  try {
    const ports = missingFabric() === undefined ? await programs.start(installed, approved) : undefined;
    const ca = await createOrganisationCa({ mspId: 'Org1MSP', domain: 'org1.example.com' });
    const clientTls = await ca.issueTls({ commonName: 'client' });
    return buildTwin(devnet, programs, ports, clientTls, await readOrdererAdmin(devnet));
  } catch (error) {
    const log = programs.log;
    await programs.stop();
    await devnet.stop();
    throw new Error(`Fabric did not start: ${log.slice(-4000)}`, { cause: error });
  }
}

/** A chaincode of the channel, version 1.0, that Fabric's peer has as well. */
export interface InstalledChaincode {
  readonly name: string;
  /** `host:port` of its server. */
  readonly address: string;
  /** Told what Fabric expects the chaincode to register as. */
  readonly packaged: (packageId: string) => void;
}

interface Ports {
  readonly peer: number;
  readonly orderer: number;
}

function buildTwin(
  devnet: Devnet,
  programs: Programs,
  ports: Ports | undefined,
  clientTls: IssuedTls,
  ordererAdmin: SigningIdentity,
): Twin {
  const org1 = devnet.organisation('Org1MSP');
  const org2 = devnet.organisation('Org2MSP');
  const sides = (connection: NodeConnection, port: number | undefined, tls?: IssuedTls): Sides<FabricNode> => ({
    devnet: new FabricNode(connection.address, connection, tls),
    fabric: port === undefined ? undefined : new FabricNode(`127.0.0.1:${port}`, connection, tls),
  });
  const peers = sides(org1.gateway, ports?.peer, clientTls);
  const anonymousPeers = sides(org1.gateway, ports?.peer);
  const orderers = sides(devnet.orderer, ports?.orderer, clientTls);
  const user = createSigningIdentity(org1.user);
  const level = async () => {
    const { fabric } = peers;
    if (fabric === undefined) return;
    await until(async () => {
      const [ours, theirs] = await Promise.all([
        peers.devnet.height(user, devnet.channel),
        fabric.height(user, devnet.channel),
      ]);
      return ours === theirs;
    });
  };
  return {
    devnet,
    peers,
    anonymousPeers,
    orderers,
    clientTls,
    identities: {
      user,
      admin: createSigningIdentity(org1.admin),
      otherUser: createSigningIdentity(org2.user),
      otherAdmin: createSigningIdentity(org2.admin),
      ordererAdmin,
    },
    caughtUp: async () => {
      const { fabric } = orderers;
      if (fabric === undefined) return;
      const ordered = await orderers.devnet.blocks(user, devnet.channel);
      for (const block of ordered.slice(1)) await orderTransactions(fabric, user, devnet.channel, block);
      await level();
    },
    level,
    ordered: async () => {
      const { fabric } = orderers;
      if (fabric === undefined) return;
      await until(async () => {
        const [ours, theirs] = await Promise.all([
          orderers.devnet.blocks(user, devnet.channel),
          fabric.blocks(user, devnet.channel),
        ]);
        return ours.length === theirs.length;
      });
    },
    log: () => programs.log,
    stop: async () => {
      for (const { devnet: a, fabric: b } of [peers, anonymousPeers, orderers]) {
        a.close();
        b?.close();
      }
      await programs.stop();
      await devnet.stop();
    },
  };
}

/** The one whom nobody but devnet itself needs. */
async function readOrdererAdmin(devnet: Devnet): Promise<SigningIdentity> {
  const dir = join(devnet.dataDir, 'orderer', 'users', 'Admin@example.com', 'msp');
  return createSigningIdentity({
    mspId: devnet.orderer.mspId,
    certificatePem: await readFile(join(dir, 'signcerts', 'Admin@example.com-cert.pem'), 'utf8'),
    privateKeyPem: await readFile(join(dir, 'keystore', 'priv_sk'), 'utf8'),
  });
}

/** One after the other, so that each gets a block of its own. */
async function orderTransactions(orderer: FabricNode, user: SigningIdentity, channel: string, block: common.Block) {
  for (const envelope of block.getData()?.getDataList_asU8() ?? []) {
    const { length } = await orderer.blocks(user, channel);
    await until(async () => {
      const [status] = await orderer.broadcast([envelope]);
      return status?.getStatus() === common.Status.SUCCESS;
    });
    await until(async () => (await orderer.blocks(user, channel)).length > length);
  }
}

/** The programs of one twin, run with devnet's data folder as theirs. */
class Programs {
  readonly #devnet: Devnet;
  readonly #dir: string;
  readonly #running: ChildProcess[] = [];
  log = '';

  constructor(devnet: Devnet, dir: string) {
    this.#devnet = devnet;
    this.#dir = dir;
  }

  async start(installed: readonly InstalledChaincode[], approved: readonly string[]): Promise<Ports> {
    const builder = await writeBuilder(join(this.#dir, 'builder'));
    const [peer, orderer] = await Promise.all([this.#startPeer(builder), this.#startOrderer()]);
    for (const chaincode of installed) await this.#install(chaincode, peer);
    for (const name of approved) await this.#approve(name, peer, []);
    return { peer, orderer };
  }

  /** Fabric wants a package, and the organisation's approval. */
  async #install({ name, address, packaged }: InstalledChaincode, port: number): Promise<void> {
    const path = join(this.#dir, `${name}.tar.gz`);
    await writePackage(path, name, address);
    const env = this.#adminEnv(port);
    await runFabric('peer', ['lifecycle', 'chaincode', 'install', path], env);
    const packageId = await runFabric('peer', ['lifecycle', 'chaincode', 'calculatepackageid', path], env);
    packaged(packageId.trim());
    await this.#approve(name, port, ['--package-id', packageId.trim()]);
  }

  /** The organisation agrees to what the channel has agreed on. */
  async #approve(name: string, port: number, options: readonly string[]): Promise<void> {
    const { orderer, channel } = this.#devnet;
    const definition = ['--channelID', channel, '--name', name, '--version', '1.0', '--sequence', '1'];
    const ordering = ['-o', orderer.address, '--tls', '--cafile', orderer.tlsRootCertPath];
    const approve = ['lifecycle', 'chaincode', 'approveformyorg'];
    await runFabric('peer', [...approve, ...options, ...definition, ...ordering], this.#adminEnv(port));
  }

  #adminEnv(port: number): Record<string, string> {
    return { ...this.#peerEnv(port), CORE_PEER_MSPCONFIGPATH: this.#devnet.organisation('Org1MSP').admin.mspDir };
  }

  #peerEnv(port: number): Record<string, string> {
    const org1 = this.#devnet.organisation('Org1MSP');
    const folder = join(org1.dir, 'peers', org1.gateway.hostName);
    return {
      CORE_PEER_LOCALMSPID: 'Org1MSP',
      CORE_PEER_ADDRESS: `127.0.0.1:${port}`,
      CORE_PEER_TLS_ENABLED: 'true',
      CORE_PEER_TLS_CERT_FILE: join(folder, 'tls', 'server.crt'),
      CORE_PEER_TLS_KEY_FILE: join(folder, 'tls', 'server.key'),
      CORE_PEER_TLS_ROOTCERT_FILE: join(folder, 'tls', 'ca.crt'),
      FABRIC_CFG_PATH: fabricConfigDir() ?? '',
    };
  }

  async #startPeer(builder: string): Promise<number> {
    const [port = 0, chaincodePort = 0] = await freePorts(2);
    const org1 = this.#devnet.organisation('Org1MSP');
    const folder = join(org1.dir, 'peers', org1.gateway.hostName);
    const env = this.#peerEnv(port);
    await mkdir(join(this.#dir, 'snapshots'), { recursive: true });
    this.#spawn('peer', ['node', 'start'], {
      ...env,
      CORE_PEER_ID: org1.gateway.hostName,
      CORE_PEER_LISTENADDRESS: `127.0.0.1:${port}`,
      CORE_PEER_CHAINCODELISTENADDRESS: `127.0.0.1:${chaincodePort}`,
      CORE_PEER_MSPCONFIGPATH: join(folder, 'msp'),
      CORE_PEER_FILESYSTEMPATH: join(this.#dir, 'production'),
      CORE_PEER_GOSSIP_BOOTSTRAP: `127.0.0.1:${port}`,
      CORE_PEER_GOSSIP_EXTERNALENDPOINT: `127.0.0.1:${port}`,
      CORE_PEER_GOSSIP_ORGLEADER: 'true',
      CORE_PEER_GOSSIP_USELEADERELECTION: 'false',
      CORE_LEDGER_SNAPSHOTS_ROOTDIR: join(this.#dir, 'snapshots'),
      CORE_OPERATIONS_LISTENADDRESS: '127.0.0.1:0',
      CORE_METRICS_PROVIDER: 'disabled',
      CORE_VM_ENDPOINT: '',
      CORE_CHAINCODE_EXTERNALBUILDERS: `[{name: service, path: ${builder}}]`,
    });
    const genesis = join(this.#devnet.dataDir, 'genesis.block');
    const admin = { ...env, CORE_PEER_MSPCONFIGPATH: org1.admin.mspDir };
    await this.#until(async () => {
      await runFabric('peer', ['channel', 'join', '-b', genesis], admin);
      return true;
    });
    return port;
  }

  async #startOrderer(): Promise<number> {
    const [port = 0, adminPort = 0] = await freePorts(2);
    const dir = join(this.#dir, 'orderer');
    const folder = join(this.#devnet.orderer.tlsRootCertPath, '..', '..');
    const tls = (name: string) => join(folder, 'tls', name);
    this.#spawn('orderer', [], {
      FABRIC_CFG_PATH: fabricConfigDir() ?? '',
      ORDERER_GENERAL_LISTENADDRESS: '127.0.0.1',
      ORDERER_GENERAL_LISTENPORT: String(port),
      ORDERER_GENERAL_LOCALMSPID: this.#devnet.orderer.mspId,
      ORDERER_GENERAL_LOCALMSPDIR: join(folder, 'msp'),
      ORDERER_GENERAL_TLS_ENABLED: 'true',
      ORDERER_GENERAL_TLS_PRIVATEKEY: tls('server.key'),
      ORDERER_GENERAL_TLS_CERTIFICATE: tls('server.crt'),
      ORDERER_GENERAL_TLS_ROOTCAS: `[${tls('ca.crt')}]`,
      ORDERER_GENERAL_CLUSTER_CLIENTCERTIFICATE: tls('server.crt'),
      ORDERER_GENERAL_CLUSTER_CLIENTPRIVATEKEY: tls('server.key'),
      ORDERER_GENERAL_CLUSTER_ROOTCAS: `[${tls('ca.crt')}]`,
      ORDERER_GENERAL_BOOTSTRAPMETHOD: 'none',
      ORDERER_CHANNELPARTICIPATION_ENABLED: 'true',
      ORDERER_ADMIN_LISTENADDRESS: `127.0.0.1:${adminPort}`,
      ORDERER_ADMIN_TLS_ENABLED: 'false',
      ORDERER_FILELEDGER_LOCATION: join(dir, 'ledger'),
      ORDERER_CONSENSUS_WALDIR: join(dir, 'wal'),
      ORDERER_CONSENSUS_SNAPDIR: join(dir, 'snap'),
      ORDERER_OPERATIONS_LISTENADDRESS: '127.0.0.1:0',
      ORDERER_METRICS_PROVIDER: 'disabled',
    });
    const url = `http://127.0.0.1:${adminPort}/participation/v1/channels`;
    await this.#until(async () => (await fetch(url)).ok);
    const genesis = await readFile(join(this.#devnet.dataDir, 'genesis.block'));
    const form = new FormData();
    form.set('config-block', new Blob([genesis]), 'genesis.block');
    const joined = await fetch(url, { method: 'POST', body: form });
    if (joined.status !== 201) throw new Error(`joining the orderer: ${joined.status} ${await joined.text()}`);
    await this.#until(async () => {
      const state = (await (await fetch(`${url}/${this.#devnet.channel}`)).json()) as { status?: string };
      return state.status === 'active';
    });
    return port;
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#running.map(
        (child) =>
          new Promise((resolve) => {
            if (child.exitCode !== null || child.signalCode !== null) resolve(undefined);
            else child.once('exit', resolve).kill('SIGKILL');
          }),
      ),
    );
  }

  #spawn(program: string, args: readonly string[], env: Readonly<Record<string, string>>): void {
    const child = spawn(fabricProgram(program) ?? program, [...args], {
      env: { ...process.env, FABRIC_LOGGING_SPEC: 'warning', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk: Buffer) => (this.log = (this.log + chunk.toString()).slice(-200_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    this.#running.push(child);
  }

  /** A program that has ended will not come back. */
  #until(works: () => Promise<boolean>): Promise<void> {
    return until(async () => {
      if (this.#running.some(({ exitCode }) => exitCode !== null)) throw new ProgramEnded('a program has ended');
      return works();
    });
  }
}

class ProgramEnded extends Error {}

/** Asks again and again, to a deadline. */
export async function until(works: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  let last: unknown;
  while (Date.now() < deadlineMs) {
    try {
      if (await works()) return;
    } catch (error) {
      if (error instanceof ProgramEnded) throw error;
      last = error;
    }
    await delay(POLL_MS);
  }
  throw new Error('timed out', { cause: last });
}
