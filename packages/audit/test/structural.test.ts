import { ruleSet, structuralRules } from '../src/index.ts';
import { factsOf, headerOfRecord, nowMs, reasonAtCenter, statementOf } from './records.ts';

const day = 86_400_000;
const rules = structuralRules({ skewMs: 60_000, maxAgeMs: 30 * day, schemas: ['parcel-scan-v1', 'urn:waymark:*'] });
const withHeader = (changes: Parameters<typeof headerOfRecord>[1]) => factsOf({ envelope: headerOfRecord(0, changes) });
const withTimes = (collectedMs: number) =>
  factsOf({
    envelope: headerOfRecord(0, { collectedMs }),
    statement: statementOf({ collectedFromMs: collectedMs, collectedToMs: collectedMs }),
  });

describe('at the center', () => {
  test('a record that keeps every rule is let in', () => {
    expect(reasonAtCenter(rules, factsOf())).toBeNull();
  });

  test.each([
    ['signature-invalid', factsOf({ standing: { state: 'unsigned' } })],
    ['right-withdrawn', factsOf({ standing: { state: 'withdrawn' } })],
    ['right-withdrawn', factsOf({ standing: { state: 'unknown' } })],
    ['envelope-mismatch', factsOf({ isLeafIntact: false })],
    ['envelope-mismatch', factsOf({ envelope: 'malformed' })],
    ['envelope-unretrievable', factsOf({ envelope: 'absent' })],
    ['envelope-mismatch', withHeader({ channel: 'other' })],
    ['envelope-mismatch', withHeader({ msp: 'SouthMSP' })],
    ['envelope-mismatch', withHeader({ outlet: 'dock-2' })],
    ['envelope-mismatch', withHeader({ recordOid: new Uint8Array(32).fill(9) })],
    ['envelope-mismatch', withHeader({ collectedMs: nowMs - 60_001 })],
    ['envelope-mismatch', withHeader({ collectedMs: nowMs - 999 })],
    ['schema-malformed', withHeader({ schema: '' })],
    ['schema-malformed', withHeader({ schema: 'a\u0007b' })],
    ['schema-malformed', withHeader({ schema: 'x'.repeat(257) })],
    ['schema-not-permitted', withHeader({ schema: 'parcel-scan-v2' })],
    ['time-in-future', withTimes(nowMs + 60_001)],
    ['time-too-old', withTimes(nowMs - 30 * day - 1)],
  ])('%s', (reason, facts) => {
    expect(reasonAtCenter(rules, facts)).toBe(reason);
  });

  test.each([
    ['a schema of a permitted family', withHeader({ schema: 'urn:waymark:x' })],
    ['a time as far ahead as clocks may differ', withTimes(nowMs + 60_000)],
    ['a record as old as it may be', withTimes(nowMs - 30 * day)],
  ])('%s is let in', (_name, facts) => {
    expect(reasonAtCenter(rules, facts)).toBeNull();
  });

  test('without limits every schema and every age is let in', () => {
    const open = structuralRules({ skewMs: 60_000 });
    expect(reasonAtCenter(open, withHeader({ schema: 'anything' }))).toBeNull();
    expect(reasonAtCenter(open, withTimes(Date.UTC(1970)))).toBeNull();
  });
});

test('a code belongs to rules that are checked by the same members, and is a word', () => {
  const rule = { checkedBy: 'center', check: () => null } as const;
  expect(() => ruleSet([{ ...rule, codes: ['Not a code'] }])).toThrow('reason code');
  expect(() =>
    ruleSet([
      { ...rule, codes: ['same'] },
      { ...rule, checkedBy: 'both', codes: ['same'] },
    ]),
  ).toThrow('reason code');
  expect(ruleSet([{ ...rule, codes: ['same'] }])).toHaveLength(1);
});
