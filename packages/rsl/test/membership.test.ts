import { WaymarkError } from '@waymark/protocol';
import { checkConfiguration, type Configuration, inForce } from '../src/index.ts';
import { changed, changeProblem } from '../src/membership/change.ts';
import { nextEpochs } from '../src/membership/epochs.ts';

const base: Configuration = {
  epoch: 1,
  members: ['a', 'b', 'c', 'd'],
  learners: [],
  eligible: ['a', 'b'],
  profile: { center: 'lying', colluding: 0 },
};
const epochs = { current: base, pending: null };

test.each([
  ['no members', { members: [] }],
  ['a member twice', { members: ['a', 'a', 'b', 'c'] }],
  ['a member that learns as well', { learners: ['a'] }],
  ['nobody eligible', { eligible: [] }],
  ['a stranger eligible', { eligible: ['x'] }],
  ['an epoch before the first', { epoch: 0 }],
  ['more in league than a quorum bears', { profile: { center: 'lying', colluding: 2 } as const }],
  [
    'two members and a lying center with one in league',
    { members: ['a', 'b'], profile: { center: 'lying', colluding: 1 } as const },
  ],
  ['more than 32', { members: Array.from({ length: 33 }, (_, i) => `m${i}`), eligible: ['m0'] }],
])('a configuration with %s is refused', (_, change) => {
  expect(() => checkConfiguration({ ...base, ...change })).toThrow(WaymarkError);
});

test('a node is added as a learner and then promoted, an epoch each', () => {
  const learning = changed(base, { type: 'add-learner', member: 'e' });
  expect(learning).toMatchObject({ epoch: 2, members: base.members, learners: ['e'] });
  expect(changed(learning as Configuration, { type: 'promote', member: 'e' })).toMatchObject({
    epoch: 3,
    members: ['a', 'b', 'c', 'd', 'e'],
    learners: [],
  });
});

test('a removed member is not eligible any more', () => {
  expect(changed(base, { type: 'remove', member: 'b' })).toMatchObject({ members: ['a', 'c', 'd'], eligible: ['a'] });
});

test.each([
  ['adds who is there', { type: 'add-learner', member: 'a' }],
  ['promotes who does not learn', { type: 'promote', member: 'x' }],
  ['removes a stranger', { type: 'remove', member: 'x' }],
  ['makes a stranger eligible', { type: 'eligible', members: ['x'] }],
] as const)('a change that %s is not possible', (_, change) => {
  expect(changed(base, change)).toBeNull();
});

test('departments take one node at a time, the next epoch, the same profile, and no second change', () => {
  const two = { ...base, epoch: 2, members: ['a', 'b', 'c', 'd', 'e', 'f'] };
  const one = { ...base, epoch: 2, members: ['a', 'b', 'c', 'd', 'e'] };
  expect(changeProblem(epochs, one, {})).toBeNull();
  expect(changeProblem(epochs, two, {})).toBe('change-too-large');
  expect(changeProblem(epochs, { ...one, epoch: 3 }, {})).toBe('epoch-mismatch');
  expect(changeProblem(epochs, { ...one, profile: { center: 'trusted' } }, {})).toBe('profile-change');
  expect(changeProblem({ current: base, pending: { configuration: one, height: 4 } }, two, {})).toBe('change-pending');
});

test('old and new configuration are both in force until the change is confirmed', () => {
  const next = { ...base, epoch: 2, members: ['a', 'b', 'c', 'd', 'e'] };
  const content = { kind: 'configuration', configuration: next } as const;
  expect(inForce(epochs, content)).toEqual([base, next]);
  const during = nextEpochs(epochs, 5, content, 3);
  expect(inForce(during)).toEqual([base, next]);
  const after = nextEpochs(during, 7, { kind: 'empty' }, 5);
  expect(inForce(after)).toEqual([next]);
});
