import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Runtime, runtimes } from '@waymark/network';
import { WaymarkError } from '@waymark/protocol';

/** What `npm run test:scenario` was asked to do. */
export interface ScenarioArguments {
  readonly runtime: Runtime;
  /** Native: the beginning of a version, `3.1` takes any 3.1.x. Docker: an exact one. Undefined: whatever is there. */
  readonly fabricVersion: string | undefined;
  readonly topologyFile: string;
  /** Undefined: as the topology says. */
  readonly ordering: 'raft' | 'bft' | undefined;
  readonly orderers: number | undefined;
  /** Firms keep the private ledgers that the topology gives them; else batches go to the channel as evidence. */
  readonly ledgers: boolean;
  /** Parts of names; empty: all scenarios. */
  readonly only: readonly string[];
  readonly list: boolean;
  readonly json: boolean;
  readonly keep: boolean;
  /** How long a part stays away where a scenario takes it away. */
  readonly awayMs: number;
}

export const usage = `usage: npm run test:scenario -- [OPTIONS]

  --runtime RUNTIME     ${runtimes.join(', ')} (default: embedded)
  --fabric-version V    of Fabric's programs or images, for example 3.1 or 2.5.16
  --topology FILE       s12 (default: one orderer, two firms), full or a file
  --ordering TYPE       raft or bft instead of the topology's
  --orderers N          as many orderers instead of the topology's
  --ledgers             with the private ledgers that the topology gives the firms; without: batches are evidence on the channel
  --only NAME           scenarios whose name or requirement contains NAME; may be given several times
  --away-seconds N      how long a part stays away in scenarios about that (default 6, at most 600)
  --list                print the scenarios and stop
  --json                print the figures as one JSON line, the last of stdout
  --keep                leave the folder with everything in it

Exit code 0: all passed; 1: some failed; 2: the runtime, or what was asked of it, is not there.
`;

const topologyFolder = join(import.meta.dirname, '..', '..', 'network');
const topologies: Readonly<Record<string, string>> = {
  s12: join(topologyFolder, 'topology.yaml'),
  full: join(topologyFolder, 'topology.full.yaml'),
};
const mostOrderers = 64;
const defaultAwaySeconds = 6;
const longestAwaySeconds = 600;

/** @throws WaymarkError input-invalid */
export function readScenarioArguments(args: readonly string[]): ScenarioArguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        runtime: { type: 'string', default: 'embedded' },
        'fabric-version': { type: 'string' },
        topology: { type: 'string', default: 's12' },
        ordering: { type: 'string' },
        orderers: { type: 'string' },
        ledgers: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
        'away-seconds': { type: 'string', default: String(defaultAwaySeconds) },
        list: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    const runtime = runtimes.find((name) => name === values.runtime);
    if (runtime === undefined) throw new Error(`--runtime takes ${runtimes.join(' or ')}`);
    const { ordering, ledgers, list, json, keep } = values;
    const topologyFile = topologies[values.topology] ?? resolve(values.topology);
    if (!existsSync(topologyFile)) throw new Error(`there is no topology ${values.topology}`);
    if (ordering !== undefined && ordering !== 'raft' && ordering !== 'bft')
      throw new Error('--ordering takes raft or bft');
    const fabricVersion = values['fabric-version'];
    if (fabricVersion !== undefined) {
      if (runtime === 'embedded') throw new Error('--fabric-version is for real Fabric, not for the runtime embedded');
      const form = runtime === 'docker' ? /^[23]\.\d{1,2}\.\d{1,3}$/ : /^[23](\.\d{1,3}){0,2}$/;
      if (!form.test(fabricVersion)) throw new Error('--fabric-version takes a version such as 2.5.16');
    }
    return {
      runtime,
      fabricVersion,
      topologyFile,
      ordering,
      orderers: values.orderers === undefined ? undefined : wholeNumber('--orderers', values.orderers, mostOrderers),
      ledgers,
      only: values.only,
      list,
      json,
      keep,
      awayMs: wholeNumber('--away-seconds', values['away-seconds'], longestAwaySeconds) * 1_000,
    };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'wrong arguments';
    throw new WaymarkError('input-invalid', `${reason}; see npm run test:scenario -- --help`, { cause });
  }
}

function wholeNumber(option: string, given: string, most: number): number {
  const number = Number(given);
  if (/^[0-9]{1,9}$/.test(given) && number >= 1 && number <= most) return number;
  throw new Error(`${option} takes a whole number from 1 to ${String(most)}`);
}

/**
 * The chosen of all, in their order.
 * @throws WaymarkError input-invalid when a part of a name fits none
 */
export function chosen<T extends { readonly name: string; readonly serves: readonly string[] }>(
  all: readonly T[],
  only: readonly string[],
): T[] {
  const fits = ({ name, serves }: T, part: string): boolean => name.includes(part) || serves.includes(part);
  const unknown = only.find((part) => !all.some((scenario) => fits(scenario, part)));
  if (unknown !== undefined) {
    throw new WaymarkError(
      'input-invalid',
      `no scenario has "${unknown}" in its name; see npm run test:scenario -- --list`,
    );
  }
  return all.filter((scenario) => only.length === 0 || only.some((part) => fits(scenario, part)));
}
