import fc from 'fast-check';
import {
  canonicalJson,
  cidOfRaw,
  type Evidence,
  formatEvidenceId,
  identifierProblem,
  type JsonObject,
  parseEvidence,
  parseEvidenceId,
} from '../../src/index.ts';
import { createBatch } from '../support/batch.ts';
import { codeOf } from '../support/refusal.ts';

const { evidence } = createBatch();
const jsonOf = (change: Readonly<Record<string, unknown>>): string => JSON.stringify({ ...evidence, ...change });

test('evidence made from a batch is read as it was, as text and as bytes', () => {
  const text = canonicalJson(evidence as unknown as JsonObject);
  expect(parseEvidence(text)).toEqual(evidence);
  expect(parseEvidence(Buffer.from(text))).toEqual(evidence);
});

test.each<[string, Readonly<Record<string, unknown>>]>([
  ['another version', { v: 2 }],
  ['no msp', { msp: undefined }],
  ['an empty outlet', { outlet: '' }],
  ['an outlet with a slash', { outlet: 'a/b' }],
  ['an outlet with U+0000', { outlet: 'a\u0000b' }],
  ['sequence 0', { seq: 0 }],
  ['a broken sequence', { seq: 1.5 }],
  ['a hash in upper case', { batchHash: evidence.batchHash.toUpperCase().replace(/^./, 'A') }],
  ['a short hash', { root: evidence.root.slice(2) }],
  ['a CID that is none', { cid: 'bafy' }],
  ['a CID of a raw block', { cid: cidOfRaw(Uint8Array.of(1)).toString() }],
  ['no records', { count: 0 }],
  ['too many records', { count: 10_001 }],
  ['a time without milliseconds', { collectedFrom: '2026-11-20T00:00:00Z' }],
  ['a time with an offset', { collectedTo: '2026-11-20T00:00:00.000+01:00' }],
  ['no node', { node: '' }],
  ['a further field', { payload: 1 }],
])('evidence with %s is data-abnormal', (_rule, change) => {
  expect(codeOf(() => parseEvidence(jsonOf(change)))).toBe('data-abnormal');
});

test('evidence that is no JSON, says a thing twice or is too large is data-abnormal', () => {
  expect(codeOf(() => parseEvidence(''))).toBe('data-abnormal');
  expect(codeOf(() => parseEvidence('[]'))).toBe('data-abnormal');
  expect(codeOf(() => parseEvidence(jsonOf({}).replace('{', '{"v":1,')))).toBe('data-abnormal');
  expect(codeOf(() => parseEvidence(' '.repeat(20_000) + jsonOf({})))).toBe('data-abnormal');
});

describe('evidence ids', () => {
  test('an id comes back as it was', () => {
    const identifier = fc
      .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
      .filter((text) => identifierProblem(text) === undefined);
    fc.assert(
      fc.property(identifier, identifier, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (msp, outlet, seq) => {
        expect(parseEvidenceId(formatEvidenceId({ msp, outlet, seq }))).toEqual({ msp, outlet, seq });
      }),
    );
  });

  test.each([
    '',
    'SwiftMSP',
    'SwiftMSP/outlet-1',
    'SwiftMSP/outlet-1/',
    'SwiftMSP/outlet-1/0',
    'SwiftMSP/outlet-1/01',
    'SwiftMSP/outlet-1/-1',
    'SwiftMSP/outlet-1/1e3',
    'SwiftMSP/outlet-1/9007199254740992',
    'SwiftMSP/outlet-1/99999999999999999',
    'SwiftMSP/outlet-1/1/2',
    '/outlet-1/1',
    'SwiftMSP//1',
    'SwiftMSP/out\nlet/1',
    'SwiftMSP/out\u0000let/1',
    'SwiftMSP/e\u0301/1',
    `SwiftMSP/${'x'.repeat(257)}/1`,
  ])('%j is refused', (id) => {
    expect(codeOf(() => parseEvidenceId(id))).toBe('input-invalid');
  });
});

describe('parts of composite keys', () => {
  test.each(['SwiftMSP', 'outlet-1', 'Zürich Nord', '外灘', 'a'.repeat(256)])('%j can be one', (text) => {
    expect(identifierProblem(text)).toBeUndefined();
  });

  test.each([
    '',
    'a\u0000b',
    'a\u{10ffff}',
    'a/b',
    'a\u0007',
    'a\u0085',
    '\ud800',
    'e\u0301',
    'a'.repeat(257),
    'ü'.repeat(129),
  ])('%j cannot', (text) => {
    expect(identifierProblem(text)).toEqual(expect.any(String));
  });
});

test('the type of evidence has the fields that the chain keeps', () => {
  const fields: readonly (keyof Evidence)[] = ['v', 'msp', 'outlet', 'seq', 'batchHash', 'prev', 'root', 'cid', 'count', 'collectedFrom', 'collectedTo', 'node', 'certificate']; // prettier-ignore
  expect(Object.keys(evidence).sort()).toEqual([...fields].sort());
});
