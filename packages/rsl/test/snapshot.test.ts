import type { Snapshot } from '../src/index.ts';
import { installable } from '../src/snapshot/install.ts';
import { createCluster } from './support/cluster.ts';
import { fakeCrypto } from './support/fake-crypto.ts';

const cluster = createCluster({ extra: ['e'] });
cluster.elect('a');
cluster.submit('b', 'x');
cluster.settle();
const { core } = cluster.member('a');
core.changeMembership({ type: 'add-learner', member: 'e' });
cluster.settle();
core.changeMembership({ type: 'promote', member: 'e' });
cluster.settle();
cluster.submit('c', 'y');
cluster.settle();
const heights = core.status();
const snapshot = core.compact(heights.confirmed.height) as Snapshot;
const crypto = fakeCrypto('judge');
const install = (changed: Partial<Snapshot>) =>
  installable(crypto, 'firm/channel', cluster.configuration, { ...snapshot, ...changed }, {});

test('whoever knows the first configuration only can check a snapshot after two changes of it', () => {
  expect(snapshot.configurations.map(({ configuration }) => configuration.epoch)).toEqual([2, 3]);
  expect(install({})).toMatchObject({ height: snapshot.height, confirmed: snapshot.height });
  expect(install({})?.cursors.get('c')).toMatchObject({ seq: 1 });
});

test.each<[string, Partial<Snapshot>]>([
  ['other sequences', { cursors: snapshot.cursors.slice(1) }],
  ['no sequences', { cursors: [] }],
  ['another salt', { salt: 'another' }],
  ['another height', { height: snapshot.height + 1 }],
  ['a block that nothing confirms', { seals: snapshot.seals.slice(0, 2) }],
  ['no header', { seals: [] }],
  [
    'a configuration that was never proven',
    { configuration: { ...snapshot.configuration, members: ['a', 'x', 'y', 'z'] } },
  ],
  ['a change left out', { configurations: snapshot.configurations.slice(1) }],
  [
    'a change that nothing confirms',
    { configurations: snapshot.configurations.map((proof) => ({ ...proof, seals: proof.seals.slice(0, 1) })) },
  ],
  [
    'a change to other members',
    {
      configurations: snapshot.configurations.map((proof) => ({
        ...proof,
        configuration: { ...proof.configuration, members: ['a', 'x', 'y', 'z'] },
      })),
    },
  ],
])('a snapshot with %s is not installed', (_, changed) => {
  expect(install(changed)).toBeNull();
});

test('a compacted member restarts from its steps, and from its checkpoint', () => {
  cluster.work('a');
  const before = core.status();
  cluster.restart('a');
  expect(cluster.member('a').core.status()).toMatchObject({
    height: before.height,
    sealed: before.sealed,
    firstHeight: before.firstHeight,
  });
  const member = cluster.member('a');
  member.disk = [...member.core.checkpoint()];
  cluster.restart('a');
  expect(cluster.member('a').core.status()).toMatchObject({
    height: before.height,
    sealed: before.sealed,
    firstHeight: before.firstHeight,
  });
});

test('nothing that is not confirmed and applied can be compacted', () => {
  const other = cluster.member('b').core;
  const { confirmed, height } = other.status();
  expect(other.compact(confirmed.height + 1)).toBeNull();
  expect(other.compact(height)).toBeNull();
  expect(other.compact(0)).toBeNull();
});
