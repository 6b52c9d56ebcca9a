import { duplicateOid, type RecordEntry, type Submission } from '@waymark/rsl';
import {
  contentRules,
  createAudit,
  createFactStore,
  type FactStore,
  gatherFacts,
  notAudited,
  type Standing,
  structuralRules,
} from '../src/index.ts';
import { attachmentOf, headerOfRecord, nowMs, submissionOf } from './records.ts';

const day = 86_400_000;
const toleranceMs = 300_000;
const rules = [
  ...structuralRules({ skewMs: 60_000, maxAgeMs: 30 * day, schemas: ['parcel-scan-v1'] }),
  ...contentRules(['carrier']),
];
const inOrder: Standing = { state: 'in-order' };

function department(standing: Standing = inOrder, facts: FactStore = createFactStore()) {
  return createAudit({ rules, facts, toleranceMs, attachmentOf, standingOf: () => standing, isRecorded: () => false });
}
const firstOf = (submission: Submission): RecordEntry => submission.records[0] as RecordEntry;
const at = (ms: number) => ({ nowMs: ms, height: 1 });
const follows = (submission: Submission, reason: string, standing: Standing = inOrder, atMs = nowMs): boolean =>
  department(standing).followsRejection(submission, firstOf(submission), reason, at(atMs));
const accepts = (submission: Submission, standing: Standing = inOrder, atMs = nowMs): boolean =>
  department(standing).followsAcceptance(submission, firstOf(submission), at(atMs));

describe('as center', () => {
  test('gives the verdicts that were gathered, and judges what was not looked at by what can be seen of it', async () => {
    const facts = createFactStore();
    const audit = department(inOrder, facts);
    const submission = submissionOf(2);
    expect(audit.record(submission, firstOf(submission), at(nowMs))).toBeNull();
    const later = { nowMs: nowMs - 3_600_000, height: 1 };
    expect(audit.record(submission, firstOf(submission), later)).toBe('time-in-future');
    const envelope = ({ index }: { index: number }) => headerOfRecord(index, index === 1 ? { schema: 'other' } : {});
    const options = { rules, attachmentOf, standingOf: () => inOrder, nowMs, ports: { envelope } };
    facts.put(submission.hash, await gatherFacts(submission, options));
    const verdicts = submission.records.map((entry) => audit.record(submission, entry, at(nowMs)));
    expect(verdicts).toEqual([null, 'schema-not-permitted']);
    facts.forget(submission.hash);
    expect(audit.record(submission, firstOf(submission), at(nowMs))).toBeNull();
    const broken = { ...submission, attachment: new Uint8Array(1) };
    expect(audit.record(broken, firstOf(broken), at(nowMs))).toBe(notAudited);
  });

  test('asks what is recorded where it was told to', () => {
    const audit = createAudit({
      rules,
      facts: createFactStore(),
      toleranceMs,
      attachmentOf,
      standingOf: () => inOrder,
      isRecorded: (oid) => oid === 'aa',
    });
    expect([audit.isRecorded('aa'), audit.isRecorded('bb')]).toEqual([true, false]);
  });
});

describe('as department, an acceptance', () => {
  test('of an ordinary record is followed, whatever the hour at which the block is seen', () => {
    expect(accepts(submissionOf(1))).toBe(true);
    expect(accepts(submissionOf(1), inOrder, nowMs + 400 * day)).toBe(true);
  });

  test('of a record from the future is followed only as far as clocks may differ', () => {
    const ahead = (ms: number) => submissionOf(1, { collectedFromMs: nowMs + ms, collectedToMs: nowMs + ms });
    expect(accepts(ahead(60_000 + toleranceMs))).toBe(true);
    expect(accepts(ahead(60_000 + toleranceMs + 1))).toBe(false);
  });

  test('of a record that was too old when it was signed is not followed', () => {
    const aged = (ms: number) => submissionOf(1, { collectedFromMs: nowMs - ms, collectedToMs: nowMs - ms });
    expect(accepts(aged(30 * day))).toBe(true);
    expect(accepts(aged(30 * day + toleranceMs + 501))).toBe(false);
  });

  test('of what a department signed after its right was withdrawn is not followed', () => {
    const withdrawnFor = (ms: number): Standing => ({ state: 'withdrawn', sinceMs: nowMs - 500 - ms });
    expect(accepts(submissionOf(1), withdrawnFor(toleranceMs + 1))).toBe(false);
    expect(accepts(submissionOf(1), withdrawnFor(toleranceMs))).toBe(true);
    expect(accepts(submissionOf(1), { state: 'withdrawn' })).toBe(true);
    expect(accepts(submissionOf(1), { state: 'unknown' })).toBe(true);
    expect(accepts(submissionOf(1), { state: 'unsigned' })).toBe(false);
  });

  test('of an envelope that is not the one that was signed is not followed', () => {
    const cids = attachmentOf(submissionOf(2)).cids.toReversed();
    const submission = submissionOf(2, {}, { cids });
    expect(accepts(submission)).toBe(false);
    expect(follows(submission, 'schema-not-permitted')).toBe(false);
  });

  test('of a submission whose attachment cannot be read is not followed', () => {
    const submission = { ...submissionOf(1), attachment: new Uint8Array([1, 2, 3]) };
    expect(accepts(submission)).toBe(false);
    expect(follows(submission, 'schema-not-permitted')).toBe(false);
  });

  test('of an envelope that a sample does not find, or finds to be another, is not followed', async () => {
    for (const [finding, expected] of [
      ['absent', false],
      ['malformed', false],
      [headerOfRecord(0, { outlet: 'dock-2' }), false],
      [headerOfRecord(0), true],
    ] as const) {
      const submission = submissionOf(1);
      const facts = createFactStore();
      const options = { rules, attachmentOf, standingOf: () => inOrder, nowMs, toleranceMs };
      const sample = { records: 1, random: Math.random };
      facts.put(
        submission.hash,
        await gatherFacts(submission, { ...options, sample, ports: { envelope: () => finding } }),
      );
      const audit = department(inOrder, facts);
      expect(audit.followsAcceptance(submission, firstOf(submission), at(nowMs))).toBe(expected);
    }
  });
});

describe('as department, a rejection', () => {
  test('for what is sealed to it, or by a rule it does not know, is followed', () => {
    for (const reason of ['route-missing', 'content-unreadable', 'house-rule-7', notAudited, 'schema-not-permitted'])
      expect(follows(submissionOf(1), reason)).toBe(true);
  });

  test('without a well-formed reason, or for a duplicate that is none, is not followed', () => {
    for (const reason of ['', 'Because I say so', duplicateOid, 'x'.repeat(64)])
      expect(follows(submissionOf(1), reason)).toBe(false);
  });

  test('for a time in the future is followed only when it can have been one', () => {
    expect(follows(submissionOf(1), 'time-in-future')).toBe(true);
    const old = submissionOf(1, { collectedFromMs: nowMs - day, collectedToMs: nowMs - day });
    expect(follows(old, 'time-in-future')).toBe(false);
  });

  test('for a record that is too old is followed only when it can have been', () => {
    expect(follows(submissionOf(1), 'time-too-old')).toBe(false);
    const old = submissionOf(1, { collectedFromMs: nowMs - 31 * day });
    expect(follows(old, 'time-too-old')).toBe(true);
  });

  test('for a withdrawn right or a bad signature is followed only when it is seen here too', () => {
    expect(follows(submissionOf(1), 'right-withdrawn')).toBe(false);
    expect(follows(submissionOf(1), 'right-withdrawn', { state: 'withdrawn' })).toBe(true);
    expect(follows(submissionOf(1), 'right-withdrawn', { state: 'unknown' })).toBe(true);
    expect(follows(submissionOf(1), 'signature-invalid')).toBe(false);
    expect(follows(submissionOf(1), 'signature-invalid', { state: 'unsigned' })).toBe(true);
  });

  test('for its envelope is not followed when a sample shows that nothing is wrong with it', async () => {
    const submission = submissionOf(1);
    const facts = createFactStore();
    const options = { rules, attachmentOf, standingOf: () => inOrder, nowMs, toleranceMs };
    const sample = { records: 1, random: Math.random };
    const ports = { envelope: () => headerOfRecord(0) };
    facts.put(submission.hash, await gatherFacts(submission, { ...options, sample, ports }));
    const audit = department(inOrder, facts);
    const followed = (reason: string): boolean =>
      audit.followsRejection(submission, firstOf(submission), reason, at(nowMs));
    expect(followed('envelope-mismatch')).toBe(false);
    expect(followed('schema-not-permitted')).toBe(false);
    expect(followed('schema-malformed')).toBe(false);
    expect(followed('envelope-unretrievable')).toBe(true);
  });
});

test('a center and a department whose clocks agree within the tolerance never contradict each other', async () => {
  const offsets = [-toleranceMs + 1, -60_000, 0, 60_000, toleranceMs - 1];
  const ages = [-600_000, -360_001, -60_001, -60_000, 0, day, 30 * day, 30 * day + 1, 31 * day];
  let rejected = 0;
  for (const ageMs of ages) {
    const collectedMs = nowMs - ageMs;
    const submission = submissionOf(1, { collectedFromMs: collectedMs, collectedToMs: collectedMs });
    const ports = { envelope: () => headerOfRecord(0, { collectedMs }) };
    const options = { rules, attachmentOf, standingOf: () => inOrder, nowMs, ports };
    const reason = (await gatherFacts(submission, options)).verdicts.get(firstOf(submission).oid);
    for (const offsetMs of offsets) {
      const atMs = nowMs + offsetMs;
      if (reason === undefined) expect(accepts(submission, inOrder, atMs)).toBe(true);
      else expect(follows(submission, reason, inOrder, atMs)).toBe(true);
    }
    if (reason !== undefined) rejected += 1;
  }
  expect(rejected).toBe(5);
});
