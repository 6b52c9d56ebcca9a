import { readAskerKeys } from '../../keys/asker-keys.ts';
import { type Command, usageError, withConnection } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { table } from '../output.ts';

/** What to permit. */
export interface AllowOptions {
  readonly consignment?: string;
  /** Key ids, or files with an asker's keys. */
  readonly askers: readonly string[];
}

/** `waymark allow`: who may ask external queries; with the outlet's own identity. Without a consignment it lists. */
export const allow: Command<AllowOptions> = async (context, { consignment, askers }) => {
  const { output } = context;
  if (consignment === undefined) {
    if (askers.length > 0) throw usageError('Say for which --consignment.');
    const lists = await withConnection(context, (waymark) => waymark.allowLists());
    output.result(
      { lists },
      table(lists.map(({ consignmentOid, seq, askerKids }) => [consignmentOid, `list ${seq}`, askerKids.join(' ')])),
    );
    return exitCodes.done;
  }
  const kids = await Promise.all(askers.map(kidOf));
  const list = await withConnection(context, (waymark) => waymark.allow(consignment, kids));
  output.result(list, [
    `list ${list.seq} of consignment ${list.consignmentOid}: ${
      list.askerKids.length === 0 ? 'nobody may ask' : list.askerKids.join(' ')
    }`,
  ]);
  return exitCodes.done;
};

async function kidOf(asker: string): Promise<string> {
  if (/^[A-Za-z0-9_-]{43}$/.test(asker)) return asker;
  return (await readAskerKeys(asker)).signing.kid;
}
