import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedgerLog } from '@waymark/ledger-log';
import type { PersistStep, Submission } from '@waymark/rsl';
import { median, quantile, rounded } from './statistics.ts';
import { forPeople, formatTable } from './table.ts';

/** How to measure. */
export interface LedgerLogBenchOptions {
  readonly rounds: number;
  readonly roundMs: number;
  readonly signal: AbortSignal;
  /** For people. */
  readonly print: (text: string) => void;
}

/** One batch size: one batch at a time, each durable before the next is begun. */
export interface LedgerLogBatchResult {
  readonly batch: number;
  readonly recordsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Appending as many octets to a file with one fdatasync each, in turn with the log: what the disk itself takes. */
  readonly diskRecordsPerSecond: number;
  /** Median over the rounds of ours / the disk's. */
  readonly ratioMedian: number;
  readonly bytesPerRecord: number;
}

export interface LedgerLogBenchResult {
  readonly name: 'ledger-log';
  readonly rounds: number;
  readonly batches: readonly LedgerLogBatchResult[];
}

interface Side {
  readonly perSecond: number;
  readonly latenciesMs: readonly number[];
}

const batchSizes = [1, 64, 512];
const maxRoundMs = 2_000;
const warmUpBatches = 20;

/** Speed of the private ledger's durable log: submissions, as a center persists them before it gives its receipts. */
export async function benchLedgerLog(options: LedgerLogBenchOptions): Promise<LedgerLogBenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'waymark-bench-'));
  try {
    const batches: LedgerLogBatchResult[] = [];
    for (const batch of batchSizes) batches.push(await measure(join(folder, String(batch)), batch, options));
    const heading = ['records a batch', 'records/s', 'p50 ms', 'p99 ms', 'disk alone', 'ratio', 'bytes/record'];
    const row = (b: LedgerLogBatchResult): string[] => [
      String(b.batch),
      forPeople(b.recordsPerSecond),
      String(b.p50Ms),
      String(b.p99Ms),
      forPeople(b.diskRecordsPerSecond),
      String(b.ratioMedian),
      forPeople(b.bytesPerRecord),
    ];
    options.print(formatTable([heading, ...batches.map(row)]));
    return { name: 'ledger-log', rounds: options.rounds, batches };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(folder: string, batch: number, options: LedgerLogBenchOptions): Promise<LedgerLogBatchResult> {
  const roundMs = Math.min(maxRoundMs, options.roundMs);
  const log = await openLedgerLog({ folder, create: true, maxSizeBytes: 8 * 1024 ** 3, markAfterMs: null });
  const plain = await open(join(folder, 'plain'), 'a', 0o600);
  try {
    let seq = 0;
    const persist = (): Promise<void> => log.persist([submissionStep((seq += 1), batch)]);
    for (let warm = 0; warm < warmUpBatches; warm += 1) await persist();
    const { sizeBytes } = log.stats();
    const octets = Buffer.alloc(Math.round(sizeBytes / warmUpBatches), 1);
    const append = async (): Promise<void> => {
      await plain.write(octets);
      await plain.datasync();
    };
    const ours: Side[] = [];
    const disk: Side[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      options.signal.throwIfAborted();
      ours.push(await repeat(persist, batch, roundMs));
      disk.push(await repeat(append, batch, roundMs));
    }
    const latencies = ours.flatMap(({ latenciesMs }) => latenciesMs);
    return {
      batch,
      recordsPerSecond: rounded(median(ours.map(({ perSecond }) => perSecond))),
      p50Ms: rounded(quantile(latencies, 0.5), 3),
      p99Ms: rounded(quantile(latencies, 0.99), 3),
      diskRecordsPerSecond: rounded(median(disk.map(({ perSecond }) => perSecond))),
      ratioMedian: rounded(
        median(ours.map((side, index) => side.perSecond / (disk[index]?.perSecond ?? Number.NaN))),
        3,
      ),
      bytesPerRecord: rounded(octets.length / batch, 4),
    };
  } finally {
    await plain.close();
    await log.close();
  }
}

async function repeat(once: () => Promise<void>, batch: number, roundMs: number): Promise<Side> {
  const latenciesMs: number[] = [];
  const begin = performance.now();
  let now = begin;
  while (now - begin < roundMs) {
    await once();
    const end = performance.now();
    latenciesMs.push(end - now);
    now = end;
  }
  return { perSecond: (latenciesMs.length * batch * 1_000) / (now - begin), latenciesMs };
}

function submissionStep(seq: number, batch: number): PersistStep {
  const hash = seq.toString(16).padStart(64, '0');
  const submission: Submission = {
    ledger: 'bench/channel',
    department: 'dock',
    seq,
    prev: hash,
    root: hash,
    records: Array.from({ length: batch }, (_none, index) => ({
      oid: `${hash.slice(0, 56)}${index.toString(16).padStart(8, '0')}`,
      leaf: new Uint8Array(32).fill(index % 256),
    })),
    attachment: new Uint8Array(0),
    hash,
    signature: 's'.repeat(128),
  };
  const receipt = {
    ledger: submission.ledger,
    department: 'dock',
    seq,
    hash,
    center: 'center',
    term: 1,
    height: seq,
    acceptedMs: 1_700_000_000_000,
    signature: 'r'.repeat(128),
  };
  return { type: 'submission', submission, receipt };
}
