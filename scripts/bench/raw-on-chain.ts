import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectGateway, type Ledger, privateKeySigner } from '@waymark/fabric';
import { type RunningProcess, startProcess } from '@waymark/network';
import { startAssetContract } from './asset-contract.ts';
import { blockBytesOf } from '@waymark/network';

const repository = join(import.meta.dirname, '..', '..');
const minSampleSize = 100;
/** As the shipped topology has it, so that blocks hold as many transactions. */
const batch = { timeoutMs: 250, maxMessageCount: 500, preferredMaxBytes: 2_097_152, absoluteMaxBytes: 10_485_760 };
const channel = 'raw-data';
const organisations = [
  { mspId: 'RawOneMSP', domain: 'raw-one.example' },
  { mspId: 'RawTwoMSP', domain: 'raw-two.example' },
] as const;

/** What raw data costs on a channel. */
export interface RawOnChain {
  /** Bytes of block files per record, on one peer. */
  readonly bytesPerRecord: number;
}

/**
 * Measures what records cost on a channel when each is stored raw in its own transaction: growth of a peer's block files, with the
 * endorsements of two organisations. It runs on a scratch devnet with a contract that stores bytes as they are; plaintext never
 * touches a consortium's channel, and the scratch folder is removed.
 *
 * @param samplePayloads the bytes of 100 records or more
 * @throws Error when the sample is smaller; WaymarkError when the scratch network fails
 */
export async function measureRawOnChain(samplePayloads: readonly Uint8Array[]): Promise<RawOnChain> {
  if (samplePayloads.length < minSampleSize) throw new Error(`a sample has at least ${minSampleSize} records`);
  const dir = await mkdtemp(join(tmpdir(), 'waymark-raw-'));
  const running: RunningProcess[] = [];
  try {
    const { devnet, ledger } = await startScratchNetwork(dir, running);
    const blocks = join(devnet, 'ledgers', `leader.${organisations[0].domain}`, 'blocks');
    try {
      await store(ledger, 'warm-up', samplePayloads.slice(0, 1));
      const before = await blockBytesOf(blocks);
      await store(ledger, 'record', samplePayloads);
      return { bytesPerRecord: ((await blockBytesOf(blocks)) - before) / samplePayloads.length };
    } finally {
      ledger.close();
    }
  } finally {
    for (const process of running.toReversed()) await process.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

async function store(ledger: Ledger, prefix: string, payloads: readonly Uint8Array[]): Promise<void> {
  await Promise.all(
    payloads.map(async (payload, index) => {
      const submitted = await ledger.submit('assets', 'raw', [`${prefix}-${index}`, payload]);
      await submitted.commit();
    }),
  );
}

async function startScratchNetwork(
  dir: string,
  running: RunningProcess[],
): Promise<{ devnet: string; ledger: Ledger }> {
  const run = join(dir, 'run');
  const devnet = join(dir, 'devnet');
  const planFile = join(dir, 'devnet.json');
  await mkdir(run);
  const { process: contract, address } = await startAssetContract(run, 'asset-contract');
  running.push(contract);
  const plan = {
    dataDir: devnet,
    channel,
    organisations: organisations.map((organisation) => ({ ...organisation, peers: [{ name: 'leader' }] })),
    chaincodes: [{ name: 'assets', version: '1', sequence: 1, address }],
    batch,
  };
  await writeFile(planFile, JSON.stringify(plan));
  const network = await startProcess(
    {
      name: 'devnet',
      script: join(repository, 'network', 'src', 'devnet-process.ts'),
      args: ['--plan', planFile],
      announcesReady: true,
    },
    run,
  );
  running.push(network);
  return { devnet, ledger: await connectAsAdmin(network, devnet) };
}

async function connectAsAdmin(network: RunningProcess, devnet: string): Promise<Ledger> {
  const [{ mspId, domain }] = organisations;
  const ready = network.ready['organisations'] as readonly {
    readonly mspId: string;
    readonly gateway: { readonly endpoint: string; readonly tlsRootFile: string };
  }[];
  const gateway = ready.find((organisation) => organisation.mspId === mspId)?.gateway;
  if (gateway === undefined) throw new Error(`no gateway for ${mspId}`);
  const msp = join(devnet, 'organisations', domain, 'users', `Admin@${domain}`, 'msp');
  return connectGateway({
    endpoint: gateway.endpoint,
    tlsRootPem: await readFile(gateway.tlsRootFile, 'utf8'),
    identity: {
      mspId,
      certificatePem: await onlyFile(join(msp, 'signcerts')),
      sign: privateKeySigner(await onlyFile(join(msp, 'keystore'))),
    },
    channel,
    chaincode: 'assets',
  });
}

async function onlyFile(folder: string): Promise<string> {
  const [name = ''] = await readdir(folder);
  return readFile(join(folder, name), 'utf8');
}
