import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { plantedFaults } from '../src/index.ts';
import { createCluster } from './support/cluster.ts';

test('a proposal is turned down with its reason', () => {
  const cluster = createCluster({ limits: { maxPendingRecords: 3, maxSubmissionRecords: 2 } });
  const first = cluster.submission('b', ['x']);
  expect(cluster.member('b').core.propose(first, 0)).toEqual({ accepted: false, reason: 'not-center', center: null });
  cluster.elect('a');
  const { core } = cluster.member('a');
  const reason = (submission: typeof first) => {
    const result = core.propose(submission, 0);
    return result.accepted ? 'accepted' : result.reason;
  };
  expect(cluster.member('b').core.propose(first, 0)).toMatchObject({ reason: 'not-center', center: 'a' });
  expect(reason({ ...first, ledger: 'other' })).toBe('recipient-mismatch');
  expect(reason({ ...first, signature: 'made-up' })).toBe('signature-invalid');
  expect(reason({ ...first, hash: 'made-up' })).toBe('submission-malformed');
  const second = cluster.submission('b', ['y']);
  expect(reason(second)).toBe('sequence-gap');
  expect(reason(first)).toBe('accepted');
  expect(reason(cluster.submission('c', ['1', '2', '3']))).toBe('too-large');
  expect(reason(second)).toBe('accepted');
  expect(reason(cluster.submission('d', ['1', '2']))).toBe('busy');
  cluster.settle();
  expect(reason(first)).toBe('already-recorded');
});

test('the same submission gets the same receipt, another one of its number is refused', () => {
  const cluster = createCluster();
  cluster.elect('a');
  const twin = createCluster().submission('b', ['other']);
  const submission = cluster.submission('b', ['x']);
  const { core } = cluster.member('a');
  const receipt = core.propose(submission, 5);
  expect(core.propose(submission, 9)).toEqual(receipt);
  expect(core.propose(twin, 9)).toMatchObject({ accepted: false, reason: 'replay-conflict' });
});

test('a receipt is handed out behind the step that makes its submission durable', () => {
  const cluster = createCluster();
  cluster.elect('a');
  const { core } = cluster.member('a');
  core.propose(cluster.submission('b', ['x']), 5);
  const ready = core.ready();
  expect(ready.persist.map(({ type }) => type)).toContain('submission');
  expect(ready.receipts).toHaveLength(1);
  expect(core.ready()).toBe(ready);
});

test('an accepted submission survives its center restarting, and is in the ledger when it is center again', () => {
  const cluster = createCluster({ eligible: ['a'] });
  cluster.elect('a');
  cluster.submit('b', 'x');
  cluster.work('a');
  cluster.wire.length = 0;
  cluster.restart('a');
  for (let count = 0; count < 45; count += 1) {
    cluster.tick();
    cluster.settle();
  }
  expect(cluster.member('c').recorded).toContain('x');
});

test('what is fed while the driver persists comes out of the next ready', () => {
  const cluster = createCluster();
  cluster.elect('a');
  const { core } = cluster.member('a');
  core.propose(cluster.submission('b', ['x']), 5);
  const first = core.ready();
  core.propose(cluster.submission('c', ['y']), 6);
  expect(core.ready()).toBe(first);
  core.advance();
  expect(core.ready().receipts.map(({ department }) => department)).toEqual(['c']);
});

test("a trusted center's own acknowledgement counts once it is durable, not before", () => {
  const cluster = createCluster({ members: ['a'], profile: { center: 'trusted' }, eligible: ['a'] });
  const { core } = cluster.member('a');
  core.campaign();
  core.ready();
  expect(core.status().sealed.height).toBe(0);
  core.advance();
  expect(core.status().sealed.height).toBe(1);
});

test('confirmed blocks that the driver had not applied come again after a restart', () => {
  const cluster = createCluster();
  cluster.elect('a');
  cluster.submit('b', 'x');
  cluster.settle();
  cluster.restart('c');
  cluster.work('c');
  expect(cluster.member('c').confirmed.map(({ candidate }) => candidate.height)).toEqual([1, 2]);
});

test('a message for somebody else, from itself, or of a term far ahead without proof changes nothing', () => {
  const cluster = createCluster();
  cluster.elect('a');
  const { core } = cluster.member('c');
  const before = core.status();
  const logEnd = { sealed: before.sealed, candidate: null };
  const request = { type: 'vote-request', pre: false, epoch: 1, logEnd, handOver: null } as const;
  core.step({ ...request, from: 'b', to: 'd', term: 2 }, 0);
  core.step({ ...request, from: 'c', to: 'c', term: 2 }, 0);
  core.step({ ...request, from: 'b', to: 'c', term: 2 ** 52 }, 0);
  expect(core.status()).toEqual(before);
  expect(core.hasReady()).toBe(false);
});

test('a member that is not eligible is never center, whatever it asks for', () => {
  const cluster = createCluster({ eligible: ['a', 'b'] });
  cluster.member('d').core.campaign();
  cluster.settle();
  expect(cluster.center()).toBeNull();
});

test('two runs with the same inputs do the same, byte for byte', () => {
  const run = (): string => {
    const cluster = createCluster();
    cluster.elect('a');
    for (const oid of ['x', 'y', 'z']) cluster.submit('b', oid);
    cluster.settle();
    return JSON.stringify([...cluster.members.values()].map(({ disk }) => disk));
  };
  expect(run()).toBe(run());
});

describe('purity', () => {
  const source = join(import.meta.dirname, '../src');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

  test.each(files)('%s has no clock, no randomness, no timer, no promise and no I/O of its own', (name) => {
    const text = readFileSync(join(source, name), 'utf8').replace(/\/\*\*[\s\S]*?\*\//g, '');
    expect(text).not.toMatch(
      /Math\.random|\bDate\b|setTimeout|setInterval|setImmediate|queueMicrotask|\basync\b|\bawait\b|Promise|process\.|performance/,
    );
    expect(text).not.toMatch(/from 'node:/);
  });

  test('there are at least 25 planted bugs, each with a line', () => {
    expect(Object.keys(plantedFaults).length).toBeGreaterThanOrEqual(25);
    for (const line of Object.values(plantedFaults)) expect(line).toMatch(/\.$/);
  });

  test('nothing that ships plants any', () => {
    const root = join(import.meta.dirname, '../../..');
    const shipped = ['services', 'packages', 'network']
      .flatMap((folder) =>
        readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(root, folder, name)),
      )
      .filter((path) => /\/src\/.*\.ts$/.test(path) && !/node_modules|packages\/rsl\/|generated/.test(path));
    expect(shipped.length).toBeGreaterThan(100);
    for (const path of shipped) {
      const text = readFileSync(path, 'utf8');
      if (text.includes('@waymark/rsl'))
        expect({ path, plants: /faults|planted/i.test(text) }).toEqual({ path, plants: false });
    }
  });
});
