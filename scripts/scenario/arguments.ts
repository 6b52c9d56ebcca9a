import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Runtime, runtimes } from '@waymark/network';
import { WaymarkError } from '@waymark/protocol';
import { shippedTopology } from '../../scenario/support/running-consortium.ts';

/** What `npm run test:scenario` was asked to do. */
export interface ScenarioArguments {
  readonly runtime: Runtime;
  /** As the beginning of a version: `3.1` takes any 3.1.x. Undefined: whatever is there. */
  readonly fabricVersion: string | undefined;
  readonly topologyFile: string;
  /** Undefined: as the topology says. */
  readonly ordering: 'raft' | 'bft' | undefined;
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
  --topology FILE       default: network/topology.yaml
  --ordering TYPE       raft or bft (default: as the topology says)
  --only NAME           scenarios whose name or requirement contains NAME; may be given several times
  --away-seconds N      how long a part stays away in scenarios about that (default 6, at most 600)
  --list                print the scenarios and stop
  --json                print the figures as one JSON line, the last of stdout
  --keep                leave the folder with everything in it

Exit code 0: all passed; 1: some failed; 2: the runtime, or what was asked of it, is not there.
`;

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
        topology: { type: 'string' },
        ordering: { type: 'string' },
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
    const { ordering, list, json, keep, topology } = values;
    if (ordering !== undefined && ordering !== 'raft' && ordering !== 'bft')
      throw new Error('--ordering takes raft or bft');
    const fabricVersion = values['fabric-version'];
    if (fabricVersion !== undefined && !/^[0-9]+(\.[0-9]+){0,2}$/.test(fabricVersion))
      throw new Error('--fabric-version takes a version such as 3.1 or 2.5.16');
    if (fabricVersion !== undefined && runtime === 'embedded')
      throw new Error('--fabric-version is for real Fabric, not for the runtime embedded');
    const away = values['away-seconds'];
    const awaySeconds = Number(away);
    if (!/^[0-9]+$/.test(away) || awaySeconds < 1 || awaySeconds > longestAwaySeconds)
      throw new Error(`--away-seconds takes a whole number from 1 to ${String(longestAwaySeconds)}`);
    return {
      runtime,
      fabricVersion,
      topologyFile: topology === undefined ? shippedTopology : resolve(topology),
      ordering,
      only: values.only,
      list,
      json,
      keep,
      awayMs: awaySeconds * 1_000,
    };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'wrong arguments';
    throw new WaymarkError('input-invalid', `${reason}; see npm run test:scenario -- --help`, { cause });
  }
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
