import { ackQuorum, crashesSurvived, type Profile, tallyVotes, voteQuorum } from '../src/index.ts';
import { isAckQuorum, jointResult } from '../src/quorum.ts';

const largest = 9;
const trusted: Profile = { center: 'trusted' };
const lying = (colluding: number): Profile => ({ center: 'lying', colluding });

/** Every subset of 0 … n − 1, as bits. */
const subsets = (n: number): number[] => Array.from({ length: 2 ** n }, (_, bits) => bits);
const size = (bits: number): number => bits.toString(2).replaceAll('0', '').length;

/** n and t for which a ledger is possible at all: q <= D - t. */
function* possible(): Generator<{ n: number; t: number; q: number; votes: number }> {
  for (let n = 2; n <= largest; n += 1) {
    for (let t = 0; t < n; t += 1) {
      const q = ackQuorum(n, lying(t));
      if (q <= n - 1 - t) yield { n, t, q, votes: voteQuorum(n, lying(t)) };
    }
  }
}

test('the quorums are the ones that rsl.md names', () => {
  expect([3, 4, 5].map((n) => [ackQuorum(n, lying(0)), voteQuorum(n, lying(0))])).toEqual([
    [2, 2],
    [2, 3],
    [3, 3],
  ]);
  expect([1, 2, 3, 4, 5].map((n) => ackQuorum(n, trusted))).toEqual([1, 2, 2, 3, 3]);
  expect(crashesSurvived(3, lying(0))).toBe(0);
  expect(crashesSurvived(4, lying(0))).toBe(1);
});

test('any two ack quorums of one center share an honest department, whichever t departments lie (all n <= 9, all t)', () => {
  let pairs = 0;
  for (const { n, t, q } of possible()) {
    const departments = n - 1;
    const quorums = subsets(departments).filter((bits) => size(bits) === q);
    for (const a of quorums) {
      for (const b of quorums) {
        pairs += 1;
        // The liars that hurt most are those in both.
        if (size(a & b) <= t) throw new Error(`n ${n}, t ${t}: ${a.toString(2)} and ${b.toString(2)}`);
      }
    }
  }
  expect(pairs).toBe(9_781);
});

test('one acknowledgement less, and two ack quorums need not share an honest department', () => {
  for (const { n, t, q } of possible()) expect(2 * (q - 1) - (n - 1)).toBeLessThanOrEqual(t);
});

test('every vote quorum meets every ack quorum in t + 1 members: one that is honest, when the center lies too (all n <= 9, all t)', () => {
  for (const { n, t, q, votes } of possible()) {
    // Bit 0 is the center: it votes, it does not acknowledge.
    const ackQuorums = subsets(n).filter((bits) => size(bits) === q && (bits & 1) === 0);
    const voteQuorums = subsets(n).filter((bits) => size(bits) === votes);
    let least = n;
    for (const a of ackQuorums) for (const v of voteQuorums) least = Math.min(least, size(a & v));
    expect({ n, t, least }).toEqual({ n, t, least: Math.max(0, t + 1) });
  }
});

test('an honest center counts as a holder itself: then one honest holder votes although t + 1 departments lie (a deposed liar among them)', () => {
  for (const { n, t, q, votes } of possible()) {
    const holders = subsets(n).filter((bits) => size(bits) === q + 1 && (bits & 1) === 1);
    const voteQuorums = subsets(n).filter((bits) => size(bits) === votes);
    for (const h of holders) for (const v of voteQuorums) expect(size(h & v)).toBeGreaterThan(t + 1);
  }
});

test('two centers that a lying voter let be elected in one term cannot both get a quorum: an honest department would be in both', () => {
  for (const { n, t, q } of possible()) {
    for (const liars of [0, 1, 2]) {
      // Of the two centers so many lie; t + 1 members lie in all. An honest member acknowledges one center a term, and no center another.
      if (liars > t + 1) continue;
      const others = n - 2;
      const lyingOthers = t + 1 - liars;
      const honestOthers = others - lyingOthers;
      if (honestOthers < 0) continue;
      // An honest center acknowledges nobody else; a lying one acknowledges the other.
      const helpersOfFirst = lyingOthers + (liars === 2 ? 1 : 0);
      const helpersOfSecond = lyingOthers + (liars >= 1 ? 1 : 0);
      const isPossible = q - helpersOfFirst + (q - helpersOfSecond) <= honestOthers;
      expect({ n, t, liars, isPossible }).toEqual({ n, t, liars, isPossible: false });
    }
  }
});

test('blocks are made while c departments are down, exactly when D >= q + c (all c)', () => {
  for (const { n, t, q } of possible()) {
    const members = Array.from({ length: n }, (_, index) => String(index));
    const configuration = { epoch: 1, members, learners: [], eligible: ['0'], profile: lying(t) };
    for (let c = 0; c < n; c += 1) {
      const isMade = isAckQuorum(configuration, '0', (member) => Number(member) <= n - 1 - c);
      expect({ n, t, c, isMade }).toEqual({ n, t, c, isMade: n - 1 >= q + c });
      expect(isMade).toBe(c <= crashesSurvived(n, lying(t)));
    }
  }
});

test("the center's own acknowledgement counts with a trusted center only", () => {
  const members = ['a', 'b', 'c'];
  const has =
    (...names: string[]) =>
    (member: string) =>
      names.includes(member);
  const base = { epoch: 1, members, learners: [], eligible: ['a'] };
  expect(isAckQuorum({ ...base, profile: trusted }, 'a', has('a', 'b'))).toBe(true);
  expect(isAckQuorum({ ...base, profile: lying(0) }, 'a', has('a', 'b'))).toBe(false);
  expect(isAckQuorum({ ...base, profile: lying(0) }, 'a', has('b', 'c'))).toBe(true);
});

test('strangers and learners do not count', () => {
  const configuration = { epoch: 1, members: ['a', 'b', 'c'], learners: ['d'], eligible: ['a'], profile: trusted };
  expect(isAckQuorum(configuration, 'a', (member) => ['a', 'd', 'x'].includes(member))).toBe(false);
});

test('under a configuration without the center everybody is a department: two quorums of it still share one', () => {
  const configuration = { epoch: 2, members: ['b', 'c', 'd', 'e'], learners: [], eligible: ['b'], profile: lying(0) };
  const has =
    (...names: string[]) =>
    (member: string) =>
      names.includes(member);
  expect(isAckQuorum(configuration, 'a', has('b', 'c'))).toBe(false);
  expect(isAckQuorum(configuration, 'a', has('b', 'c', 'd'))).toBe(true);
  expect(isAckQuorum(configuration, 'b', has('c', 'd'))).toBe(true);
});

test('trusted center: any two majorities meet (Raft section 5.4)', () => {
  for (let n = 1; n <= largest; n += 1) {
    expect(2 * ackQuorum(n, trusted)).toBeGreaterThan(n);
    expect(ackQuorum(n, trusted) + voteQuorum(n, trusted)).toBeGreaterThan(n);
  }
});

test('an election is lost as soon as the open votes cannot win it', () => {
  const configuration = { epoch: 1, members: ['a', 'b', 'c', 'd'], learners: [], eligible: ['a'], profile: lying(0) };
  const tally = (votes: Record<string, boolean>) => tallyVotes(configuration, (member) => votes[member]);
  expect(tally({ a: true, b: true })).toBe('pending');
  expect(tally({ a: true, b: true, c: true })).toBe('won');
  expect(tally({ a: true, b: false })).toBe('pending');
  expect(tally({ b: false, c: false })).toBe('lost');
  expect(tally({ a: true, x: true, y: true })).toBe('pending');
});

test('under two configurations at once an election is won when it is won under both', () => {
  expect(jointResult(['won', 'won'])).toBe('won');
  expect(jointResult(['won', 'pending'])).toBe('pending');
  expect(jointResult(['pending', 'lost'])).toBe('lost');
});
