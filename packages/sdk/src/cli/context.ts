import { existsSync } from 'node:fs';
import { WaymarkError } from '@waymark/protocol';
import { connect, type Waymark } from '../connect.ts';
import { loadProfile } from '../profile/load-profile.ts';
import type { Profile } from '../profile/schema.ts';
import type { TraceQuery } from '../trace/queries.ts';
import type { ExitCode } from './exit-codes.ts';
import type { CliIo, Output } from './output.ts';

/** What every command is given. */
export interface CommandContext {
  readonly io: CliIo;
  readonly output: Output;
  /** `--profile`, $WAYMARK_PROFILE, or ./.waymark/profile.yaml. */
  readonly profileFile: string;
}

/** One command: options as commander gives them, already of the right form. */
export type Command<Options> = (context: CommandContext, options: Options) => Promise<ExitCode>;

/** Options that name what is asked for. */
export interface QueryOptions {
  readonly event?: string;
  readonly id?: string;
  readonly oid?: string;
}

const defaultProfile = '.waymark/profile.yaml';

/** Where the profile lies. */
export function profileFileOf(io: CliIo, option: string | undefined): string {
  return option ?? io.env['WAYMARK_PROFILE'] ?? defaultProfile;
}

/** The profile when there is one, for commands that can do without. */
export function profileIfAny({ profileFile }: CommandContext): Profile | undefined {
  return existsSync(profileFile) ? loadProfile(profileFile) : undefined;
}

/** Runs with a connection, and closes it. */
export async function withConnection<T>(
  { profileFile }: Pick<CommandContext, 'profileFile'>,
  run: (waymark: Waymark) => Promise<T>,
): Promise<T> {
  const waymark = connect(profileFile);
  try {
    return await run(waymark);
  } finally {
    await waymark.close();
  }
}

/** A command line that commander lets through and that has no meaning: exit code 2. */
export function usageError(message: string): WaymarkError {
  return new WaymarkError('input-invalid', message, { details: { usage: true } });
}

/** The one query that the options name, if any. @throws WaymarkError input-invalid */
export function queryOf({ event, id, oid }: QueryOptions): TraceQuery | undefined {
  const given = [event, id, oid].filter((option) => option !== undefined);
  if (given.length > 1) throw usageError('Give one of --event, --id and --oid.');
  if (event !== undefined) return { eventId: event };
  if (oid !== undefined) return { recordOid: oid.toLowerCase() };
  if (id === undefined) return undefined;
  const split = id.indexOf('=');
  if (split < 1 || split === id.length - 1) {
    throw usageError('--id takes TYPE=VALUE, such as sscc=095212345678901234.');
  }
  return { type: id.slice(0, split), value: id.slice(split + 1) };
}

/** The same, where one is needed. */
export function requiredQuery(options: QueryOptions): TraceQuery {
  const query = queryOf(options);
  if (query === undefined) throw usageError('Say what is asked for: --event, --id or --oid.');
  return query;
}
