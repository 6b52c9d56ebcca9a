import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Runtime, runtimes } from '@waymark/network';
import { WaymarkError } from '@waymark/protocol';

/** What `npm start` was asked to do. */
export interface StartArguments {
  /** Do the main job once, from nothing, and stop. */
  readonly once: boolean;
  readonly json: boolean;
  /** Undefined: `.waymark` here, or with `--once` a temporary folder. */
  readonly dataDir: string | undefined;
  readonly inputs: readonly string[];
  readonly runtime: Runtime;
}

export const usage = `usage: npm start -- [--once] [--json] [--runtime RUNTIME] [--data DIR] [--input FILE...]

  --once        do the main job from nothing, print the figures, stop
  --json        print the figures as one JSON line, the last of stdout
  --runtime RUNTIME  embedded (default; needs nothing but npm), native (Fabric and kubo from PATH) or docker (Compose v2)
  --data DIR    keep everything in DIR (default: .waymark; with --once a temporary folder)
  --input FILE  records to load instead of the sample; may be given several times
`;

/** @throws WaymarkError input-invalid */
export function readArguments(args: readonly string[], repository: string): StartArguments {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        once: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        data: { type: 'string' },
        runtime: { type: 'string', default: 'embedded' },
        input: { type: 'string', multiple: true },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    // `--input A B C` reads as one option and two words; both are files.
    const given = [...(values.input ?? []), ...(values.input === undefined ? [] : positionals)];
    if (values.input === undefined && positionals.length > 0) throw new Error(`what is "${positionals[0] ?? ''}"?`);
    const inputs =
      given.length > 0
        ? given.map((file) => resolve(file))
        : [join(repository, 'examples', 'samples', 'cold-chain.jsonld')];
    const { once, json, data } = values;
    const runtime = runtimes.find((name) => name === values.runtime);
    if (runtime === undefined) throw new Error(`--runtime takes ${runtimes.join(' or ')}`);
    const dataDir = data === undefined ? undefined : resolve(data);
    if (once && dataDir !== undefined && existsSync(join(dataDir, 'ports.json'))) {
      throw new Error(`${dataDir} holds a consortium already; --once starts from nothing`);
    }
    return { once, json, dataDir, inputs, runtime };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'wrong arguments';
    throw new WaymarkError('input-invalid', `${reason}; see npm start -- --help`, { cause });
  }
}
