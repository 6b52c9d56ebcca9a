import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Configuration, isAckQuorum, tallyVotes } from '../../src/index.ts';
import { changeProblem } from '../../src/membership/change.ts';
import { jointResult, type VoteResult } from '../../src/quorum.ts';
import { listOf, parseTrace, type TraceStep } from './trace.ts';

const data = process.env['WAYMARK_DATA'];
const folder = join(data ?? '', 'etcd-raft');
const describeWithData = data === undefined ? describe.skip : describe;
const why = data === undefined ? ' (skipped: WAYMARK_DATA is not set)' : '';
const quorumFiles = ['joint_commit.txt', 'joint_vote.txt', 'majority_commit.txt', 'majority_vote.txt'];

const read = (path: string): TraceStep[] => parseTrace(readFileSync(join(folder, path), 'utf8'));
const configurationOf = (members: readonly string[], learners: readonly string[] = [], epoch = 1): Configuration => ({
  epoch,
  members,
  learners,
  eligible: members.slice(0, 1),
  profile: { center: 'trusted' },
});

/** The configurations that a case names; an empty one is etcd's alone. */
function configurationsOf({ args }: TraceStep): Configuration[] {
  // `(123)` is one id, as etcd reads it.
  return ['cfg', 'cfgj']
    .map((name) => listOf(args, name))
    .filter((ids) => ids.length > 0 && ids[0] !== 'zero')
    .map((ids) => configurationOf(ids));
}

/** Ids in the order in which the case gives values: of both configurations, sorted by number, each once. */
function idsOf(configurations: readonly Configuration[]): string[] {
  return [...new Set(configurations.flatMap(({ members }) => members))].sort((a, b) => Number(a) - Number(b));
}

function valuesOf(step: TraceStep, name: string): Map<string, string> {
  const order = [...new Set([...listOf(step.args, 'cfg'), ...listOf(step.args, 'cfgj')])].filter((id) => id !== 'zero');
  return new Map(order.map((id, index) => [id, listOf(step.args, name)[index] ?? '_']));
}

describeWithData(`etcd's quorum tables${why}`, () => {
  test.each(data === undefined ? [] : quorumFiles)('%s: the same with a trusted center', (file) => {
    let run = 0;
    let skipped = 0;
    for (const step of read(`quorum/testdata/${file}`)) {
      const configurations = configurationsOf(step);
      if (configurations.length === 0) {
        // A ledger without members is not possible.
        skipped += 1;
        continue;
      }
      const actual = step.name === 'vote' ? vote(step, configurations) : committed(step, configurations);
      expect(`${step.args.join(' ')}: ${actual}`).toBe(`${step.args.join(' ')}: ${step.printed.at(-1) ?? ''}`);
      run += 1;
    }
    process.stderr.write(`etcd ${file}: ${run} cases run, ${skipped} skipped (no members)\n`);
    expect(run).toBeGreaterThan(skipped);
  });
});

function vote(step: TraceStep, configurations: readonly Configuration[]): string {
  const votes = valuesOf(step, 'votes');
  const voteOf = (member: string): boolean | undefined => ({ y: true, n: false })[votes.get(member) ?? ''];
  const names: Record<VoteResult, string> = { won: 'VoteWon', lost: 'VoteLost', pending: 'VotePending' };
  return names[jointResult(configurations.map((configuration) => tallyVotes(configuration, voteOf)))];
}

/** Highest index that a quorum of every configuration has. */
function committed(step: TraceStep, configurations: readonly Configuration[]): string {
  const values = valuesOf(step, 'idx');
  const index = (member: string): number => Number((values.get(member) ?? '_').replace('_', '0'));
  const candidates = idsOf(configurations).map(index);
  const met = candidates.filter((height) =>
    configurations.every((c) => isAckQuorum(c, c.members[0] ?? '', (member) => index(member) >= height)),
  );
  return String(Math.max(0, ...met));
}

describeWithData(`etcd's changes of the configuration${why}`, () => {
  const noJoint = 'an explicit joint configuration; RSL has both in force between proposal and confirmation by itself';
  const skipped: Readonly<Record<string, string>> = {
    'joint_autoleave.txt': noJoint,
    'joint_idempotency.txt': noJoint,
    'joint_learners_next.txt': noJoint,
    'joint_safety.txt': noJoint,
  };
  const files = data === undefined ? [] : readdirSync(join(folder, 'confchange/testdata'));
  const run = files.filter((name) => !Object.hasOwn(skipped, name));

  test('at least half of the files run', () => {
    process.stderr.write(
      `etcd changes: ${files.length} files, ${run.length} run, ${files.length - run.length} skipped\n`,
    );
    for (const [name, reason] of Object.entries(skipped)) process.stderr.write(`  skipped ${name}: ${reason}\n`);
    expect(files.length).toBe(9);
    expect(run.length * 2).toBeGreaterThanOrEqual(files.length);
  });

  test.each(run)('%s: the same members, or refused alike', (file) => {
    let current: Configuration | null = null;
    for (const { given, printed } of read(`confchange/testdata/${file}`)) {
      const expected = printed[0] ?? '';
      const proposed = apply(
        current,
        given.flatMap((line) => line.trim().split(/\s+/)),
      );
      const problem = problemOf(current, proposed);
      if (!expected.startsWith('voters=')) {
        expect({ expected, isRefused: problem !== null }).toEqual({ expected, isRefused: true });
        continue;
      }
      expect({ expected, problem }).toEqual({ expected, problem: null });
      current = proposed;
      expect(describeMembers(proposed)).toBe(expected);
    }
  });
});

function apply(current: Configuration | null, operations: readonly string[]): Configuration {
  const members = new Set(current?.members ?? []);
  const learners = new Set(current?.learners ?? []);
  for (const operation of operations) {
    const id = operation.slice(1);
    // Node 0 and updates mean nothing to either.
    if (id === '0' || operation.startsWith('u')) continue;
    const isAlready = operation.startsWith('v') ? members.has(id) : operation.startsWith('l') && learners.has(id);
    if (isAlready) continue;
    members.delete(id);
    learners.delete(id);
    if (operation.startsWith('v')) members.add(id);
    if (operation.startsWith('l')) learners.add(id);
  }
  return configurationOf([...members].sort(), [...learners].sort(), (current?.epoch ?? 0) + 1);
}

function problemOf(current: Configuration | null, proposed: Configuration): string | null {
  if (current === null) return proposed.members.length === 1 ? null : 'change-impossible';
  return changeProblem({ current, pending: null }, proposed, {});
}

function describeMembers({ members, learners }: Configuration): string {
  return `voters=(${members.join(' ')})${learners.length === 0 ? '' : ` learners=(${learners.join(' ')})`}`;
}
