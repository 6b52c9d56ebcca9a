import { contentDigest, type ErrorCode, type ShipmentRecord } from '@waymark/protocol';
import { type TracedRecord, type TraceManyOptions, traceMany, type TraceOutcome, type Tracing } from './trace.ts';

/** One record that did not come back as it is in the file. */
export interface UnmatchedRecord {
  /** Place in the input, from 0. */
  readonly index: number;
  readonly eventId: string;
  /** A code of docs/errors.md; `conflict` when a record came back whose content is another. */
  readonly code: ErrorCode;
  readonly message: string;
}

/** How many records were asked for, and how many came back equal. */
export interface ComparisonSummary {
  readonly asked: number;
  /** Content digest equal to the one computed from the input. */
  readonly matched: number;
  /** The least of all answers. */
  readonly trust: TracedRecord['trust'];
  readonly attestedBy: readonly string[];
  /** How many did not match, by code. */
  readonly failed: Readonly<Partial<Record<ErrorCode, number>>>;
  /** The first hundred of them. */
  readonly unmatched: readonly UnmatchedRecord[];
}

/** How to compare. */
export interface CompareOptions extends TraceManyOptions {
  readonly onProgress?: (progress: { readonly asked: number; readonly matched: number }) => void;
}

interface Expected {
  readonly eventId: string;
  readonly revision: number;
  readonly digest: string;
}

const maxUnmatchedNamed = 100;

/**
 * Asks for every record by its event id and compares content digests: does what was recorded equal what is at hand?
 * @throws WaymarkError as traceMany
 */
export async function compareRecords(
  tracing: Tracing,
  records: Iterable<ShipmentRecord> | AsyncIterable<ShipmentRecord>,
  { onProgress, ...options }: CompareOptions = {},
): Promise<ComparisonSummary> {
  const expected: Expected[] = [];
  const failed: Partial<Record<ErrorCode, number>> = {};
  const unmatched: UnmatchedRecord[] = [];
  const attestedBy = new Set<string>();
  let asked = 0;
  let matched = 0;
  let trust: TracedRecord['trust'] = options.mode === 'fast' ? 'unverified' : 'anchored';

  async function* queries(): AsyncGenerator<{ eventId: string }> {
    for await (const { eventId, revision, payload } of records) {
      expected.push({ eventId, revision, digest: contentDigest(payload) });
      yield { eventId };
    }
  }
  for await (const outcome of traceMany(tracing, queries(), options)) {
    const record = expected.shift();
    if (record === undefined) break;
    const verdict = judge(record, outcome);
    if ('answer' in outcome) {
      for (const organisation of outcome.answer.attestedBy) attestedBy.add(organisation);
      if (outcome.answer.trust !== 'anchored') trust = outcome.answer.trust;
    }
    if (verdict === undefined) matched += 1;
    else {
      failed[verdict.code] = (failed[verdict.code] ?? 0) + 1;
      if (unmatched.length < maxUnmatchedNamed) unmatched.push({ index: asked, eventId: record.eventId, ...verdict });
    }
    asked += 1;
    onProgress?.({ asked, matched });
  }
  return { asked, matched, trust, attestedBy: [...attestedBy], failed, unmatched };
}

function judge(expected: Expected, outcome: TraceOutcome): { code: ErrorCode; message: string } | undefined {
  if ('error' in outcome) return { code: outcome.error.code, message: outcome.error.message };
  const same = outcome.answer.records.filter(({ content }) => content.revision === expected.revision);
  if (same.length === 0) return { code: 'refused', message: 'There is no record of this revision.' };
  if (same.some(({ content }) => contentDigest(content.payload) === expected.digest)) return undefined;
  return { code: 'conflict', message: 'The recorded content is another than the one at hand.' };
}
