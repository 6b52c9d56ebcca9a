import { contentDigest, type ErrorCode, formatTime } from '@waymark/protocol';
import type { LedgerPlace } from '@waymark/reading';
import type { TraceQuery } from '../../trace/queries.ts';
import type { TraceAnswer, TracedRecord } from '../../trace/trace.ts';
import {
  type Command,
  type CommandContext,
  queryOf,
  type QueryOptions,
  usageError,
  withConnection,
} from '../context.ts';
import { type ExitCode, exitCodeFor, exitCodes, gravest } from '../exit-codes.ts';
import { openFiles, recordsOf } from '../files.ts';
import { notice, printable, table } from '../output.ts';
import { showProgress } from '../progress.ts';

/** How to ask. */
export interface TraceOptions extends QueryOptions {
  readonly files: readonly string[];
  readonly mode: 'trusted' | 'fast';
  /** Prints the payload as well. */
  readonly show: boolean;
}

/** `waymark trace`: one query, or every record of files compared with what was recorded. */
export const trace: Command<TraceOptions> = async (context, options) => {
  const query = queryOf(options);
  if ((query === undefined) === (options.files.length === 0)) {
    throw usageError('Give either files, or one of --event, --id and --oid.');
  }
  return query === undefined ? traceFiles(context, options) : traceQuery(context, query, options);
};

async function traceQuery(context: CommandContext, query: TraceQuery, { mode, show }: TraceOptions): Promise<ExitCode> {
  const answer = await withConnection(context, (waymark): Promise<TraceAnswer> =>
    mode === 'fast' ? waymark.trace(query, { mode }) : waymark.trace(query, { mode }),
  );
  const records = answer.records.map((record) => describe(record, show));
  context.output.result({ trust: answer.trust, attestedBy: answer.attestedBy, more: answer.more, records, notice }, [
    ...records.flatMap(({ content, ...facts }) => [
      ...table(Object.entries(facts).map(([name, value]) => [name, textOf(value)])),
      ...(content === undefined ? [] : [printable(JSON.stringify(content))]),
      '',
    ]),
    trustLine(answer.trust, answer.attestedBy),
    ...(answer.more ? ['There are more records under this id than are given at once.'] : []),
    notice,
  ]);
  return exitCodes.done;
}

function textOf(fact: string | number | LedgerPlace): string {
  return typeof fact === 'object' ? ledgerText(fact) : String(fact);
}

function describe(record: TracedRecord, show: boolean) {
  const { content, collectedMs, recordOid, evidenceId, cid } = record;
  return {
    eventId: content.eventId,
    revision: content.revision,
    schema: content.schema,
    collected: formatTime(collectedMs),
    recordOid,
    evidenceId,
    cid,
    contentDigest: contentDigest(content.payload),
    ...('ledger' in record && record.ledger !== null ? { ledger: record.ledger } : {}),
    ...(show ? { content } : {}),
  };
}

async function traceFiles(context: CommandContext, { files, mode }: TraceOptions): Promise<ExitCode> {
  const { io, output } = context;
  const startedMs = performance.now();
  const { good, refused } = await openFiles(files, output);
  const errors = refused.map(({ shown }) => shown);
  const total = good.reduce((sum, { count }) => sum + count, 0);
  const progress = await showProgress(io, 'traced', total);
  const summary = await withConnection(context, (waymark) =>
    waymark.traceFile(recordsOf(good), { mode, onProgress: ({ asked }) => progress.update(asked) }),
  ).finally(() => progress.stop());
  const { asked, matched, trust, attestedBy, failed, unmatched } = summary;
  const worst = gravest([...errors.map(({ code }) => code), ...(Object.keys(failed) as ErrorCode[])]);
  const message =
    errors[0]?.message ?? `${asked - matched} of ${asked} records did not come back as they are in the file.`;
  output.result(
    {
      ...(worst === undefined ? {} : { code: worst, message, ...errors[0] }),
      asked,
      matched,
      trust,
      attestedBy,
      durationMs: Math.round(performance.now() - startedMs),
      ...(worst === undefined ? {} : { failed, unmatched: unmatched.slice(0, 20), errors }),
      notice,
    },
    [
      `${matched} of ${asked} records came back with the content that is in the file`,
      ...Object.entries(failed).map(([code, count]) => `${count} ${code}`),
      ...table(unmatched.slice(0, 20).map(({ code, eventId, message: reason }) => [code, eventId, reason])),
      ...errors.map(({ message: reason }) => `refused  ${reason}`),
      trustLine(trust, attestedBy),
      notice,
    ],
  );
  return worst === undefined ? exitCodes.done : exitCodeFor(worst);
}

function trustLine(trust: TracedRecord['trust'], attestedBy: readonly string[]): string {
  switch (trust) {
    case 'anchored':
      return `trust: anchored (proven against the channel; attested by ${attestedBy.join(', ')})`;
    case 'confirmed':
      return "trust: confirmed (by the members of the firm's private ledger; the channel does not hold the block yet)";
    case 'unverified':
      return 'trust: unverified (as one node has it; ask again with --trusted for a proof)';
  }
}

/** The way from a record to the transaction that anchored it. */
function ledgerText({ height, blockHash, anchor }: LedgerPlace): string {
  const block = `block ${height} (${blockHash})`;
  return anchor === null ? `${block}, not anchored yet` : `${block}, anchored with blocks ${anchor.first} to ${anchor.last} by transaction ${anchor.txId}`; // prettier-ignore
}
