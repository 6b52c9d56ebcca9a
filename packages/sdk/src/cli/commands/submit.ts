import type { RecordFile } from '@waymark/capture';
import type { ErrorCode } from '@waymark/protocol';
import { type SubmitProgress, type SubmitState, submitStates } from '../../submit/submit-records.ts';
import { type Command, withConnection } from '../context.ts';
import { exitCodeFor, exitCodes, gravest } from '../exit-codes.ts';
import { openFiles, recordsOf } from '../files.ts';
import { type ShownError, shownError, table } from '../output.ts';
import { showProgress } from '../progress.ts';

const maxErrorsNamed = 20;

interface FileTally {
  readonly file: string;
  readonly format: string;
  readonly records: number;
  submitted: number;
  repeated: number;
  failed: number;
}

/** `waymark submit FILE...` */
export const submit: Command<{ readonly files: readonly string[]; readonly until: SubmitState }> = async (
  context,
  { files, until },
) => {
  const { io, output } = context;
  const startedMs = performance.now();
  const { good, refused } = await openFiles(files, output);
  const errors: ShownError[] = refused.map(({ shown }) => shown);
  const codes: ErrorCode[] = errors.map(({ code }) => code);
  const tallies = good.map(tallyOf);
  const evidence = new Set<string>();
  const rejections = new Map<string, number>();
  const total = good.reduce((sum, { count }) => sum + count, 0);
  if (total > 0) {
    const progress = await showProgress(io, 'submitted', total);
    try {
      await withConnection(context, async (waymark) => {
        let done = 0;
        let detail = '';
        const onProgress = ({ reached }: SubmitProgress): void => {
          detail = submitStates
            .flatMap((state) => (reached[state] === 0 ? [] : [`${reached[state]} ${state}`]))
            .join(', ');
          progress.update(done, detail);
        };
        for await (const result of waymark.submit(recordsOf(good), { until, onProgress })) {
          const tally = fileOf(tallies, result.index);
          if ('receipt' in result) {
            if (tally !== undefined) tally[result.receipt.repeated ? 'repeated' : 'submitted'] += 1;
            evidence.add(result.receipt.evidenceId);
          } else {
            if (tally !== undefined) tally.failed += 1;
            codes.push(result.error.code);
            const { code, details } = result.error;
            if (code === 'audit-rejected') {
              const reason = String(details['reason']);
              rejections.set(reason, (rejections.get(reason) ?? 0) + 1);
            }
            const file = tally === undefined ? {} : { file: tally.file };
            if (errors.length < maxErrorsNamed) errors.push({ ...shownError(result.error), ...file });
          }
          done += 1;
          progress.update(done, detail);
        }
      });
    } finally {
      progress.stop();
    }
  }
  const sum = (key: 'submitted' | 'repeated' | 'failed'): number => tallies.reduce((of, tally) => of + tally[key], 0);
  output.result(
    {
      ...errors[0],
      state: until,
      records: total,
      submitted: sum('submitted'),
      repeated: sum('repeated'),
      failed: sum('failed'),
      evidence: evidence.size,
      durationMs: Math.round(performance.now() - startedMs),
      files: tallies,
      ...(rejections.size === 0 ? {} : { rejected: Object.fromEntries(rejections) }),
      ...(errors.length === 0 ? {} : { errors }),
    },
    [
      ...table(
        tallies.map((of) => [
          of.file,
          of.format,
          `${of.submitted} ${until}`,
          `${of.repeated} repeated`,
          `${of.failed} failed`,
        ]),
      ),
      ...(total > 0 ? [`${sum('submitted') + sum('repeated')} records in ${evidence.size} batches`] : []),
      ...[...rejections].map(([reason, count]) => `rejected  ${count} records: ${reason}`),
      ...errors.map(({ code, message }) => `failed  ${message} (${code})`),
    ],
  );
  const worst = gravest(codes);
  return worst === undefined ? exitCodes.done : exitCodeFor(worst);
};

function tallyOf({ path, format, count }: RecordFile): FileTally {
  return { file: path, format, records: count, submitted: 0, repeated: 0, failed: 0 };
}

function fileOf(tallies: readonly FileTally[], index: number): FileTally | undefined {
  let first = 0;
  return tallies.find(({ records }) => {
    first += records;
    return index < first;
  });
}
