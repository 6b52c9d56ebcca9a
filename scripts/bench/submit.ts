import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contentBytes, recordContent } from '@waymark/protocol';
import { type Consortium, freePorts, readTopology, type Runtime, startConsortium } from '@waymark/network';
import { ensureChaincodeBuilt } from '../build-chaincode.ts';
import { type RunningContract, startAssetContract } from './asset-contract.ts';
import { openBatchedSide } from './batched-side.ts';
import { diskBytesOf, processorTimeBetween, processorTimeOf, type ProcessorTime } from './consumption.ts';
import { type NaiveOptions, type NaiveSide, openNaiveSide } from './naive-side.ts';
import { measureRawOnChain } from './raw-on-chain.ts';
import { recordSource } from './records.ts';
import { describeRounds, type Round, type SubmitBenchResult } from './report.ts';
import { rateOf, type Side, type SideRun } from './side.ts';
import { lowerQuartile, median, quantile, rounded } from './statistics.ts';
import { forPeople } from './table.ts';

/** How to measure. */
export interface SubmitBenchOptions {
  readonly rounds: number;
  readonly roundMs: number;
  /** What the channel runs on. */
  readonly runtime: Runtime;
  /** Default: the smallest one that is shipped (S12). */
  readonly topologyFile?: string;
  /** Kept afterwards when given; else a temporary folder. */
  readonly dataDir?: string;
  /** The naive side adds to this kubo; without it to the first firm's, and on devnet to an embedded store. */
  readonly kuboUrl?: string;
  /** Ends the measurement early: it rejects with the signal's reason once everything is stopped. */
  readonly signal: AbortSignal;
  /** For people. */
  readonly print: (text: string) => void;
}

const warmUpMs = 3_000;
const sweepMs = 3_000;
const sweepConcurrencies = [16, 32, 64, 128, 256, 384];
const rawSampleSize = 150;
const smallestTopology = join(import.meta.dirname, '..', '..', 'network', 'topology.yaml');

/** Measures the way of a record from an outlet to the channel, against one add and one transaction per record on the same network. */
export async function benchSubmit(options: SubmitBenchOptions): Promise<SubmitBenchResult> {
  const { print } = options;
  const dir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'waymark-bench-')));
  try {
    const measured = await onConsortium(dir, options);
    options.signal.throwIfAborted();
    print('measuring what the same records cost when each is stored raw in its own transaction (scratch network)');
    const raw = await measureRawOnChain(rawSample());
    const { rounds } = measured;
    const records = rounds.reduce((sum, { batched }) => sum + batched.run.records, 0);
    const onChainBytes = rounds.reduce((sum, { batched }) => sum + batched.blockBytes, 0);
    const ratios = rounds.map(({ batched, naive }) => rateOf(batched.run) / rateOf(naive.run));
    const result: SubmitBenchResult = {
      name: 'submit',
      runtime: options.runtime,
      fabricVersion: measured.fabricVersion,
      rounds: rounds.length,
      batchedPerSecond: rounded(median(rounds.map(({ batched }) => rateOf(batched.run)))),
      naivePerSecond: rounded(median(rounds.map(({ naive }) => rateOf(naive.run)))),
      naiveConcurrency: measured.concurrency,
      ratioMedian: rounded(median(ratios)),
      ratioLowerQuartile: rounded(lowerQuartile(ratios)),
      onChainBytesPerRecord: rounded(onChainBytes / records),
      rawOnChainBytesPerRecord: rounded(raw.bytesPerRecord),
      acceptedToAnchoredP99Ms: rounded(
        quantile(
          rounds.flatMap(({ batched }) => batched.run.lagsMs ?? []),
          0.99,
        ),
        3,
      ),
    };
    print(describeRounds(rounds, result));
    return result;
  } finally {
    if (options.dataDir === undefined) await rm(dir, { recursive: true, force: true });
  }
}

/** The naive side has the same kind of store as the centers, with the same durability. */
function naiveKubo({ kuboUrl }: SubmitBenchOptions, { content, topology }: Consortium): Pick<NaiveOptions, 'kubo'> {
  if (kuboUrl !== undefined) return { kubo: { url: kuboUrl } };
  const section = content.sectionOf(topology.organisations[0]?.mspId ?? '');
  if (section.kind === 'embedded') return {};
  const { url, authorizationScheme: scheme, secretFile } = section;
  return { kubo: { url, authorization: { scheme, secretFile } } };
}

interface Measured {
  readonly rounds: readonly Round[];
  readonly concurrency: number;
  readonly fabricVersion: string | null;
}

async function onConsortium(dir: string, options: SubmitBenchOptions): Promise<Measured> {
  const { print } = options;
  const topology = await readTopology(options.topologyFile ?? smallestTopology);
  const contracts: RunningContract[] = [];
  let consortium: Consortium | undefined;
  const closers: (() => Promise<void>)[] = [];
  try {
    const runDir = join(dir, 'run');
    await mkdir(runDir, { recursive: true });
    const { organisations } = topology;
    const ports = await freePorts(organisations.length);
    consortium = await startConsortium({
      topology,
      runtime: options.runtime,
      dataDir: dir,
      chaincodeFolder: await ensureChaincodeBuilt(),
      onProgress: print,
      additionalChaincodes: [
        {
          name: 'assets',
          version: '1',
          sequence: 1,
          address: Object.fromEntries(
            organisations.map(({ mspId }, index) => [mspId, `127.0.0.1:${ports[index] ?? 0}`]),
          ),
          start: async (packageIds) => {
            for (const [index, { mspId, domain }] of organisations.entries()) {
              const place = { port: ports[index] ?? 0, packageId: packageIds[mspId] ?? '' };
              contracts.push(await startAssetContract(runDir, `assets-${domain}`, place));
            }
          },
        },
      ],
    });
    const { layout } = consortium;
    const profiles = topology.organisations.map((organisation) => layout.node(organisation, 'reader').profile);
    // Another name in every run: with a folder that was used before, no record comes a second time.
    const name = `bench-${Date.now().toString(36)}`;
    const batched = await openBatchedSide(profiles, name);
    closers.push(() => batched.close());
    const storeFolder = join(dir, 'naive-store');
    const naive = await openNaiveSide({
      profiles,
      chaincode: 'assets',
      storeFolder,
      name,
      ...naiveKubo(options, consortium),
    });
    closers.push(() => naive.close());
    const measurement = { consortium, contracts, batched, naive, dir, options };
    options.signal.throwIfAborted();
    return await Promise.race([
      measure(measurement),
      aborted(options.signal),
      consortium.failed.then((process) => Promise.reject(new Error(`${process} ended; its log is in ${runDir}`))),
    ]);
  } finally {
    for (const close of closers.toReversed()) await close();
    await consortium?.stop();
    for (const contract of contracts) await contract.process.stop();
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
  );
}

interface Measurement {
  readonly consortium: Consortium;
  readonly contracts: readonly RunningContract[];
  readonly batched: Side;
  readonly naive: NaiveSide;
  readonly dir: string;
  readonly options: SubmitBenchOptions;
}

async function measure(measurement: Measurement): Promise<Measured> {
  const { batched, naive, options } = measurement;
  const { print } = options;
  print(`warming up both sides for ${warmUpMs / 1_000} s`);
  await batched.run(warmUpMs);
  naive.concurrency = 64;
  await naive.run(warmUpMs);
  const concurrency = await bestConcurrency(naive, print);
  naive.concurrency = concurrency;
  const rounds: Round[] = [];
  for (let number = 1; number <= options.rounds; number += 1) {
    const round = { batched: await watched(measurement, batched), naive: await watched(measurement, naive) };
    rounds.push(round);
    const [a, b] = [rateOf(round.batched.run), rateOf(round.naive.run)];
    print(`round ${number}: batched ${forPeople(a)}/s, naive ${forPeople(b)}/s, ratio ${forPeople(a / b)}`);
  }
  return { rounds, concurrency, fabricVersion: measurement.consortium.channel.fabricVersion ?? null };
}

async function bestConcurrency(naive: NaiveSide, print: (text: string) => void): Promise<number> {
  let best = { concurrency: 0, rate: 0 };
  for (const concurrency of sweepConcurrencies) {
    naive.concurrency = concurrency;
    const rate = rateOf(await naive.run(sweepMs));
    print(`naive at ${concurrency} records at once: ${forPeople(rate)}/s`);
    if (rate > best.rate) best = { concurrency, rate };
  }
  return best.concurrency;
}

/** Runs one side and watches what it uses. */
async function watched(
  { consortium, contracts, dir, options }: Measurement,
  side: Side,
): Promise<{ run: SideRun; blockBytes: number; diskBytes: number; processor: ProcessorTime }> {
  const { services, channel } = consortium;
  const processes = [
    { name: 'benchmark client', pid: process.pid },
    ...channel.nodes.map(({ pid }) => ({ name: channel.runtime === 'embedded' ? 'devnet' : 'Fabric', pid })),
    ...channel.chaincodes.map(({ pid }) => ({ name: 'chaincode', pid })),
    ...contracts.map(({ process: { pid } }) => ({ name: 'asset-contract', pid })),
    ...services.map(({ kind, process: { pid } }) => ({ name: kind, pid })),
  ];
  const time = (): Promise<ProcessorTime> => processorTimeOf(processes);
  const [blocksBefore, diskBefore, timeBefore] = [await channel.blockBytes(), await diskBytesOf(dir), await time()];
  const run = await side.run(options.roundMs);
  return {
    run,
    blockBytes: (await channel.blockBytes()) - blocksBefore,
    diskBytes: (await diskBytesOf(dir)) - diskBefore,
    processor: processorTimeBetween(timeBefore, await time()),
  };
}

/** Bytes of records as they would go on a chain raw: exactly what the other sides seal. */
function rawSample(): Uint8Array[] {
  const source = recordSource(1, 'raw');
  return Array.from({ length: rawSampleSize }, () => contentBytes(recordContent(source.next())));
}
