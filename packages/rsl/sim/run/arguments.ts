import { parseArgs } from 'node:util';

export const usage = `npm run sim -- --seeds N [--from S] [--threads N] [--json]   run N seeds, S and following (1 by default)
npm run sim -- --seed S [--trace] [--planted BUG] [--json]   replay one seed
npm run sim -- --planted [--max-seeds N] [--threads N] [--json]   hunt every planted bug
npm run sim -- --control [--seeds N] [--json]   more departments in league than tolerated: must be caught`;

/** What the command line asks for. */
export type SimCommand =
  | { readonly kind: 'seeds' | 'control'; readonly count: number; readonly from: number; readonly threads: number }
  | { readonly kind: 'replay'; readonly seed: number; readonly trace: boolean; readonly bug: string | undefined }
  | { readonly kind: 'planted'; readonly maxSeeds: number; readonly threads: number };

/** What is wrong with the command line, in words for the person who typed it. */
export class SimUsageError extends Error {}

const limits = { seeds: 100_000_000, threads: 64, seed: Number.MAX_SAFE_INTEGER };

/** @throws SimUsageError for anything that is not one of the four forms above */
export function readSimArguments(args: readonly string[]): { command: SimCommand; json: boolean } {
  // `--planted` alone hunts all bugs; with `--seed` it takes the name of one. parseArgs knows no optional values.
  const words = [...args];
  const plantedAt = words.indexOf('--planted');
  if (plantedAt >= 0 && (words[plantedAt + 1] ?? '-').startsWith('-')) words[plantedAt] = '--planted-all';
  const values = parse(words);
  const json = values.json === true;
  const chosen = [values.seed !== undefined, values['planted-all'] === true, values.control === true];
  if (chosen.filter(Boolean).length > 1) throw new SimUsageError('--seed, --planted and --control exclude each other');
  const threads = whole(values.threads, 'threads', 2, 1, limits.threads);
  const only = (...allowed: string[]): void => {
    for (const name of Object.keys(values)) {
      if (name !== 'json' && !allowed.includes(name))
        throw new SimUsageError(`--${name.replace('-all', '')} has no meaning here`);
    }
  };
  if (values.seed !== undefined) {
    only('seed', 'trace', 'planted');
    const seed = whole(values.seed, 'seed', 1, 0, limits.seed);
    return { command: { kind: 'replay', seed, trace: values.trace === true, bug: values.planted }, json };
  }
  if (values['planted-all'] === true) {
    only('planted-all', 'max-seeds', 'threads');
    return {
      command: { kind: 'planted', maxSeeds: whole(values['max-seeds'], 'max-seeds', 1000, 1, limits.seeds), threads },
      json,
    };
  }
  only('seeds', 'from', 'threads', 'control');
  if (values.seeds === undefined && values.control !== true)
    throw new SimUsageError('one of --seeds, --seed, --planted and --control is needed');
  const kind = values.control === true ? 'control' : 'seeds';
  const count = whole(values.seeds, 'seeds', 50, 1, limits.seeds);
  return {
    command: { kind, count, from: whole(values.from, 'from', 1, 0, limits.seed - limits.seeds), threads },
    json,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: false,
      options: {
        seeds: { type: 'string' },
        from: { type: 'string' },
        seed: { type: 'string' },
        trace: { type: 'boolean' },
        planted: { type: 'string' },
        'planted-all': { type: 'boolean' },
        'max-seeds': { type: 'string' },
        control: { type: 'boolean' },
        threads: { type: 'string' },
        json: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new SimUsageError(error instanceof Error ? error.message : String(error));
  }
}

function whole(text: string | undefined, name: string, byDefault: number, low: number, high: number): number {
  if (text === undefined) return byDefault;
  const value = Number(text);
  if (!/^[0-9]{1,16}$/.test(text) || !Number.isSafeInteger(value) || value < low || value > high) {
    throw new SimUsageError(`--${name} wants a whole number from ${low} to ${high}, not "${text}"`);
  }
  return value;
}
