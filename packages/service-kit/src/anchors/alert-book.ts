import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { waitBackoff, type Backoff } from '@waymark/fabric';
import { privateFileSystem, type RenamingFileSystem } from '@waymark/durable-files';
import { isWaymarkError } from '@waymark/protocol';
import { Counter, Gauge, type Registry } from 'prom-client';
import { z } from 'zod';
import type { Component } from '../lifecycle/component.ts';
import type { Logger } from '../log/logger.ts';
import { alertId, describeAlert, placeOf, type AlertFile, type LedgerAlert } from './alert.ts';
import type { ReportedProof, ReportOutcome } from './anchor-contract.ts';

/** What an alert book is made of. */
export interface AlertBookParts {
  /** `<dataFolder>/ledger/alerts`; made when it is not there. */
  readonly folder: string;
  readonly ledger: string;
  readonly member: string;
  readonly logger: Logger;
  readonly registry?: Registry;
  /** Takes a proof to the channel (`AnchorContract.report`); without it proofs stay in their files. */
  readonly report?: (proof: ReportedProof) => Promise<ReportOutcome>;
  /** Wait before a report is tried again. Default 1,000 to 60,000. */
  readonly retry?: Backoff;
  readonly nowMs?: () => number;
  readonly files?: RenamingFileSystem;
}

/** A raised alert in brief. */
export interface AlertEntry {
  readonly id: string;
  readonly kind: LedgerAlert['kind'];
  readonly height: number;
  /** File name in the book's folder. */
  readonly file: string;
  /** `none`: no case for the channel; `waiting`; `reported`; `refused`: the channel did not take it. */
  readonly report: 'none' | 'waiting' | 'reported' | 'refused';
}

/** Alerts about a private ledger: each is one file, synced before `raise` resolves, logged, counted, and reported on the channel where that is possible. */
export interface AlertBook extends Component {
  /**
   * The same alert again changes nothing, unless it brings the proof that the one before had not: two watchers may find the same, one of them first.
   * @returns whether it was new, or its proof; @throws WaymarkError `unavailable` when the file could not be written: the alert is logged all the same
   */
  raise(alert: LedgerAlert): Promise<boolean>;
  /** All alerts of this folder. */
  entries(): readonly AlertEntry[];
}

/** Beyond so many files alerts are logged and counted only: somebody who can provoke them must not fill the disk. */
const maxAlerts = 1_000;
const maxFileBytes = 4 * 1024 * 1024;
const storedSchema = z.object({
  kind: z.enum(['anchor-mismatch', 'chain-damaged', 'equivocation', 'refused', 'forgotten', 'held-back']),
  facts: z.object({ height: z.int().default(0) }),
  proof: z
    .object({
      type: z.enum(['ledger-equivocation', 'ledger-fork', 'ledger-held-back']),
      bytes: z.string().max(maxFileBytes),
    })
    .nullable(),
});
const reportSchema = z.object({ state: z.enum(['reported', 'refused']) });

/** Opens the book of a folder; `start` goes on with reports that were not made yet. */
export async function openAlertBook(parts: AlertBookParts): Promise<AlertBook> {
  const { folder, ledger, member, report, files = privateFileSystem, nowMs = Date.now } = parts;
  const { retry = { baseMs: 1_000, maxMs: 60_000 } } = parts;
  const logger = parts.logger.child({ component: 'ledger-alerts' });
  await files.makeFolder(folder);
  const known = new Map<string, AlertEntry & { readonly proof: ReportedProof | null }>();
  const raised = registerMetrics(parts.registry, () => known.size);
  let stopping = new AbortController();
  let woken = new AbortController();
  let running: Promise<void> | undefined;

  await restore();

  async function restore(): Promise<void> {
    const names = new Set(await files.list(folder));
    for (const file of [...names].sort().slice(0, 4 * maxAlerts)) {
      const [, id = ''] = /^[a-z-]+-([0-9a-f]{32})\.json$/.exec(file) ?? [];
      if (id === '') continue;
      try {
        const { kind, facts, proof } = storedSchema.parse(JSON.parse(await readText(files, join(folder, file))));
        const decoded = proof === null ? null : { type: proof.type, bytes: Buffer.from(proof.bytes, 'base64url') };
        const done = names.has(reportFile(file))
          ? reportSchema.parse(JSON.parse(await readText(files, join(folder, reportFile(file))))).state
          : 'waiting';
        known.set(id, {
          id,
          kind,
          height: facts.height,
          file,
          report: decoded === null ? 'none' : done,
          proof: decoded,
        });
      } catch (error) {
        logger.warn('the file of an alert cannot be read', { reason: file, error });
      }
    }
  }

  async function put(file: string, content: object): Promise<void> {
    const path = join(folder, file);
    await files.remove(`${path}.new`);
    const handle = await files.openFile(`${path}.new`, 'write');
    try {
      await handle.write(Buffer.from(`${JSON.stringify(content, null, 2)}\n`), 0);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await files.rename(`${path}.new`, path);
    await files.syncFolder(folder);
  }

  async function reportAll(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted;) {
      woken = new AbortController();
      const waiting = [...known.values()].find((entry) => entry.report === 'waiting');
      if (waiting === undefined || report === undefined) {
        await sleep(longestWaitMs, undefined, { signal: AbortSignal.any([stopping.signal, woken.signal]) }).catch(
          () => undefined,
        );
        continue;
      }
      try {
        await reportOne(waiting, report);
        failures = 0;
      } catch (error) {
        failures += 1;
        logger.warn('an alert is not on the channel yet', { kind: waiting.kind, height: waiting.height, error });
        await waitBackoff(retry, failures, stopping.signal);
      }
    }
  }

  async function reportOne(
    entry: AlertEntry & { readonly proof: ReportedProof | null },
    send: NonNullable<typeof report>,
  ): Promise<void> {
    if (entry.proof === null) return;
    let outcome: object;
    let state: 'reported' | 'refused' = 'reported';
    try {
      const { id, txId, blockNumber, proven } = await send(entry.proof);
      outcome = { id, txId, blockNumber: String(blockNumber), proven };
      logger.warn('an alert was reported on the channel', { kind: entry.kind, height: entry.height, txId });
    } catch (error) {
      // Too early for a held-back claim, or a channel that does not answer: both pass.
      if (!isWaymarkError(error) || isPassing.has(error.code)) throw error;
      state = 'refused';
      outcome = { code: error.code, reason: error.details['reason'] ?? null };
      logger.error('the channel did not take an alert', { kind: entry.kind, height: entry.height, error });
    }
    await put(reportFile(entry.file), { v: 1, type: 'waymark/ledger-alert-report', state, ...outcome });
    known.set(entry.id, { ...entry, report: state });
  }

  const writing = new Map<string, Promise<boolean>>();
  async function raise(alert: LedgerAlert, id: string): Promise<boolean> {
    const { height, term } = placeOf(alert);
    const { kind } = alert;
    const facts = { kind, height, ...(term === undefined ? {} : { term }) };
    raised.inc({ kind });
    logger.error('alert: the private ledger is not as it must be', facts);
    if (known.size >= maxAlerts) {
      logger.error('too many alerts: this one has no file', facts);
      return false;
    }
    const described = describeAlert(alert, ledger);
    const file = `${kind}-${id}.json`;
    const content: AlertFile = { ...described, member, raisedAt: new Date(nowMs()).toISOString() };
    await put(file, content);
    const proof =
      described.proof === null
        ? null
        : { type: described.proof.type, bytes: Buffer.from(described.proof.bytes, 'base64url') };
    known.set(id, { id, kind, height, file, report: proof === null ? 'none' : 'waiting', proof });
    woken.abort();
    return true;
  }

  return {
    name: 'ledger-alerts',
    start() {
      if (running !== undefined) return;
      stopping = new AbortController();
      running = reportAll();
    },
    async stop() {
      stopping.abort();
      await running;
      running = undefined;
      await Promise.allSettled(writing.values());
    },
    async raise(alert) {
      const id = alertId(alert, ledger);
      for (let under = writing.get(id); under !== undefined; under = writing.get(id)) await under.catch(() => false);
      const held = known.get(id);
      if (held !== undefined && (held.proof !== null || describeAlert(alert, ledger).proof === null)) return false;
      const work = raise(alert, id).finally(() => writing.delete(id));
      writing.set(id, work);
      return work;
    },
    entries: () => [...known.values()].map(({ proof: _, ...entry }) => entry),
  };
}

const longestWaitMs = 3_600_000;
const isPassing: ReadonlySet<string> = new Set([
  'unavailable',
  'sequence-gap',
  'transaction-invalid',
  'chaincode-error',
]);

function reportFile(file: string): string {
  return file.replace(/\.json$/, '.report');
}

async function readText(files: RenamingFileSystem, path: string): Promise<string> {
  const handle = await files.openFile(path, 'read');
  try {
    const bytes = new Uint8Array(Math.min(await handle.sizeBytes(), maxFileBytes));
    await handle.read(bytes, 0);
    return Buffer.from(bytes).toString('utf8');
  } finally {
    await handle.close();
  }
}

function registerMetrics(registry: Registry | undefined, stored: () => number): Pick<Counter<'kind'>, 'inc'> {
  const registers = registry === undefined ? [] : [registry];
  new Gauge({
    name: 'waymark_ledger_alerts_stored',
    help: 'Alerts about the private ledger that have a file.',
    registers,
    collect() {
      this.set(stored());
    },
  });
  return new Counter({
    name: 'waymark_ledger_alerts_total',
    help: 'Alerts about the private ledger since the start, by kind.',
    labelNames: ['kind'],
    registers,
  });
}
