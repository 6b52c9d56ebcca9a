import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, credentials } from '@grpc/grpc-js';
import { common, orderer, peer } from '@hyperledger/fabric-protos';
import { writeTlsFolder } from '../../src/ca/index.ts';
import { createSignatureHeader } from '../../src/orderer/block-writer.ts';
import { createTimestamp } from '../../src/block/timestamp.ts';
import { CHANNEL_ID, type TestChannel } from './test-channel.ts';
import { fabricProgram, runFabric } from './fabric-programs.ts';
import { signEnvelope } from './test-transaction.ts';

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 100;
const SILENCE_LIMIT_MS = 20_000;

/** Where Fabric's sample `core.yaml` and `orderer.yaml` are: as for Fabric's programs, FABRIC_CFG_PATH says it. */
export function fabricConfigDir(): string | undefined {
  const dir = process.env['FABRIC_CFG_PATH'];
  return dir !== undefined && existsSync(join(dir, 'core.yaml')) && existsSync(join(dir, 'orderer.yaml'))
    ? dir
    : undefined;
}

export interface NativeFabricPorts {
  readonly orderer: number;
  readonly ordererAdmin: number;
  readonly peer: number;
  readonly peerChaincode: number;
}

/** One real orderer and one real peer of Org1, on a channel that devnet's own genesis block made. */
export class NativeFabric {
  readonly #channel: TestChannel;
  readonly #ports: NativeFabricPorts;
  readonly #dir: string;
  readonly #processes: ChildProcess[] = [];
  readonly #clients: Client[] = [];
  #log = '';

  private constructor(channel: TestChannel, ports: NativeFabricPorts, dir: string) {
    this.#channel = channel;
    this.#ports = ports;
    this.#dir = dir;
  }

  static async start(channel: TestChannel, ports: NativeFabricPorts, dir: string): Promise<NativeFabric> {
    const fabric = new NativeFabric(channel, ports, dir);
    try {
      await fabric.#startOrderer();
      await fabric.#startPeer();
      return fabric;
    } catch (error) {
      await fabric.stop();
      throw new Error(`Fabric did not start: ${fabric.#log.slice(-4000)}`, { cause: error });
    }
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await Promise.all(
      this.#processes.map(
        (process) =>
          new Promise((resolve) => {
            if (process.exitCode !== null || process.signalCode !== null) resolve(undefined);
            else process.once('exit', resolve).kill('SIGKILL');
          }),
      ),
    );
  }

  /** Sends messages over one stream and gives the orderer's answers; waits while the orderer elects itself. */
  async broadcast(envelopes: readonly common.Envelope[]): Promise<number[]> {
    let statuses: number[] = [];
    await this.#until(async () => {
      statuses = await this.#broadcastOnce(envelopes);
      return statuses[0] !== common.Status.SERVICE_UNAVAILABLE;
    });
    return statuses;
  }

  async #broadcastOnce(envelopes: readonly common.Envelope[]): Promise<number[]> {
    const client = this.#client(this.#ports.orderer, this.#channel.ordererCa.tlsRootCertPem);
    const { broadcast } = orderer.AtomicBroadcastService;
    const stream = client.makeBidiStreamRequest<common.Envelope, orderer.BroadcastResponse>(
      broadcast.path,
      broadcast.requestSerialize,
      broadcast.responseDeserialize,
    );
    const statuses: number[] = [];
    const done = new Promise<number[]>((resolve, reject) => {
      stream.on('data', (response: orderer.BroadcastResponse) => {
        statuses.push(response.getStatus());
        if (statuses.length === envelopes.length || response.getStatus() !== common.Status.SUCCESS) stream.end();
      });
      stream.on('error', reject);
      stream.on('end', () => resolve(statuses));
    });
    for (const envelope of envelopes) stream.write(envelope);
    return done;
  }

  /** Blocks as the real peer committed them, from a number on, until the consumer leaves. */
  async *peerBlocks(from: number): AsyncGenerator<common.Block, void, undefined> {
    const client = this.#client(this.#ports.peer, this.#channel.org1.ca.tlsRootCertPem);
    const { deliver } = peer.DeliverService;
    const stream = client.makeBidiStreamRequest<common.Envelope, peer.DeliverResponse>(
      deliver.path,
      deliver.requestSerialize,
      deliver.responseDeserialize,
    );
    stream.write(this.#seek(from));
    // A peer that has met something it cannot validate stops without a word to its clients.
    const watchdog = setInterval(() => {
      if (Date.now() - lastMs > SILENCE_LIMIT_MS) {
        stream.destroy(new Error(`the peer delivers nothing more: ${this.#log.slice(-4000)}`));
      }
    }, POLL_MS);
    let lastMs = Date.now();
    try {
      for await (const response of stream as AsyncIterable<peer.DeliverResponse>) {
        const block = response.getBlock();
        if (block === undefined) throw new Error(`the peer answered ${response.getStatus()}`);
        yield block;
        lastMs = Date.now();
      }
    } finally {
      clearInterval(watchdog);
      stream.cancel();
    }
  }

  #seek(from: number): common.Envelope {
    const start = new orderer.SeekPosition();
    const specified = new orderer.SeekSpecified();
    specified.setNumber(from);
    start.setSpecified(specified);
    const stop = new orderer.SeekPosition();
    const last = new orderer.SeekSpecified();
    last.setNumber(Number.MAX_SAFE_INTEGER);
    stop.setSpecified(last);
    const seek = new orderer.SeekInfo();
    seek.setStart(start);
    seek.setStop(stop);
    const channelHeader = new common.ChannelHeader();
    channelHeader.setType(common.HeaderType.DELIVER_SEEK_INFO);
    channelHeader.setChannelId(CHANNEL_ID);
    channelHeader.setTimestamp(createTimestamp(Date.now()));
    const header = new common.Header();
    header.setChannelHeader(channelHeader.serializeBinary());
    header.setSignatureHeader(createSignatureHeader(this.#channel.org1.client).serializeBinary());
    return signEnvelope({ creator: this.#channel.org1.client }, header, seek.serializeBinary());
  }

  async #startOrderer(): Promise<void> {
    const dir = join(this.#dir, 'orderer');
    const { ordererCa, orderer: identity, ordererTls, genesisBlock } = this.#channel;
    await ordererCa.writeMspFolder(join(dir, 'msp'), identity.issued);
    await writeTlsFolder(join(dir, 'tls'), ordererTls, 'server');
    const tls = (name: string) => join(dir, 'tls', name);
    this.#spawn('orderer', [], {
      ORDERER_GENERAL_LISTENADDRESS: '127.0.0.1',
      ORDERER_GENERAL_LISTENPORT: String(this.#ports.orderer),
      ORDERER_GENERAL_LOCALMSPID: 'OrdererMSP',
      ORDERER_GENERAL_LOCALMSPDIR: join(dir, 'msp'),
      ORDERER_GENERAL_TLS_ENABLED: 'true',
      ORDERER_GENERAL_TLS_PRIVATEKEY: tls('server.key'),
      ORDERER_GENERAL_TLS_CERTIFICATE: tls('server.crt'),
      ORDERER_GENERAL_TLS_ROOTCAS: `[${tls('ca.crt')}]`,
      ORDERER_GENERAL_CLUSTER_CLIENTCERTIFICATE: tls('server.crt'),
      ORDERER_GENERAL_CLUSTER_CLIENTPRIVATEKEY: tls('server.key'),
      ORDERER_GENERAL_CLUSTER_ROOTCAS: `[${tls('ca.crt')}]`,
      ORDERER_GENERAL_BOOTSTRAPMETHOD: 'none',
      ORDERER_CHANNELPARTICIPATION_ENABLED: 'true',
      ORDERER_ADMIN_LISTENADDRESS: `127.0.0.1:${this.#ports.ordererAdmin}`,
      ORDERER_ADMIN_TLS_ENABLED: 'false',
      ORDERER_FILELEDGER_LOCATION: join(dir, 'ledger'),
      ORDERER_CONSENSUS_WALDIR: join(dir, 'wal'),
      ORDERER_CONSENSUS_SNAPDIR: join(dir, 'snap'),
      ORDERER_OPERATIONS_LISTENADDRESS: '127.0.0.1:0',
      ORDERER_METRICS_PROVIDER: 'disabled',
    });
    const url = `http://127.0.0.1:${this.#ports.ordererAdmin}/participation/v1/channels`;
    await this.#until(async () => (await fetch(url)).ok);
    const form = new FormData();
    form.set('config-block', new Blob([genesisBlock.serializeBinary()]), 'genesis.block');
    const joined = await fetch(url, { method: 'POST', body: form });
    if (joined.status !== 201) throw new Error(`joining the orderer: ${joined.status} ${await joined.text()}`);
    await this.#until(async () => {
      const state = (await (await fetch(`${url}/${CHANNEL_ID}`)).json()) as { status?: string };
      return state.status === 'active';
    });
  }

  async #startPeer(): Promise<void> {
    const dir = join(this.#dir, 'peer');
    const { org1, genesisBlock } = this.#channel;
    await org1.ca.writeMspFolder(join(dir, 'msp'), org1.peer.issued);
    await org1.ca.writeMspFolder(join(dir, 'admin'), org1.admin.issued);
    await writeTlsFolder(join(dir, 'tls'), await org1.ca.issueTls({ commonName: 'peer0.org1.example.com' }), 'server');
    await writeFile(join(dir, 'genesis.block'), genesisBlock.serializeBinary());
    await mkdir(join(dir, 'snapshots'), { recursive: true });
    const common = {
      CORE_PEER_LOCALMSPID: 'Org1MSP',
      CORE_PEER_ADDRESS: `localhost:${this.#ports.peer}`,
      CORE_PEER_TLS_ENABLED: 'true',
      CORE_PEER_TLS_CERT_FILE: join(dir, 'tls', 'server.crt'),
      CORE_PEER_TLS_KEY_FILE: join(dir, 'tls', 'server.key'),
      CORE_PEER_TLS_ROOTCERT_FILE: join(dir, 'tls', 'ca.crt'),
      FABRIC_CFG_PATH: fabricConfigDir() ?? '',
    };
    this.#spawn('peer', ['node', 'start'], {
      ...common,
      CORE_PEER_ID: 'peer0.org1.example.com',
      CORE_PEER_LISTENADDRESS: `127.0.0.1:${this.#ports.peer}`,
      CORE_PEER_CHAINCODELISTENADDRESS: `127.0.0.1:${this.#ports.peerChaincode}`,
      CORE_PEER_MSPCONFIGPATH: join(dir, 'msp'),
      CORE_PEER_FILESYSTEMPATH: join(dir, 'production'),
      CORE_PEER_GOSSIP_BOOTSTRAP: `localhost:${this.#ports.peer}`,
      CORE_PEER_GOSSIP_ORGLEADER: 'true',
      CORE_PEER_GOSSIP_USELEADERELECTION: 'false',
      CORE_LEDGER_SNAPSHOTS_ROOTDIR: join(dir, 'snapshots'),
      CORE_OPERATIONS_LISTENADDRESS: '127.0.0.1:0',
      CORE_METRICS_PROVIDER: 'disabled',
      CORE_VM_ENDPOINT: '',
    });
    const admin = { ...common, CORE_PEER_MSPCONFIGPATH: join(dir, 'admin') };
    await this.#until(async () => {
      await runFabric('peer', ['channel', 'join', '-b', join(dir, 'genesis.block')], admin);
      return true;
    });
  }

  #spawn(program: string, args: readonly string[], env: Readonly<Record<string, string>>): void {
    const child = spawn(fabricProgram(program) ?? program, [...args], {
      env: { ...process.env, FABRIC_LOGGING_SPEC: 'warning', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk: Buffer) => (this.#log = (this.#log + chunk.toString()).slice(-100_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    this.#processes.push(child);
  }

  #client(port: number, rootCertPem: string): Client {
    const client = new Client(`localhost:${port}`, credentials.createSsl(Buffer.from(rootCertPem)), {
      'grpc.max_receive_message_length': -1,
    });
    this.#clients.push(client);
    return client;
  }

  /** Tries until it works; a program that has ended will not come back. */
  async #until(works: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    let last: unknown;
    while (Date.now() < deadline) {
      if (this.#processes.some((process) => process.exitCode !== null)) throw new Error('a program has ended');
      try {
        if (await works()) return;
      } catch (error) {
        last = error;
      }
      await delay(POLL_MS);
    }
    throw new Error('timed out', { cause: last });
  }
}
