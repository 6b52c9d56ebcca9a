import { WaymarkError } from '@waymark/protocol';
import type { RecordEntry, Submission } from '@waymark/rsl';
import type { Rule } from '../rule.ts';
import { type ContentFinding, type EnvelopeFacts, type EnvelopeFinding, headerOf, type RecordFacts } from './facts.ts';
import { type FactSources, factsOfSubmission } from './record-facts.ts';
import type { Finding, SubmissionFindings } from './store.ts';

/** One record's place, as ports are told of it. */
export interface RecordPlace {
  readonly submission: Submission;
  readonly index: number;
  /** Lower-case hex. */
  readonly oid: string;
  /** Of the envelope, 36 bytes. */
  readonly cid: Uint8Array;
}

type Soon<T> = T | Promise<T>;

function isPending<T extends object | string>(value: Soon<T>): value is Promise<T> {
  return typeof value === 'object' && 'then' in value;
}

/** The world, as far as an audit asks it. Ports that have the answer in hand give it at once; a promise costs time for every record. */
export interface GatherPorts {
  /** The envelope's header. `absent` only when it is certain; a port that cannot tell throws. */
  readonly envelope?: (place: RecordPlace, signal: AbortSignal) => Soon<EnvelopeFinding>;
  /** The record inside; `sealed` where no key is held. */
  readonly content?: (place: RecordPlace, header: EnvelopeFacts, signal: AbortSignal) => Soon<ContentFinding>;
}

/** How facts are gathered. */
export interface GatherOptions extends FactSources {
  readonly rules: readonly Rule[];
  readonly ports?: GatherPorts;
  /** This member's clock. */
  readonly nowMs: number;
  /** 0 at the center. */
  readonly toleranceMs?: number;
  /** Which records' envelopes are looked at; without it all of them. */
  readonly sample?: { readonly records: number; readonly random: () => number };
  /** How many port calls may be under way at once. */
  readonly concurrency?: number;
  /** For the whole submission. */
  readonly timeoutMs?: number;
}

/**
 * Finds out what the audit of a submission needs to know and comes to a verdict on every record. Nothing is concluded when a port fails or time runs out: a center
 * then takes the submission later, a department goes by what it can see itself.
 * @returns reasons by oid; findings only of sampled records
 * @throws WaymarkError unavailable (time, a port), input-invalid (the attachment)
 */
export async function gatherFacts(submission: Submission, options: GatherOptions): Promise<SubmissionFindings> {
  const { ports = {}, rules, nowMs, toleranceMs = 0, sample, concurrency = 16, timeoutMs = 10_000 } = options;
  const facts = factsOfSubmission(submission, options);
  const standing = options.standingOf(facts.statement, submission);
  const context = { nowMs, toleranceMs };
  const verdicts = new Map<string, string>();
  const findings = new Map<string, Finding>();
  const sampled = sample === undefined ? null : sampleOf(submission.records.length, sample.records, sample.random);

  const judge = (index: number, entry: RecordEntry, finding?: Finding): void => {
    const record = facts.of(index, entry, standing, finding);
    const reason = firstReason(rules, record, context);
    if (reason !== null) verdicts.set(entry.oid, reason);
    if (sampled !== null && finding !== undefined) findings.set(entry.oid, finding);
  };

  const slow = new SlowWork(concurrency, timeoutMs);
  try {
    for (let index = 0; index < submission.records.length; index += 1) {
      const entry = submission.records[index] as RecordEntry;
      const cid = facts.cids[index];
      if (cid === undefined || ports.envelope === undefined || (sampled !== null && !sampled.has(index))) {
        judge(index, entry);
        continue;
      }
      const found = look(ports, { submission, index, oid: entry.oid, cid }, slow.signal);
      if (!isPending(found)) judge(index, entry, found);
      else {
        slow.add(found.then((finding) => judge(index, entry, finding)));
        if (slow.isFull) await slow.room();
      }
    }
    await slow.done();
  } catch (cause) {
    throw new WaymarkError('unavailable', 'What the audit has to look at could not be reached in time.', { cause });
  } finally {
    slow.end();
  }
  return { verdicts, findings };
}

/** The first reason that a rule has against a record. */
export function firstReason(
  rules: readonly Rule[],
  record: RecordFacts,
  context: { readonly nowMs: number; readonly toleranceMs: number },
): string | null {
  for (const rule of rules) {
    const reason = rule.check(record, context);
    if (reason !== null) return reason;
  }
  return null;
}

function look(ports: GatherPorts, place: RecordPlace, signal: AbortSignal): Soon<Finding> {
  const envelope = ports.envelope?.(place, signal) ?? 'not-looked';
  return isPending(envelope)
    ? envelope.then((found) => open(ports, place, found, signal))
    : open(ports, place, envelope, signal);
}

function open(ports: GatherPorts, place: RecordPlace, envelope: EnvelopeFinding, signal: AbortSignal): Soon<Finding> {
  const header = headerOf({ envelope });
  if (header === null || ports.content === undefined) return { envelope, content: 'sealed' };
  const content = ports.content(place, header, signal);
  return isPending(content) ? content.then((found) => ({ envelope, content: found })) : { envelope, content };
}

/** Distinct places, at random: a center must not know which records a department will look at. */
function sampleOf(count: number, wanted: number, random: () => number): ReadonlySet<number> {
  const places = Array.from({ length: count }, (_none, index) => index);
  const taken = Math.min(wanted, count);
  for (let index = 0; index < taken; index += 1) {
    const other = index + Math.min(count - index - 1, Math.floor(random() * (count - index)));
    [places[index], places[other]] = [places[other] as number, places[index] as number];
  }
  return new Set(places.slice(0, taken));
}

/** Work that waits for something: so much at once, and all of it within a time. */
class SlowWork {
  readonly #limit: number;
  readonly #timeoutMs: number;
  readonly #abort = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly cause: unknown } | undefined;
  #expiry: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(limit: number, timeoutMs: number) {
    this.#limit = limit;
    this.#timeoutMs = timeoutMs;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get isFull(): boolean {
    return this.#running.size >= this.#limit;
  }

  add(work: Promise<void>): void {
    const settled: Promise<void> = work
      .catch((cause: unknown) => {
        this.#failure ??= { cause };
      })
      .finally(() => this.#running.delete(settled));
    this.#running.add(settled);
  }

  /** Resolves when more may be added. @throws what failed */
  async room(): Promise<void> {
    while (this.isFull) await this.#next();
    if (this.#failure !== undefined) throw this.#failure.cause;
  }

  /** @throws what failed */
  async done(): Promise<void> {
    while (this.#running.size > 0) await this.#next();
    if (this.#failure !== undefined) throw this.#failure.cause;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  #next(): Promise<void> {
    this.#expiry ??= new Promise((_resolve, reject) => {
      this.#timer = setTimeout(() => reject(new Error('The time is over.')), this.#timeoutMs);
    });
    return Promise.race([...this.#running, this.#expiry]);
  }
}
