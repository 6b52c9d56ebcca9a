import { type Command, withConnection } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { table } from '../output.ts';

/** `waymark status`: what the service behind the profile says of itself. */
export const status: Command<object> = async (context) => {
  const answer = await withConnection(context, (waymark) => waymark.status());
  context.output.result(
    answer,
    table(
      Object.entries(answer).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    ),
  );
  return exitCodes.done;
};
