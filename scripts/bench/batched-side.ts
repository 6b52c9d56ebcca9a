import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { createGatewaySource } from '@waymark/content';
import { connectGateway, type Ledger, privateKeySigner } from '@waymark/fabric';
import {
  bytesEqual,
  contentBytes,
  dagCborCode,
  parseCid,
  parseEvidence,
  recordContent,
  type ShipmentRecord,
} from '@waymark/protocol';
import { connect, type Waymark } from '@waymark/sdk';
import { z } from 'zod';
import { createAnchoringLag } from './anchoring-lag.ts';
import { recordSource, type RecordSource } from './records.ts';
import { createSample, type DoneRecord, type Side } from './side.ts';

const anchorPage = z.object({
  items: z.array(z.object({ first: z.int(), last: z.int(), hash: z.string(), txId: z.string() })),
});
/** Records of a round and firm that are read back by trusted query. */
const sampleSize = 50;
const batchesAtOnce = 16;
/** How far behind the channel an outlet's index may be. */
const indexingMs = 30_000;

interface Firm {
  readonly waymark: Waymark;
  readonly records: RecordSource;
  readonly ledger: Ledger;
  readonly content: { has(cid: ReturnType<typeof parseCid>): Promise<boolean>; close(): Promise<void> };
}

/**
 * Waymark's own path: the SDK submits to each firm's outlet, and a record is done when its receipt says `anchored`. Afterwards every batch or block
 * must be on the channel and in the content store, and a random sample must come back by trusted query as it was submitted.
 *
 * @param profiles one reader's profile of each firm
 * @param name unique to this run of the benchmark
 */
export async function openBatchedSide(profiles: readonly string[], name: string): Promise<Side> {
  const firms = await Promise.all(
    profiles.map((profile, index) => openFirm(profile, recordSource(index + 1, `${name}-batched${index}`))),
  );
  return {
    name: 'batched',
    async run(forMs) {
      const startedMs = performance.now();
      const runs = await Promise.all(firms.map((firm) => submitFor(firm, startedMs + forMs)));
      await Promise.all(firms.map((firm, index) => prove(firm, runs[index] as FirmRun)));
      return {
        records: runs.reduce((sum, { records }) => sum + records, 0),
        failed: 0,
        tookMs: Math.max(...runs.map(({ endedMs }) => endedMs)) - startedMs,
        lagsMs: runs.flatMap(({ lagsMs }) => lagsMs),
      };
    },
    async close() {
      for (const { waymark, ledger, content } of firms) {
        await waymark.close();
        await content.close();
        ledger.close();
      }
    },
  };
}

interface FirmRun {
  readonly records: number;
  readonly endedMs: number;
  /** Records of each batch by evidence id. */
  readonly batches: ReadonlyMap<string, number>;
  /** Transactions that records are anchored by, by the block of the private ledger that holds them. */
  readonly blocks: ReadonlyMap<number, string>;
  readonly lagsMs: readonly number[];
  readonly sample: readonly DoneRecord[];
}

async function submitFor({ waymark, records }: Firm, untilMs: number): Promise<FirmRun> {
  const underWay = new Map<string, ShipmentRecord>();
  const batches = new Map<string, number>();
  const blocks = new Map<number, string>();
  const lag = createAnchoringLag();
  const sample = createSample<DoneRecord>(sampleSize, Math.random);
  function* input(): Generator<ShipmentRecord> {
    while (performance.now() < untilMs) {
      const record = records.next();
      underWay.set(record.eventId, record);
      yield record;
    }
  }
  let done = 0;
  let endedMs = performance.now();
  for await (const result of waymark.submit(input(), { until: 'anchored', onProgress: lag.seen })) {
    if ('error' in result) throw result.error;
    const { receipt, eventId } = result;
    const record = underWay.get(eventId);
    if (record === undefined || receipt.repeated) throw new Error(`the receipt of ${eventId} is not for a new record`);
    underWay.delete(eventId);
    done += 1;
    endedMs = performance.now();
    if (receipt.blockHeight === undefined) batches.set(receipt.evidenceId, (batches.get(receipt.evidenceId) ?? 0) + 1);
    else blocks.set(receipt.blockHeight, receipt.txId ?? '');
    sample.offer({ record, id: receipt.recordOid });
  }
  if (underWay.size > 0) throw new Error(`${underWay.size} records have no receipt`);
  return { records: done, endedMs, batches, blocks, lagsMs: lag.lagsMs, sample: sample.items };
}

async function prove(firm: Firm, { batches, blocks, sample }: FirmRun): Promise<void> {
  await proveAnchored(firm, blocks);
  const ids = batches.entries();
  const worker = async (): Promise<void> => {
    for (const [id, count] of ids) {
      const evidence = parseEvidence(await firm.ledger.evaluate('evidence', 'get', [id]));
      if (evidence.count !== count) throw new Error(`${id} has ${evidence.count} records on the channel, not ${count}`);
      if (!(await firm.content.has(parseCid(evidence.cid, [dagCborCode])))) {
        throw new Error(`the batch block of ${id} is not in the content store`);
      }
    }
  };
  await Promise.all(Array.from({ length: batchesAtOnce }, worker));
  let left = sample;
  for (const untilMs = performance.now() + indexingMs; left.length > 0;) {
    left = await readBack(firm, left, performance.now() > untilMs);
    if (left.length > 0) await delay(100);
  }
}

/** Every block that a receipt names is under the one anchor that the receipt's transaction wrote, and the anchored block is there to be read. */
async function proveAnchored({ waymark, ledger, content }: Firm, blocks: ReadonlyMap<number, string>): Promise<void> {
  const left = [...blocks].sort(([a], [b]) => a - b);
  for (let from = left[0]?.[0]; from !== undefined;) {
    const page = anchorPage.parse(
      JSON.parse(
        new TextDecoder().decode(
          await ledger.evaluate('anchors', 'list', [waymark.profile.mspId, String(from), '100']),
        ),
      ),
    );
    if (page.items.length === 0) throw new Error(`block ${from} is not anchored`);
    for (const { first, last, hash, txId } of page.items) {
      if (!(await content.has(parseCid(hash, [dagCborCode])))) throw new Error(`block ${last} is not in the store`);
      for (let next = left[0]; next !== undefined && next[0] <= last; next = left[0]) {
        if (next[0] < first || next[1] !== txId) throw new Error(`block ${next[0]} is not where its receipt says`);
        left.shift();
      }
    }
    from = left[0]?.[0];
  }
}

/** Asks for records by trusted query; returns those that the outlet's index does not have yet. */
async function readBack(
  { waymark }: Firm,
  sample: readonly DoneRecord[],
  isLastTime: boolean,
): Promise<readonly DoneRecord[]> {
  const missing: DoneRecord[] = [];
  const asked = sample.values();
  for await (const outcome of waymark.traceMany(sample.map(({ id }) => ({ recordOid: id })))) {
    const expected = asked.next().value;
    if (expected === undefined) throw new Error('more answers than queries');
    if ('error' in outcome) {
      if (outcome.error.code !== 'refused' || isLastTime) throw outcome.error;
      missing.push(expected);
      continue;
    }
    const [found] = outcome.answer.records;
    if (found === undefined || outcome.answer.trust !== 'anchored') throw new Error('a trusted query gave no record');
    if (!bytesEqual(contentBytes(found.content), contentBytes(recordContent(expected.record)))) {
      throw new Error('a trusted query gave another record than was submitted');
    }
  }
  if (asked.next().done !== true) throw new Error('not every trusted query was answered');
  return missing;
}

async function openFirm(profileFile: string, records: RecordSource): Promise<Firm> {
  const waymark = connect(profileFile);
  const { gateway, api, identity, mspId, channel, chaincode } = waymark.profile;
  if (gateway === undefined || api === undefined) throw new Error(`${profileFile} names no gateway or no api`);
  const certificatePem = await readFile(identity.certificateFile, 'utf8');
  const privateKeyPem = await readFile(identity.privateKeyFile, 'utf8');
  const ledger = connectGateway({
    endpoint: gateway.endpoint,
    tlsRootPem: await readFile(gateway.tlsRootFile, 'utf8'),
    identity: { mspId, certificatePem, sign: privateKeySigner(privateKeyPem) },
    channel,
    chaincode,
  });
  const content = createGatewaySource({
    baseUrl: api.url,
    tls: { ca: await readFile(api.tlsRootFile, 'utf8'), certificate: certificatePem, privateKey: privateKeyPem },
  });
  return { waymark, records, ledger, content };
}
