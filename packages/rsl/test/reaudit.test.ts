import { type Reaudit, reauditProblem } from '../src/audit/reaudit.ts';
import { isHeldBack } from '../src/audit/held-back.ts';
import { auditSubmission } from '../src/audit/verdicts.ts';
import { type AuditedSubmission, contentCounts } from '../src/block/candidate.ts';
import { contentRoot } from '../src/block/content-root.ts';
import type { Audit, Candidate, Content, Submission } from '../src/index.ts';
import { genesis } from '../src/log/chain.ts';
import { createCluster } from './support/cluster.ts';
import { fakeCrypto } from './support/fake-crypto.ts';

const cluster = createCluster();
const crypto = fakeCrypto('judge');
const below = genesis(cluster.configuration);
const first = cluster.submission('b', ['x', 'y']);
const second = cluster.submission('b', ['z']);
const audit: Audit = {
  record: (_, { oid }) => (oid === 'bad' ? 'schema' : null),
  followsRejection: (_, __, reason) => reason === 'schema',
  followsAcceptance: (_, { oid }) => oid !== 'bad',
  isRecorded: (oid) => oid === 'old',
};
const reaudit: Reaudit = {
  crypto,
  audit,
  ledger: 'firm/channel',
  faults: {},
  maxSubmissionRecords: 10,
  isRecent: (oid) => oid === 'recent',
  context: { nowMs: 0, height: 1 },
};

function candidate(content: Content, change: Partial<Candidate> = {}): Candidate {
  const { accepted, rejected } = contentCounts(content);
  return {
    ledger: 'firm/channel',
    epoch: 1,
    height: 1,
    term: 1,
    center: 'a',
    prev: '',
    content,
    salt: '',
    root: contentRoot(crypto, content),
    count: accepted + rejected,
    signature: '',
    ...change,
  };
}

const records = (...audited: AuditedSubmission[]): Content => ({ kind: 'records', audited });
const all = (submission: Submission): AuditedSubmission => ({ submission, rejected: [] });
const problem = (content: Content, change: Partial<Candidate> = {}, with_: Partial<Reaudit> = {}) =>
  reauditProblem({ ...reaudit, ...with_ }, below, candidate(content, change), true);

test('a right candidate is acknowledged', () => {
  expect(problem(records(all(first), all(second)))).toBeNull();
  expect(problem({ kind: 'empty' })).toBeNull();
});

test.each<[string, string, Content, Partial<Candidate>]>([
  ['leaves out the first submission', 'sequence-gap', records(all(second)), {}],
  ['repeats a submission', 'sequence-gap', records(all(first), all(first)), {}],
  ['has them in another order', 'sequence-gap', records(all(second), all(first)), {}],
  ['has a submission of another ledger', 'recipient-mismatch', records(all({ ...first, ledger: 'other' })), {}],
  ['has a submission that nobody signed', 'signature-invalid', records(all({ ...first, signature: 'b:0' })), {}],
  ['has a submission in the name of another', 'submission-malformed', records(all({ ...first, department: 'c' })), {}],
  ['has a submission with another number', 'submission-malformed', records(all({ ...first, seq: 2 })), {}],
  ['has a submission without records', 'submission-malformed', records(all({ ...first, records: [] })), {}],
  ['has nothing in it and says it has', 'content-empty', records(), {}],
  ['counts wrongly', 'count-mismatch', records(all(first)), { count: 1 }],
  ['has another root', 'root-mismatch', records(all(first)), { root: 'another' }],
  [
    'rejects without a reason',
    'rejection-without-reason',
    records({ submission: first, rejected: [{ index: 0, reason: '' }] }),
    {},
  ],
  [
    'rejects what is not there',
    'rejection-malformed',
    records({ submission: first, rejected: [{ index: 5, reason: 'schema' }] }),
    {},
  ],
  [
    'rejects a record twice',
    'rejection-malformed',
    records({
      submission: first,
      rejected: [
        { index: 0, reason: 'schema' },
        { index: 0, reason: 'schema' },
      ],
    }),
    {},
  ],
  [
    'rejects for a reason that cannot be followed',
    'rejection-not-followed',
    records({ submission: first, rejected: [{ index: 0, reason: 'whim' }] }),
    {},
  ],
  [
    'calls a new oid a duplicate',
    'rejection-not-followed',
    records({ submission: first, rejected: [{ index: 0, reason: 'duplicate-oid' }] }),
    {},
  ],
])('a candidate that %s is refused: %s', (_, reason, content, change) => {
  expect(problem(content, change)).toBe(reason);
});

test('a submission with other leaves than its root says is refused', () => {
  const {
    records: [entry],
  } = first;
  const leaf = new Uint8Array(32);
  const altered = {
    ...first,
    records: [{ ...(entry as (typeof first.records)[number]), leaf }, ...first.records.slice(1)],
  };
  expect(problem(records(all(altered)))).toBe('root-mismatch');
});

test.each(['old', 'recent'])('an oid that is %s is not accepted again, and may be rejected', (oid) => {
  const again = createCluster().submission('b', [oid]);
  expect(problem(records(all(again)))).toBe('duplicate-oid');
  expect(problem(records({ submission: again, rejected: [{ index: 0, reason: 'duplicate-oid' }] }))).toBeNull();
});

test('an oid twice in one block is refused', () => {
  const twice = createCluster().submission('b', ['x', 'x']);
  expect(problem(records(all(twice)))).toBe('duplicate-oid');
});

test('an accepted record that is not compliant is refused by whoever can see it', () => {
  expect(problem(records(all(createCluster().submission('b', ['bad']))))).toBe('acceptance-not-followed');
});

test('for a block that a quorum has acknowledged already verdicts are not judged, but everything else is', () => {
  const bad = candidate(records(all(createCluster().submission('b', ['bad']))));
  expect(reauditProblem(reaudit, below, bad, false)).toBeNull();
  expect(reauditProblem(reaudit, below, candidate(records(all(second))), false)).toBe('sequence-gap');
});

test('too many records in one submission are refused', () => {
  expect(problem(records(all(first)), {}, { maxSubmissionRecords: 1 })).toBe('too-large');
});

test("the center's own audit gives each record its verdict", () => {
  const submission = createCluster().submission('b', ['x', 'bad', 'old', 'x']);
  const { rejected } = auditSubmission(audit, submission, new Set(), () => false, reaudit.context, false);
  expect(rejected).toEqual([
    { index: 1, reason: 'schema' },
    { index: 2, reason: 'duplicate-oid' },
    { index: 3, reason: 'duplicate-oid' },
  ]);
  expect(problem(records({ submission, rejected }))).toBeNull();
});

test('a submission is held back when the ledger is so many blocks past its receipt without it', () => {
  const receipt = { department: 'b', seq: 3, height: 10 };
  const cursors = new Map([['b', { seq: 2, hash: '' }]]);
  expect(isHeldBack(receipt, 14, cursors, 4)).toBe(false);
  expect(isHeldBack(receipt, 15, cursors, 4)).toBe(true);
  expect(isHeldBack(receipt, 15, new Map([['b', { seq: 3, hash: '' }]]), 4)).toBe(false);
  expect(isHeldBack(receipt, 15, new Map(), 4)).toBe(true);
});
