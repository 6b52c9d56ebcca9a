import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Runtime, runtimes } from '@waymark/network';
import { WaymarkError } from '@waymark/protocol';

export const verbs = ['up', 'deploy', 'demo', 'status', 'logs', 'add-org', 'drill', 'down', 'clean'] as const;
export type Verb = (typeof verbs)[number];

/** What `./test-network.sh` was asked to do. */
export interface NetworkArguments {
  readonly verb: Verb;
  readonly dataDir: string;
  readonly json: boolean;
  /** Undefined: what the folder was made with, or the best that this machine has. */
  readonly runtime: Runtime | undefined;
  readonly topologyFile: string;
  /** Whether it was asked for by name; else it is S12's, for a network that is begun. */
  readonly topologyAsked: boolean;
  readonly ordering: 'raft' | 'bft' | undefined;
  readonly orderers: number | undefined;
  readonly version: string | undefined;
  /** Docker: exact version of Fabric's images; undefined: the newest that is tested. */
  readonly fabricVersion: string | undefined;
  /** Docker: address on which users' ports are published; undefined: 127.0.0.1. */
  readonly publish: string | undefined;
  readonly input: readonly string[];
  readonly follow: boolean;
  readonly lines: number;
  /** What follows the verb. */
  readonly words: readonly string[];
}

const repository = join(import.meta.dirname, '..', '..');
const topologies: Readonly<Record<string, string>> = {
  s12: join(repository, 'network', 'topology.yaml'),
  full: join(repository, 'network', 'topology.full.yaml'),
};
const mostLines = 100_000;

export const networkUsage = `usage: ./test-network.sh VERB [options]

  up        bring the network up, or the rest of it after a failure; what is up already is left as it is
  deploy    bring the chaincode onto the channel; with --version V other than the committed one, upgrade it
  demo      load the samples into the running network and ask each kind of query   [--input FILE...]
  status    heights, orderers, pins, services, certificates
  logs      NAME: what a process has logged; without NAME: which there are   [--lines N] [--follow]
  add-org   FILE: bring one more organisation in while everything runs (YAML, as one of the topology's organisations)
  drill     NAME: break something on purpose and see it noticed; without NAME: which there are
  down      stop everything; what it holds stays
  clean     stop everything and remove what the network has made

  --data DIR          the network's folder (default: .waymark-network here)
  --runtime RUNTIME   embedded (npm alone), native (peer, orderer, ipfs from PATH) or docker (Compose v2);
                      default: docker where an engine answers, else native where the programs are, else embedded
  --topology FILE     s12 (default: one orderer, two firms), full (producer, two firms, seller, two regulators) or a file
  --ordering TYPE     raft or bft instead of the topology's
  --orderers N        as many orderers instead of the topology's
  --fabric-version V  docker: exact version of Fabric's images, such as 2.5.16 (default: 3.1.5)
  --publish ADDRESS   docker: address of this machine on which users' ports are published (default: 127.0.0.1)
  --json              results as one JSON line on stdout
`;

/** @throws WaymarkError input-invalid */
export function readNetworkArguments(args: readonly string[]): NetworkArguments {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        data: { type: 'string', default: '.waymark-network' },
        runtime: { type: 'string' },
        topology: { type: 'string' },
        ordering: { type: 'string' },
        orderers: { type: 'string' },
        version: { type: 'string' },
        'fabric-version': { type: 'string' },
        publish: { type: 'string' },
        input: { type: 'string', multiple: true, default: [] },
        follow: { type: 'boolean', short: 'f', default: false },
        lines: { type: 'string', default: '100' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(networkUsage);
      process.exit(0);
    }
    const [word, ...words] = positionals;
    const verb = oneOf('the verb', word, verbs);
    if (verb === undefined) throw new Error(`say what to do: ${verbs.join(', ')}`);
    const most = verb === 'logs' || verb === 'add-org' || verb === 'drill' ? 1 : 0;
    if (words.length > most) throw new Error(`what is "${words[most] ?? ''}"?`);
    if (values.data === '') throw new Error('--data takes a folder');
    const topology = values.topology ?? 's12';
    const topologyFile = topologies[topology] ?? resolve(topology);
    if (!existsSync(topologyFile)) throw new Error(`there is no topology ${topology}`);
    return {
      verb,
      dataDir: resolve(values.data),
      json: values.json,
      runtime: oneOf('--runtime', values.runtime, runtimes),
      topologyFile,
      topologyAsked: values.topology !== undefined,
      ordering: oneOf('--ordering', values.ordering, ['raft', 'bft'] as const),
      orderers: wholeNumber('--orderers', values.orderers, 64),
      version: values.version,
      fabricVersion: matching(
        '--fabric-version',
        values['fabric-version'],
        /^[23]\.\d{1,2}\.\d{1,3}$/,
        'an exact version',
      ),
      publish: matching('--publish', values.publish, { test: (text) => isIP(text) !== 0 }, 'an IP address'),
      input: values.input.map((file) => resolve(file)),
      follow: values.follow,
      lines: wholeNumber('--lines', values.lines, mostLines) ?? 0,
      words,
    };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'wrong arguments';
    throw new WaymarkError('input-invalid', `${reason}; see ./test-network.sh --help`, { cause });
  }
}

function oneOf<T extends string>(option: string, given: string | undefined, known: readonly T[]): T | undefined {
  if (given === undefined) return undefined;
  const found = known.find((name) => name === given);
  if (found === undefined) throw new Error(`${option} takes ${known.join(', ')}`);
  return found;
}

function matching(
  option: string,
  given: string | undefined,
  form: { test(text: string): boolean },
  expected: string,
): string | undefined {
  if (given !== undefined && !form.test(given)) throw new Error(`${option} takes ${expected}`);
  return given;
}

function wholeNumber(option: string, given: string | undefined, most: number): number | undefined {
  if (given === undefined) return undefined;
  const value = Number(given);
  if (!/^[0-9]+$/.test(given) || value < 1 || value > most)
    throw new Error(`${option} takes a number from 1 to ${most}`);
  return value;
}
