import { cpSync, rmSync } from 'node:fs';
import type { Configuration } from '@waymark/rsl';
import { type Cluster, createCluster, type Seat } from './cluster.ts';

const members = ['center', 'dock', 'office', 'standby'];
const configuration: Configuration = {
  epoch: 1,
  members,
  learners: [],
  eligible: ['center', 'standby'],
  profile: { center: 'lying', colluding: 0 },
};

let cluster: Cluster;
beforeEach(() => {
  cluster = createCluster(configuration);
});
afterEach(() => cluster.stop());

const recorded = ({ chain }: Seat): string[] =>
  chain.blocks.flatMap(({ candidate: { content } }) =>
    content.kind === 'records'
      ? content.audited.flatMap(({ submission }) => submission.records.map(({ oid }) => oid))
      : [],
  );
const everywhere = (oids: readonly string[], ids = members): Promise<true> =>
  cluster.until(() =>
    ids.every((id) => {
      const seat = cluster.seats.get(id);
      return seat !== undefined && oids.every((oid) => recorded(seat).includes(oid));
    })
      ? true
      : undefined,
  );

test('the preferred center takes office, and what it receipts is confirmed and applied at every member', async () => {
  await Promise.all(members.map((id) => cluster.open(id)));
  const { member } = await cluster.center();
  expect(member.status().id).toBe('center');
  const receipt = await member.propose(cluster.submission('dock', ['a', 'b']));
  expect(receipt).toMatchObject({ department: 'dock', seq: 1, center: 'center' });
  expect(member.position('dock')).toMatchObject({ seq: 1 });
  await everywhere(['a', 'b']);
});

test('who is not in office takes nothing and names who is', async () => {
  await Promise.all(members.map((id) => cluster.open(id)));
  await cluster.center();
  const standby = cluster.seats.get('standby') as Seat;
  await cluster.until(() => (standby.member.office().center === 'center' ? true : undefined));
  await expect(standby.member.propose(cluster.submission('dock', ['a']))).rejects.toMatchObject({
    code: 'unavailable',
    details: { center: 'center' },
  });
});

test('the standby takes over from a center that is gone, and what was confirmed stays', async () => {
  await Promise.all(members.map((id) => cluster.open(id)));
  const first = await cluster.center();
  await first.member.propose(cluster.submission('dock', ['a']));
  await everywhere(['a']);
  await cluster.close('center');
  const next = await cluster.center();
  expect(next.member.status().id).toBe('standby');
  await next.member.propose(cluster.submission('dock', ['b']));
  await everywhere(['a', 'b'], ['dock', 'office', 'standby']);
});

test('a member that was stopped comes back from its log and catches up', async () => {
  await Promise.all(members.map((id) => cluster.open(id)));
  const { member } = await cluster.center();
  await member.propose(cluster.submission('dock', ['a']));
  await everywhere(['a']);
  await cluster.close('office');
  await member.propose(cluster.submission('dock', ['b']));
  await everywhere(['a', 'b'], ['center', 'dock', 'standby']);
  await cluster.open('office');
  await everywhere(['a', 'b']);
});

test('a member that is started takes part only when enough others have said what they remember of it', async () => {
  const alone = await cluster.open('dock');
  expect(alone.member.status()).toMatchObject({ isCleared: false });
  await cluster.open('office');
  expect(alone.member.status()).toMatchObject({ isCleared: false });
  await cluster.open('standby');
  expect(alone.member.status()).toMatchObject({ isCleared: true, isBarred: false });
});

test('a member whose disk was put back to an old copy is barred, and says so', async () => {
  await Promise.all(members.map((id) => cluster.open(id)));
  const { member } = await cluster.center();
  await cluster.close('office');
  const copy = `${cluster.folder('office')}-copy`;
  cpSync(cluster.folder('office'), copy, { recursive: true });
  await cluster.open('office');
  await member.propose(cluster.submission('dock', ['a']));
  await everywhere(['a']);
  await cluster.close('office');
  // The others hear of it when it connects once more.
  await cluster.open('office');
  await cluster.close('office');
  const old = await cluster.open('office', { folder: copy, create: false });
  expect(old.member.status()).toMatchObject({ isCleared: false, isBarred: true });
  expect(old.alerts).toContainEqual(expect.objectContaining({ type: 'forgotten', standing: 'lost' }));
  rmSync(copy, { recursive: true });
});

test('a center that nobody hears any more leaves office, and what it receipted alone is not confirmed', async () => {
  await Promise.all(members.map((id) => cluster.open(id)));
  const { member } = await cluster.center();
  for (const other of ['dock', 'office', 'standby']) {
    cluster.cut.add(`center>${other}`);
    cluster.cut.add(`${other}>center`);
  }
  const submission = cluster.submission('dock', ['a']);
  await member.propose(submission);
  await cluster.until(() => (member.office().isHere ? undefined : true));
  const next = await cluster.center();
  expect(next.member.status().id).toBe('standby');
  expect(next.member.position('dock')).toBeNull();
  await next.member.propose(submission);
  cluster.cut.clear();
  await everywhere(['a']);
});

test('a hand-over that was ordered moves the office, and proposals go on there', async () => {
  await Promise.all(members.map((id) => cluster.open(id)));
  const { member } = await cluster.center();
  await member.propose(cluster.submission('dock', ['a']));
  await everywhere(['a']);
  member.handOver('standby');
  const next = await cluster.until(() => {
    const seat = cluster.seats.get('standby');
    return seat?.member.office().isHere === true ? seat : undefined;
  });
  await next.member.propose(cluster.submission('dock', ['b']));
  await everywhere(['a', 'b']);
});
