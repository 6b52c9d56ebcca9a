import {
  type Configuration,
  electionProblem,
  isConfirmedBySeals,
  type Seal,
  sealProblem,
  type VoteCertificate,
} from '../src/index.ts';
import { repeatsRequired, requiredReproposals } from '../src/election/certificate.ts';
import { compareLogEnds } from '../src/election/log-end.ts';
import { createCluster } from './support/cluster.ts';
import { fakeCrypto } from './support/fake-crypto.ts';

const cluster = createCluster();
const { configuration } = cluster;
const crypto = fakeCrypto('judge');
let election: VoteCertificate | null = null;
cluster.member('a').core.campaign();
for (let round = 0; round < 20; round += 1) {
  for (const id of cluster.members.keys()) cluster.work(id);
  for (const message of cluster.wire) if (message.type === 'append') election ??= message.election;
  cluster.deliver();
}
cluster.submit('b', 'x');
cluster.settle();

const seal = (height: number): Seal => {
  const block = cluster.member('c').core.block(height);
  if (block === null) throw new Error('no such block');
  return block.seal;
};
const check = (changed: Partial<Seal>, configurations: readonly Configuration[] = [configuration]) =>
  sealProblem(crypto, { ...seal(2), ...changed }, configurations, {});

test('a seal proves itself', () => {
  expect(check({})).toBeNull();
});

test('a certificate of one department, or of one twice, or with the center in it, is none', () => {
  const [one, two] = seal(2).certificate;
  if (one === undefined || two === undefined) throw new Error('two are expected');
  expect(check({ certificate: [one] })).toBe('no-quorum');
  expect(check({ certificate: [one, one] })).toBe('certificate-not-in-order');
  expect(check({ certificate: [two, one] })).toBe('certificate-not-in-order');
  expect(check({ center: 'b' })).toBe('seal-signature-invalid');
});

test('an acknowledgement of another block, another time or another member does not count', () => {
  const certificate = seal(3).certificate;
  expect(check({ certificate })).toBe('ack-signature-invalid');
  expect(check({ certificate: seal(2).certificate.map((ack) => ({ ...ack, ackTimeMs: 1 })) })).toBe(
    'ack-signature-invalid',
  );
  expect(check({ certificate: seal(2).certificate.map((ack) => ({ ...ack, member: `${ack.member}x` })) })).toBe(
    'ack-signature-invalid',
  );
});

test('an acknowledgement of another configuration epoch does not count', () => {
  const header = { ...seal(2).header, epoch: 2 };
  expect(check({ header, hash: crypto.headerHash(header) })).not.toBeNull();
});

test('a header that is not the hashed one, or signed by nobody, is refused', () => {
  expect(check({ hash: 'another' })).toBe('hash-mismatch');
  expect(check({ signature: 'another' })).toBe('seal-signature-invalid');
});

test('under two configurations at once it takes a quorum of both', () => {
  const others = { ...configuration, epoch: 2, members: ['a', 'e', 'f', 'g'] };
  expect(check({}, [configuration, others])).toBe('no-quorum');
});

test('a block is confirmed by two seals above it that follow one another', () => {
  const confirms = (...heights: number[]) =>
    isConfirmedBySeals(crypto, 'firm/channel', [configuration], heights.map(seal));
  expect(confirms(2, 3, 4)).toBe(true);
  expect(confirms(2, 3)).toBe(false);
  expect(confirms(2)).toBe(false);
  expect(confirms()).toBe(false);
  expect(confirms(2, 4, 3)).toBe(false);
  expect(isConfirmedBySeals(crypto, 'other', [configuration], [seal(2), seal(3), seal(4)])).toBe(false);
});

const genesis = { height: 0, term: 0, hash: '' };
const epochs = { current: configuration, pending: null };
const judge = (changed: Partial<VoteCertificate>, base = genesis) =>
  electionProblem(crypto, 'firm/channel', { ...(election as VoteCertificate), ...changed }, base, epochs, {});

test('a vote certificate proves a center', () => {
  expect(election?.votes.length).toBeGreaterThanOrEqual(3);
  expect(judge({})).toBeNull();
});

test('too few votes, one twice, another term, another center or another ledger make none', () => {
  const votes = election?.votes ?? [];
  const [one] = votes;
  expect(judge({ votes: votes.slice(0, 2) })).toBe('no-quorum');
  expect(judge({ votes: one === undefined ? [] : [...votes.slice(0, 2), one] })).toBe('vote-twice');
  expect(judge({ term: 9 })).toBe('vote-invalid');
  expect(judge({ center: 'b' })).toBe('vote-invalid');
  expect(judge({ center: 'd' })).toBe('not-eligible');
  expect(judge({ epoch: 2 })).toBe('epoch-mismatch');
  expect(electionProblem(crypto, 'other', election as VoteCertificate, genesis, epochs, {})).toBe('vote-invalid');
  expect(
    judge({
      votes: votes.map((vote) => ({ ...vote, logEnd: { ...vote.logEnd, sealed: { height: 3, term: 1, hash: 'x' } } })),
    }),
  ).toBe('vote-invalid');
});

const vote = (sealed: number, candidate: { term: number; root: string } | null) => ({
  logEnd: {
    sealed: { height: sealed, term: 1, hash: `h${sealed}` },
    candidate: candidate === null ? null : { height: sealed + 1, prev: `h${sealed}`, count: 1, ...candidate },
  },
});
const certificateOf = (...votes: ReturnType<typeof vote>[]) => ({ votes }) as unknown as VoteCertificate;
const base = { height: 4, term: 1, hash: 'h4' };

test('what a new center has to repeat is the candidate of the highest term on its base', () => {
  const required = requiredReproposals(
    certificateOf(
      vote(4, { term: 1, root: 'low' }),
      vote(4, { term: 2, root: 'high' }),
      vote(4, null),
      vote(3, { term: 3, root: 'below' }),
    ),
    base,
  );
  expect(required.map(({ root }) => root)).toEqual(['high']);
  const candidate = { root: 'high', count: 1 } as Parameters<typeof repeatsRequired>[0];
  expect(repeatsRequired(candidate, required)).toBe(true);
  expect(repeatsRequired({ ...candidate, root: 'other' }, required)).toBe(false);
  expect(repeatsRequired({ ...candidate, root: 'other' }, [])).toBe(true);
});

test('trusted center: the last entry decides, by term, then by height (Raft section 5.4.1)', () => {
  const end = (sealedTerm: number, candidate: number | null) => ({
    sealed: { height: 5, term: sealedTerm, hash: '' },
    candidate: candidate === null ? null : { height: 6, term: candidate, prev: '', root: '', count: 0 },
  });
  expect(compareLogEnds(end(1, 3), end(2, 2), false)).toBeGreaterThan(0);
  expect(compareLogEnds(end(2, null), end(2, 2), false)).toBeLessThan(0);
  // Lying center: a certificate cannot be made up, a candidate can.
  expect(compareLogEnds(end(1, 3), end(2, 2), true)).toBeLessThan(0);
  expect(compareLogEnds(end(2, 3), end(2, 2), true)).toBeGreaterThan(0);
  expect(compareLogEnds(end(2, null), end(2, null), true)).toBe(0);
});
