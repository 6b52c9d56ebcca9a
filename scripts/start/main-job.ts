import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { openRecordFile, type RecordFile } from '@waymark/capture';
import { type Layout, type LedgerStatus, type Topology } from '@waymark/network';
import {
  canonicalJsonBytes,
  isWaymarkError,
  type JsonObject,
  type ShipmentRecord,
  WaymarkError,
} from '@waymark/protocol';
import { connect, createExternalRequest, generateAskerKeys, openExternalAnswer, type Waymark } from '@waymark/sdk';
import { type LedgerFigures, showLedger } from './ledger/ledger-job.ts';

/** A center answers a client so many external queries a minute, and no more. */
const externalEveryMs = 1_000;

/** What the main job found out. */
export interface MainJobFigures {
  readonly records: number;
  readonly payloadBytes: number;
  readonly onChainBytes: number;
  /** Until the first trusted answer, from the start of the process. */
  readonly coldStartMs: number;
  readonly trusted: { readonly asked: number; readonly matched: number; readonly trust: string };
  readonly fast: { readonly trust: string };
  readonly external: { readonly opened: number };
  readonly tamper: { readonly code: string };
  /** Null when the first firm has no private ledger. */
  readonly ledger: LedgerFigures | null;
}

/** A record that was loaded, for the commands that are printed. */
export interface LoadedSample {
  readonly record: ShipmentRecord;
  readonly cid: string;
  readonly payloads: readonly Uint8Array[];
}

/** A running network, as far as the main job needs it. */
export interface JobPlace {
  readonly topology: Topology;
  readonly layout: Layout;
  /** Bytes that the channel's blocks take on one peer. */
  readonly chainBytes: () => Promise<number>;
  /** Starts what the first answer did not need. */
  readonly startRest: () => Promise<void>;
  /** Kills a process (SIGKILL) and leaves it away. */
  readonly halt: (name: string) => Promise<void>;
  /** Brings it back. */
  readonly resume: (name: string) => Promise<void>;
  /** How the private ledgers stand. */
  readonly ledgers: () => Promise<readonly LedgerStatus[]>;
}

const rawSampleSize = 128;
/** How long the repair behind a query that found altered data may take. */
const repairMs = 30_000;

/** Loads records, asks each kind of query, damages a stored byte and asks again, and puts the firm's private ledger to the test (S5, S7, S8, S9, D7, D12). */
export async function runMainJob(
  place: JobPlace,
  inputs: readonly string[],
  startedAtMs: number,
  say: (text: string) => void,
): Promise<{ figures: MainJobFigures; sample: LoadedSample }> {
  const { topology, layout, chainBytes } = place;
  const [firm] = topology.organisations;
  const outlet = firm?.outlets[0];
  if (firm === undefined || outlet === undefined)
    throw new WaymarkError('configuration-invalid', 'The topology has no outlet.');
  const profileOf = (node: string): string => layout.node(firm, node).profile;
  const files = await openFiles(inputs);
  const reader = connect(profileOf('reader'));
  try {
    const before = await chainBytes();
    const load = await loadFiles(reader, files, say);
    const onChainBytes = (await chainBytes()) - before;

    const first = await untilAnswered(() => reader.trace({ eventId: load.sample.eventId }), 10);
    const coldStartMs = Date.now() - startedAtMs;
    say(`first trusted answer after ${(coldStartMs / 1_000).toFixed(1)} s`);
    const rest = place.startRest();
    rest.catch(() => undefined);
    const trusted = await traceFiles(reader, files, say);

    const fast = await reader.trace({ eventId: load.sample.eventId }, { mode: 'fast' });
    say(`fast query: ${fast.records.length} record, ${fast.trust}`);
    const askOutside = () => askFromOutside(profileOf(outlet.name), profileOf('client'), load.sample);
    const opened = await askOutside();
    say(`external query: ${opened} record opened with the asker's own key`);

    const cid = first.records[0]?.cid ?? '';
    const code = await damageAndAsk(layout, firm.domain, profileOf('reader'), load.sample.eventId, cid);
    say(`one byte of a stored envelope overwritten: a fresh client gets "${code}"`);
    await rest;
    const ledger = await showLedger(
      { ...place, firm, readerProfile: profileOf('reader'), askOutside },
      load.sample,
      say,
    );
    return {
      figures: {
        records: load.records,
        payloadBytes: load.payloadBytes,
        onChainBytes,
        coldStartMs,
        trusted,
        fast: { trust: fast.trust },
        external: { opened },
        tamper: { code },
        ledger,
      },
      sample: { record: load.sample, cid, payloads: load.payloads },
    };
  } finally {
    await reader.close();
  }
}

async function openFiles(inputs: readonly string[]): Promise<RecordFile[]> {
  const files: RecordFile[] = [];
  for (const input of inputs) files.push(await openRecordFile(input));
  return files;
}

async function loadFiles(
  reader: Waymark,
  files: readonly RecordFile[],
  say: (text: string) => void,
): Promise<{ records: number; payloadBytes: number; sample: ShipmentRecord; payloads: Uint8Array[] }> {
  const total = files.reduce((sum, { count }) => sum + count, 0);
  const payloads: Uint8Array[] = [];
  let payloadBytes = 0;
  let sample: ShipmentRecord | undefined;
  async function* records(): AsyncGenerator<ShipmentRecord> {
    for (const file of files) {
      for await (const record of file.records()) {
        const bytes = canonicalJsonBytes(record.payload);
        payloadBytes += bytes.length;
        if (payloads.length < rawSampleSize) payloads.push(bytes);
        sample ??= record;
        yield record;
      }
    }
  }
  let done = 0;
  let told = 0;
  for await (const result of reader.submit(records(), { until: 'anchored' })) {
    if ('error' in result) throw result.error;
    done += 1;
    if (done === total || done - told >= Math.max(100, total / 10)) {
      told = done;
      say(`anchored ${done} of ${total} records`);
    }
  }
  if (sample === undefined) throw new WaymarkError('input-invalid', 'There are no records in the input.');
  return { records: done, payloadBytes, sample, payloads };
}

async function traceFiles(
  reader: Waymark,
  files: readonly RecordFile[],
  say: (text: string) => void,
): Promise<MainJobFigures['trusted']> {
  let asked = 0;
  let matched = 0;
  let trust = 'anchored';
  for (const file of files) {
    const summary = await reader.traceFile(file.records());
    asked += summary.asked;
    matched += summary.matched;
    trust = summary.trust;
  }
  say(`trusted queries: ${matched} of ${asked} records proven, content digests equal to the file's`);
  return { asked, matched, trust };
}

/** Asks until there is an answer: the index follows the channel, and a record is found a moment after it was anchored. */
async function untilAnswered<T>(ask: () => Promise<T>, everyMs: number): Promise<T> {
  const deadlineMs = Date.now() + 30_000;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const passing = isWaymarkError(error, 'refused') || isWaymarkError(error, 'unavailable');
      if (!passing || Date.now() > deadlineMs) throw error;
      await delay(everyMs);
    }
  }
}

/** Somebody with nothing but two keys of its own asks through a client of the firm; the outlet has permitted it (S9). */
async function askFromOutside(outletProfile: string, clientProfile: string, sample: ShipmentRecord): Promise<number> {
  const asker = generateAskerKeys();
  const outlet = connect(outletProfile);
  try {
    await outlet.allow(sample.consignment, [asker.signing.kid]);
  } finally {
    await outlet.close();
  }
  const client = connect(clientProfile);
  try {
    // The outlet goes with the office; until it has, nobody can notify it.
    return await untilAnswered(async () => {
      const { channel, mspId } = client.profile;
      const request = await createExternalRequest({ eventId: sample.eventId }, { channel, msp: mspId }, asker);
      const answer = await client.sendExternalRequest(request);
      const opened = await openExternalAnswer(answer, { nonce: request.nonce, asker });
      return opened.content.eventId === sample.eventId ? 1 : 0;
    }, externalEveryMs);
  } finally {
    await client.close();
  }
}

/** Flips a bit from another process, asks as a fresh client, puts it right unless the repair behind the query has done so. */
async function damageAndAsk(
  layout: Layout,
  domain: string,
  profile: string,
  eventId: string,
  cid: string,
): Promise<string> {
  const tamper = async (...more: string[]): Promise<void> => {
    await promisify(execFile)(process.execPath, [
      join(import.meta.dirname, '..', 'tamper.ts'),
      '--data',
      layout.root,
      '--cid',
      cid,
      '--firm',
      domain,
      ...more,
    ]);
  };
  const ask = async (): Promise<string> => {
    const fresh = connect(profile);
    try {
      await fresh.trace({ eventId });
      return 'none';
    } catch (error) {
      if (!isWaymarkError(error)) throw error;
      return error.code;
    } finally {
      await fresh.close();
    }
  };
  await tamper();
  const code = await ask();
  const deadlineMs = Date.now() + repairMs;
  while ((await ask()) !== 'none' && Date.now() < deadlineMs) await promisify(setImmediate)();
  await tamper('--heal');
  return code;
}

/** The figures as the JSON line has them. */
export function toJson(figures: MainJobFigures, rawOnChainBytes: number): JsonObject {
  const { records, payloadBytes, onChainBytes, ledger, ...rest } = figures;
  return { records, payloadBytes, onChainBytes, rawOnChainBytes, ...rest, ...ledgerJson(ledger) };
}

function ledgerJson(ledger: LedgerFigures | null): JsonObject {
  if (ledger === null) return {};
  const { blocks, anchors, failover, rewrite } = ledger;
  return { blocks, anchors, failover: { ...failover }, rewrite: { code: rewrite.code } };
}
