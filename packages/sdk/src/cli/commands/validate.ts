import type { Command } from '../context.ts';
import { exitCodeFor, exitCodes, gravest } from '../exit-codes.ts';
import { openFiles } from '../files.ts';
import { table } from '../output.ts';

/** `waymark validate FILE...`: reads files as `submit` would, without a network. */
export const validate: Command<{ readonly files: readonly string[] }> = async ({ output }, { files }) => {
  const { good, refused } = await openFiles(files, output);
  const errors = refused.map(({ shown }) => shown);
  output.result(
    {
      ...errors[0],
      files: good.map(({ path, format, count }) => ({ file: path, format, records: count })),
      records: good.reduce((sum, { count }) => sum + count, 0),
      ...(errors.length === 0 ? {} : { errors }),
    },
    [
      ...table(good.map(({ path, format, count }) => [path, format, `${count} records`])),
      ...errors.map(({ message }) => `refused  ${message}`),
    ],
  );
  const worst = gravest(errors.map(({ code }) => code));
  return worst === undefined ? exitCodes.done : exitCodeFor(worst);
};
