import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOrganisationCa } from '@waymark/devnet/ca';
import { signedBatches, submissionOfBatch } from '@waymark/ledger-member';
import { batchHash, decodeLedgerAttachment, toHex } from '@waymark/protocol';
import { noSubmission } from '@waymark/rsl';
import { signingIdentityFromPem } from '@waymark/vault';
import { runClosedLoop } from '../bench/ledger/closed-loop.ts';
import { benchMspId } from '../bench/ledger/identities.ts';
import { recordValues } from '../bench/ledger/record-values.ts';
import { describeLedgerBench, figuresOf, workloads } from '../bench/ledger/results.ts';
import { createAcknowledgements } from '../bench/ledger/rsl/acknowledgements.ts';
import { leafAudit } from '../bench/ledger/rsl/audit.ts';
import { columnBytes, leavesOf, partsOf, signedBatchSource, tokensFor } from '../bench/ledger/rsl/signed-batches.ts';
import type { LedgerSide } from '../bench/ledger/side.ts';
import { generate, ledgerBenchGenerated, ledgerBenchProto } from '../generate.ts';

const loop = (records: number, tookMs: number, latenciesMs: readonly number[]) => ({
  records,
  tookMs,
  latenciesMs,
  sideSeconds: records / 1_000,
  clientSeconds: records / 10_000,
  writtenBytes: records * 100,
});

describe('the comparison of the private ledger', () => {
  test('ratios are of the same round; latencies of all rounds', () => {
    const ours = [loop(1_000, 1_000, [1, 2]), loop(4_000, 1_000, [3]), loop(3_000, 1_000, [4])];
    const peer = [loop(1_000, 1_000, [10]), loop(2_000, 1_000, [10]), loop(1_000, 1_000, [10])];
    expect(figuresOf('durable', ours, peer)).toMatchObject({
      ours: 3_000,
      peer: 1_000,
      ratioMedian: 2,
      ratioLowerQuartile: 1.5,
      p50Ms: 2.5,
      peerP99Ms: 10,
      cpuMicros: 1_000,
      clientCpuMicros: 100,
      writtenBytes: 100,
    });
  });

  test('bytes that the system does not tell are not made up', () => {
    const unknown = { ...loop(1, 1, [1]), writtenBytes: null };
    expect(figuresOf('durable', [unknown], [loop(1, 1, [1])])).toMatchObject({
      writtenBytes: null,
      peerWrittenBytes: 100,
    });
  });

  test('a bar is met by the ratio and the 99th percentile together (P2)', () => {
    const figures = (ratio: number, p99: number) =>
      figuresOf('durable', [loop(1_000 * ratio, 1_000, [p99])], [loop(1_000, 1_000, [10])]);
    const all = (ratio: number, p99: number) => ({
      single1: figures(ratio, p99),
      single64: figures(ratio, p99),
      batched: figures(ratio, p99),
    });
    const text = describeLedgerBench({
      name: 'ledger',
      rounds: 1,
      peer: 'etcd 1.2.3',
      recordBytes: 260,
      workloads,
      profiles: { trusted: all(3, 10), lying: all(1, 11) },
    });
    const verdicts = text.split('\n').filter((line) => line.startsWith('P2'));
    expect(verdicts.map((line) => /: (met|missed)/.exec(line)?.[1])).toEqual(['met', 'met', 'missed', 'missed']);
  });

  test('as many units as are allowed are under way, until the time is over', async () => {
    let underWay = 0;
    let most = 0;
    const side = sideOf(async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
    });
    const { signal } = new AbortController();
    const run = await runClosedLoop(side, { batch: 10, inFlight: 4 }, 'durable', { forMs: 20, signal });
    expect(most).toBe(4);
    expect(underWay).toBe(0);
    expect(run.records).toBe(run.latenciesMs.length * 10);
  });

  test('a side that fails, and Ctrl-C, end a round whatever is under way', async () => {
    const hanging = () => new Promise<void>(() => undefined);
    const broken = sideOf(hanging, Promise.reject(new Error('etcd-1 ended')));
    const { signal } = new AbortController();
    const workload = { batch: 1, inFlight: 1 };
    await expect(runClosedLoop(broken, workload, 'durable', { forMs: 1, signal })).rejects.toThrow('etcd-1 ended');
    const interrupted = AbortSignal.abort(new Error('interrupted'));
    const round = runClosedLoop(sideOf(hanging), workload, 'durable', { forMs: 1, signal: interrupted });
    await expect(round).rejects.toThrow('interrupted');
  });

  test('what is sealed is not confirmed; what is confirmed was sealed', async () => {
    const acknowledgements = createAcknowledgements();
    const heard: string[] = [];
    const wait = (seq: number, until: 'durable' | 'confirmed') =>
      acknowledgements.wait(seq, until).then(() => void heard.push(`${until} ${seq}`));
    const all = [wait(1, 'durable'), wait(2, 'confirmed'), wait(3, 'durable'), wait(4, 'durable')];
    acknowledgements.heard({ sealed: 2, confirmed: 0 });
    await all[0];
    expect(heard).toEqual(['durable 1']);
    acknowledgements.heard({ sealed: 2, confirmed: 3 });
    await Promise.all(all.slice(0, 3));
    expect(heard).toEqual(['durable 1', 'durable 3', 'confirmed 2']);
    acknowledgements.heard({ sealed: 4, confirmed: 3 });
    await Promise.all(all);
  });

  test("values differ from each other and have the record's size", () => {
    const next = recordValues(260);
    const values = Array.from({ length: 1_000 }, () => Buffer.from(next()).toString('hex'));
    expect(new Set(values).size).toBe(1_000);
    expect(values.every((value) => value.length === 520)).toBe(true);
  });

  test('batches are what an outlet hands in: signed, linked, and with as many bytes for a record as the peer stores', async () => {
    const ca = await createOrganisationCa({ mspId: benchMspId, domain: 'bench.example' });
    const issued = await ca.issue({ enrolmentId: 'outlet', role: 'client' });
    const identity = signingIdentityFromPem(issued);
    const next = signedBatchSource(identity, 'bench', 260);
    const [first, second] = [3, 2].map((count) => {
      const { batch } = next(count);
      const leaves = leavesOf(batch);
      return submissionOfBatch({
        ...batch,
        leaves,
        attached: {
          tags: partsOf(batch.tags, columnBytes.tag),
          tokens: partsOf(batch.tokens, batch.tokens.length / count).map((own) => partsOf(own, columnBytes.token)),
          keys: [],
        },
      });
    });
    if (first === undefined || second === undefined) throw new Error('there are two');
    expect([first.seq, first.prev, second.seq, second.prev]).toEqual([1, noSubmission, 2, first.hash]);
    const signatures = signedBatches({ channel: 'bench', holderOf: () => 'outlet' });
    expect(signatures.verifySubmission(first)).toBe(true);
    expect(signatures.verifySubmission({ ...first, signature: second.signature })).toBe(false);
    const { statement, cids, tags, tokens } = decodeLedgerAttachment(first.attachment, 3);
    expect(toHex(batchHash(statement))).toBe(first.hash);
    const ofOne = [cids[0], tags[0], ...(tokens[0] ?? [])].reduce((sum, part) => sum + (part?.length ?? 0), 0);
    expect([ofOne, tokensFor(260)]).toEqual([260, 6]);
    const [record] = first.records;
    if (record === undefined) throw new Error('there are records');
    const context = { nowMs: 0, height: 1 };
    expect(leafAudit.record(first, record, context)).toBeNull();
    const altered = { ...record, leaf: new Uint8Array(32) };
    const forged = { ...first, records: [altered, ...first.records.slice(1)] };
    expect(leafAudit.record(forged, altered, context)).toBe('leaf');
    expect(leafAudit.followsAcceptance(forged, altered, context)).toBe(false);
  });

  test('the committed code is what the .proto files generate', () => {
    const scratch = mkdtempSync(join(tmpdir(), 'waymark-generated-'));
    try {
      generate(ledgerBenchProto, scratch);
      const names = readdirSync(scratch).sort();
      expect(readdirSync(ledgerBenchGenerated).sort()).toEqual(names);
      for (const name of names)
        expect(readFileSync(join(ledgerBenchGenerated, name), 'utf8')).toBe(readFileSync(join(scratch, name), 'utf8'));
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
});

function sideOf(put: () => Promise<void>, failed: Promise<never> = new Promise(() => undefined)): LedgerSide {
  return {
    name: 'side',
    processes: [],
    put,
    stored: (expected) => Promise.resolve([expected]),
    failed,
    close: () => Promise.resolve(),
  };
}
