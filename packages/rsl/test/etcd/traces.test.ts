import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { outcomeOf } from './outcome.ts';
import { playTrace } from './run.ts';
import { parseTrace } from './trace.ts';

const data = process.env['WAYMARK_DATA'];
const folder = join(data ?? '', 'etcd-raft/testdata');

const noForgetting = 'RSL has no call that makes a member forget its center; a lease runs out by itself';
const noThreads =
  "etcd's storage threads; in RSL the driver persists, and only the center's own candidates may leave before";
const noJointChanges = 'several members change in one step; RSL changes one at a time (rsl.md)';

const staysOutside =
  'etcd lets a removed leader go on; in RSL it lays down its office (Raft section 6), as in the _stepdown trace';
const leaseTicks = "hinges on how many ticks are left of etcd's leases; RSL draws its time-outs otherwise";
const oneAtATime = 'builds logs with several uncommitted entries; an RSL center has one candidate at a time';

/** Traces that have no counterpart, and why. */
const skipped: Readonly<Record<string, string>> = {
  'async_storage_writes.txt': noThreads,
  'async_storage_writes_append_aba_race.txt': noThreads,
  'prevote_checkquorum.txt': leaseTicks,
  'probe_and_replicate.txt': oneAtATime,
  'forget_leader.txt': noForgetting,
  'forget_leader_prevote_checkquorum.txt': noForgetting,
  'forget_leader_read_only_lease_based.txt': noForgetting,
  'confchange_v1_remove_leader.txt': staysOutside,
  'confchange_v2_add_double_auto.txt': noJointChanges,
  'confchange_v2_add_double_implicit.txt': noJointChanges,
  'confchange_v2_add_single_explicit.txt': noJointChanges,
  'confchange_v2_replace_leader.txt': noJointChanges,
  'confchange_v2_replace_leader_stepdown.txt': noJointChanges,
};

const describeWithData = data === undefined ? describe.skip : describe;

describeWithData(`etcd's interaction traces${data === undefined ? ' (skipped: WAYMARK_DATA is not set)' : ''}`, () => {
  const files = data === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith('.txt'));
  const run = files.filter((name) => !Object.hasOwn(skipped, name));

  test('at least half of them run, every skip is one of them, and there are no others', () => {
    process.stderr.write(
      `etcd traces: ${files.length} files, ${run.length} run, ${files.length - run.length} skipped\n`,
    );
    for (const [name, reason] of Object.entries(skipped)) process.stderr.write(`  skipped ${name}: ${reason}\n`);
    expect(files.length).toBe(28);
    expect(Object.keys(skipped).filter((name) => !files.includes(name))).toEqual([]);
    expect(run.length * 2).toBeGreaterThanOrEqual(files.length);
  });

  test.each(run)('%s comes to the same with a trusted center', (name) => {
    const steps = parseTrace(readFileSync(join(folder, name), 'utf8'));
    const expected = outcomeOf(steps);
    const actual = playTrace(steps);
    expect(actual.leader).toBe(expected.leader);
    expect(actual.committed.filter((item) => expected.committed.includes(item))).toEqual(expected.committed);
    if (expected.voters !== null) expect(actual.voters).toEqual(expected.voters);
    if (expected.learners !== null) expect(actual.learners).toEqual(expected.learners);
  });
});
