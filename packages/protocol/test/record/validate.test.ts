import { checkJson, recordLimits, validateRecord } from '../../src/index.ts';
import { codeOf, refusal } from '../support/refusal.ts';

const record = {
  eventId: 'urn:uuid:3f1c',
  revision: 0,
  consignment: 'order-17',
  schema: 'cargo2000/milestone/v1',
  collectionTime: '2026-11-21T09:55:48.000Z',
  businessIds: [{ type: 'sscc', value: '001234560000000018' }],
  payload: { leg: 1, milestone: 'DEP' },
};
const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as unknown;

test('a record is taken as it is', () => {
  expect(validateRecord(record)).toEqual(record);
});

test('revision is 0 and businessIds empty unless given', () => {
  const { eventId, consignment, schema, collectionTime, payload } = record;
  const least = { eventId, consignment, schema, collectionTime, payload };
  expect(validateRecord(least)).toEqual({ ...least, revision: 0, businessIds: [] });
});

test('any JSON is a payload, null as well', () => {
  for (const payload of [null, true, 0, -1.5, 'x', [], {}, [[{ a: [null] }]]])
    expect(validateRecord({ ...record, payload }).payload).toEqual(payload);
});

test('limits are reached, and not passed', () => {
  const ids = (count: number): unknown[] =>
    Array.from({ length: count }, (_, index) => ({ type: 't', value: `v${index}` }));
  const cases: readonly (readonly [Record<string, unknown>, Record<string, unknown>])[] = [
    [{ eventId: 'x'.repeat(recordLimits.eventIdBytes) }, { eventId: 'x'.repeat(recordLimits.eventIdBytes + 1) }],
    [{ eventId: 'ü'.repeat(512) }, { eventId: 'ü'.repeat(513) }],
    [{ consignment: 'x'.repeat(256) }, { consignment: 'x'.repeat(257) }],
    [{ schema: 'x'.repeat(256) }, { schema: 'x'.repeat(257) }],
    [{ revision: 0xffff_ffff }, { revision: 0x1_0000_0000 }],
    [{ businessIds: ids(32) }, { businessIds: ids(33) }],
    [{ businessIds: [{ type: 'x'.repeat(64), value: 'x'.repeat(1_024) }] }, { businessIds: [{ type: 'x'.repeat(65), value: 'x' }] }], // prettier-ignore
    [{ payload: nested(63) }, { payload: nested(64) }],
    [{ payload: Number.MAX_SAFE_INTEGER }, { payload: Number.MAX_SAFE_INTEGER + 1 }],
  ];
  for (const [within, beyond] of cases) {
    expect(codeOf(() => validateRecord({ ...record, ...within }))).toBe('accepted');
    expect(codeOf(() => validateRecord({ ...record, ...beyond }))).toBe('input-invalid');
  }
});

test.each<[string, unknown, string]>([
  ['nothing', undefined, ''],
  ['null', null, ''],
  ['a list', [record], ''],
  ['a text', 'record', ''],
  ['an unknown field', { ...record, more: 1 }, '/more'],
  ['an unknown field with a slash', { ...record, 'a/b': 1 }, '/a~1b'],
  ['no eventId', { ...record, eventId: undefined }, '/eventId'],
  ['an empty eventId', { ...record, eventId: '' }, '/eventId'],
  ['an eventId that is a number', { ...record, eventId: 7 }, '/eventId'],
  ['an eventId that is not in NFC', { ...record, eventId: 'e\u0301' }, '/eventId'],
  ['an eventId with U+0000', { ...record, eventId: 'a\u0000b' }, '/eventId'],
  ['an eventId with a lone surrogate', { ...record, eventId: 'a\ud83d' }, '/eventId'],
  ['a negative revision', { ...record, revision: -1 }, '/revision'],
  ['a broken revision', { ...record, revision: 0.5 }, '/revision'],
  ['a revision that is a text', { ...record, revision: '1' }, '/revision'],
  ['an empty consignment', { ...record, consignment: '' }, '/consignment'],
  ['no schema', { ...record, schema: null }, '/schema'],
  ['no time', { ...record, collectionTime: undefined }, '/collectionTime'],
  ['a time in another form', { ...record, collectionTime: '21.11.2026' }, '/collectionTime'],
  ['businessIds that are no list', { ...record, businessIds: {} }, '/businessIds'],
  ['a businessId that is a text', { ...record, businessIds: ['x'] }, '/businessIds/0'],
  [
    'a businessId with a further field',
    { ...record, businessIds: [{ type: 'a', value: 'b', c: 1 }] },
    '/businessIds/0',
  ],
  ['a businessId without a value', { ...record, businessIds: [{ type: 'a' }] }, '/businessIds/0/value'],
  [
    'a businessId that is not in NFC',
    { ...record, businessIds: [{ type: 'a', value: 'A\u030a' }] },
    '/businessIds/0/value',
  ],
  ['no payload', { ...record, payload: undefined }, '/payload'],
  ['a payload with undefined in it', { ...record, payload: { a: [1, undefined] } }, '/payload/a/1'],
  ['a payload with a function', { ...record, payload: { toJSON: () => 1 } }, '/payload/toJSON'],
  ['a payload with a date', { ...record, payload: { at: new Date(0) } }, '/payload/at'],
  ['a payload with a map', { ...record, payload: new Map() }, '/payload'],
  ['a payload with a big integer', { ...record, payload: [1n] }, '/payload/0'],
  ['a payload with a symbol', { ...record, payload: Symbol('x') }, '/payload'],
  ['a payload with NaN', { ...record, payload: [0, Number.NaN] }, '/payload/1'],
  ['a payload with infinity', { ...record, payload: { n: -Infinity } }, '/payload/n'],
  ['a payload with an integer beyond 2^53', { ...record, payload: { n: 2 ** 53 } }, '/payload/n'],
  ['a payload with a hole in a list', { ...record, payload: Object.assign([], { 0: 1, 2: 3 }) }, '/payload/1'], // prettier-ignore
  ['a payload with a lone surrogate', { ...record, payload: ['\udc00'] }, '/payload/0'],
  ['a payload with a key that is not in NFC', { ...record, payload: { 'e\u0301': 1 } }, '/payload/e\u0301'],
  ['a payload with __proto__', { ...record, payload: JSON.parse('{"__proto__":{}}') as unknown }, '/payload/__proto__'],
])('%s is refused with its place', (_rule, value, place) => {
  expect(refusal(() => validateRecord(value))).toMatchObject({ code: 'input-invalid', details: { place } });
});

test('a payload that holds itself, or nests a hundred thousand levels, is refused without a stack overflow', () => {
  const loop: unknown[] = [];
  loop.push(loop);
  let deep: unknown = [];
  for (let level = 0; level < 100_000; level += 1) deep = [deep];
  for (const payload of [loop, deep])
    expect(codeOf(() => validateRecord({ ...record, payload }))).toBe('input-invalid');
});

test('no error shows a value, nor a long key', () => {
  const canary = 'canary-4711';
  for (const value of [
    { ...record, eventId: `${canary}\u0000` },
    { ...record, collectionTime: canary },
    { ...record, payload: [`${canary}\ud800`] },
  ]) {
    const found = refusal(() => validateRecord(value));
    expect(found.code).toBe('input-invalid');
    expect(JSON.stringify(found)).not.toContain(canary);
  }
  const { details } = refusal(() => validateRecord({ ...record, payload: { ['k'.repeat(100_000)]: Number.NaN } }));
  expect(String(details['place']).length).toBeLessThan(100);
});

test('a value is checked by the same rules on its own', () => {
  expect(codeOf(() => checkJson({ a: [1, 'x', null, true] }))).toBe('accepted');
  expect(codeOf(() => checkJson(nested(64)))).toBe('accepted');
  expect(codeOf(() => checkJson(nested(65)))).toBe('input-invalid');
  expect(codeOf(() => checkJson(Object.create(null)))).toBe('accepted');
});
