import fc from 'fast-check';
import { cidOfDagCbor } from '@waymark/protocol';
import type {
  Ack,
  Candidate,
  Configuration,
  HandOver,
  LogEnd,
  LogEntry,
  Message,
  Snapshot,
  Submission,
  Vote,
  VoteCertificate,
} from '@waymark/rsl';
import { equivocations, seals } from '../../../../rsl/test/portable/arbitraries.ts';

/** Arbitrary messages of every kind: what the core makes, and much that it would not. */

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const ledger = fc.constantFrom('FirmMSP/trade', 'OtherMSP/trade');
const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const digest = bytes32.map((bytes) => Buffer.from(bytes).toString('hex'));
const prev = fc.oneof(
  fc.constant(''),
  fc.uint8Array({ maxLength: 4 }).map((bytes) => cidOfDagCbor(bytes).toString()),
);
const signature = fc.uint8Array({ maxLength: 120 }).map((bytes) => Buffer.from(bytes).toString('base64url'));
const reason = fc.option(fc.string({ unit: 'grapheme', maxLength: 20 }));

const submissions: fc.Arbitrary<Submission> = fc.record({
  ledger,
  department: name,
  seq: whole,
  prev: fc.oneof(fc.constant(''), digest),
  root: digest,
  records: fc.oneof(
    fc.array(fc.record({ oid: digest, leaf: bytes32 }), { maxLength: 5 }),
    fc.array(fc.record({ oid: fc.oneof(digest, fc.string({ unit: 'grapheme', maxLength: 9 })), leaf: bytes32 }), {
      maxLength: 5,
    }),
  ),
  attachment: fc.uint8Array({ maxLength: 40 }),
  hash: digest,
  signature,
});

const configurations: fc.Arbitrary<Configuration> = fc.record({
  epoch: whole,
  members: fc.array(name, { maxLength: 5 }),
  learners: fc.array(name, { maxLength: 3 }),
  eligible: fc.array(name, { maxLength: 3 }),
  profile: fc.oneof(
    fc.constant({ center: 'trusted' as const }),
    fc.record({ center: fc.constant('lying' as const), colluding: whole }),
  ),
});

export const candidates: fc.Arbitrary<Candidate> = fc.record({
  ledger,
  epoch: whole,
  height: whole,
  term: whole,
  center: name,
  prev,
  content: fc.oneof(
    fc.record({
      kind: fc.constant('records' as const),
      audited: fc.array(
        fc.record({
          submission: submissions,
          rejected: fc.array(fc.record({ index: whole, reason: fc.string({ maxLength: 20 }) }), { maxLength: 3 }),
        }),
        { maxLength: 3 },
      ),
    }),
    fc.record({ kind: fc.constant('configuration' as const), configuration: configurations }),
    fc.constant({ kind: 'empty' as const }),
  ),
  salt: fc.string({ maxLength: 64 }),
  root: digest,
  count: whole,
  signature,
});

const entries: fc.Arbitrary<LogEntry[]> = fc.array(fc.record({ candidate: candidates, seal: fc.option(seals) }), {
  maxLength: 3,
});

const logEnds: fc.Arbitrary<LogEnd> = fc.record({
  sealed: fc.record({ height: whole, term: whole, hash: prev }),
  candidate: fc.option(fc.record({ height: whole, term: whole, prev, root: digest, count: whole })),
});

const votes: fc.Arbitrary<Vote> = fc.record({
  ledger,
  epoch: whole,
  term: whole,
  candidate: name,
  voter: name,
  logEnd: logEnds,
  signature,
});

const elections: fc.Arbitrary<VoteCertificate> = fc.record({
  epoch: whole,
  term: whole,
  center: name,
  base: fc.option(seals),
  votes: fc.array(votes, { maxLength: 4 }),
});

const handOvers: fc.Arbitrary<HandOver> = fc.record({ ledger, term: whole, from: name, to: name, signature });

const acks: fc.Arbitrary<Ack> = fc.record({
  ledger,
  epoch: whole,
  height: whole,
  term: whole,
  prev,
  root: digest,
  count: whole,
  ackTimeMs: whole,
  member: name,
  signature,
});

const snapshots: fc.Arbitrary<Snapshot> = fc.record({
  height: whole,
  salt: fc.string({ maxLength: 64 }),
  cursors: fc.array(fc.record({ department: name, seq: whole, hash: digest }), { maxLength: 4 }),
  configuration: configurations,
  configurations: fc.array(fc.record({ configuration: configurations, seals: fc.array(seals, { maxLength: 2 }) }), {
    maxLength: 2,
  }),
  seals: fc.array(seals, { maxLength: 3 }),
});

const common = { from: name, to: name, term: whole };

/** By kind, so that a kind without an arbitrary does not compile. */
export const messagesByType: { readonly [T in Message['type']]: fc.Arbitrary<Extract<Message, { type: T }>> } = {
  append: fc.record({
    ...common,
    type: fc.constant('append'),
    prev: fc.record({ height: whole, hash: prev }),
    seal: fc.option(seals),
    entries,
    election: fc.option(elections),
  }),
  'append-reply': fc.record({
    ...common,
    type: fc.constant('append-reply'),
    result: fc.constantFrom('matched', 'gap', 'refused', 'stale'),
    height: whole,
    sealed: whole,
    ack: fc.option(acks),
    reason,
    needsElection: fc.boolean(),
  }),
  'vote-request': fc.record({
    ...common,
    type: fc.constant('vote-request'),
    pre: fc.boolean(),
    epoch: whole,
    logEnd: logEnds,
    handOver: fc.option(handOvers),
  }),
  'vote-reply': fc.record({
    ...common,
    type: fc.constant('vote-reply'),
    asked: whole,
    pre: fc.boolean(),
    granted: fc.boolean(),
    vote: fc.option(votes),
    reason,
  }),
  'hand-over': fc.record({ ...common, type: fc.constant('hand-over'), handOver: handOvers }),
  snapshot: fc.record({
    ...common,
    type: fc.constant('snapshot'),
    snapshot: snapshots,
    election: fc.option(elections),
  }),
  fetch: fc.record({ ...common, type: fc.constant('fetch'), height: whole }),
  blocks: fc.record({ ...common, type: fc.constant('blocks'), snapshot: fc.option(snapshots), entries }),
  evidence: fc.record({ ...common, type: fc.constant('evidence'), evidence: equivocations }),
};

export const messages: fc.Arbitrary<Message> = fc.oneof(...(Object.values(messagesByType) as fc.Arbitrary<Message>[]));
