import fc from 'fast-check';
import {
  canonicalJson,
  contentBytes,
  contentDigest,
  type JsonValue,
  parseContent,
  recordContent,
  recordLimits,
  type ShipmentRecord,
  validateRecord,
} from '../../src/index.ts';
import { codeOf } from '../support/refusal.ts';

const record: ShipmentRecord = validateRecord({
  eventId: 'event-1',
  consignment: 'order-17',
  schema: 'test/v1',
  collectionTime: '2026-11-21T09:55:48Z',
  businessIds: [{ value: '00123', type: 'sscc' }],
  payload: { b: 1, a: [true, null, 'ü'] },
});

test('what is sealed is the canonical JSON of five fields, without consignment and time', () => {
  expect(Buffer.from(contentBytes(recordContent(record))).toString()).toBe(
    '{"businessIds":[{"type":"sscc","value":"00123"}],"eventId":"event-1","payload":{"a":[true,null,"ü"],"b":1},"revision":0,"schema":"test/v1"}',
  );
});

test('every record that is accepted can be read again', () => {
  fc.assert(
    fc.property(fc.jsonValue({ depthSize: 'large' }), (payload) => {
      let accepted: ShipmentRecord;
      try {
        accepted = validateRecord({ ...record, payload });
      } catch {
        return;
      }
      const bytes = contentBytes(recordContent(accepted));
      expect(contentBytes(parseContent(bytes))).toEqual(bytes);
    }),
    { numRuns: 500 },
  );
});

test('the deepest payload that is accepted can be read again', () => {
  const payload = JSON.parse('['.repeat(63) + ']'.repeat(63)) as JsonValue;
  const bytes = contentBytes(recordContent(validateRecord({ ...record, payload })));
  expect(parseContent(bytes).payload).toEqual(payload);
});

test('a content of 1 MiB is encoded and read, a longer one is not', () => {
  const empty = contentBytes(recordContent({ ...record, payload: '' })).length;
  const largest = recordContent({ ...record, payload: 'x'.repeat(recordLimits.contentBytes - empty) });
  expect(contentBytes(parseContent(contentBytes(largest))).length).toBe(recordLimits.contentBytes);
  const longer = recordContent({ ...record, payload: 'x'.repeat(recordLimits.contentBytes - empty + 1) });
  expect(codeOf(() => contentBytes(longer))).toBe('limit-exceeded');
});

test.each<[string, string]>([
  ['no JSON', '{'],
  ['no object', '[]'],
  ['null', 'null'],
  ['a field missing', '{"businessIds":[],"eventId":"e","payload":1,"revision":0}'],
  ['a further field', '{"businessIds":[],"eventId":"e","extra":1,"payload":1,"revision":0,"schema":"s"}'],
  ['fields in another order', '{"eventId":"e","businessIds":[],"payload":1,"revision":0,"schema":"s"}'],
  ['spaces', '{ "businessIds":[],"eventId":"e","payload":1,"revision":0,"schema":"s"}'],
  ['a number in another spelling', '{"businessIds":[],"eventId":"e","payload":1.0,"revision":0,"schema":"s"}'],
  ['equal keys', '{"businessIds":[],"eventId":"e","payload":{"a":1,"a":1},"revision":0,"schema":"s"}'],
  ['a revision that is a text', '{"businessIds":[],"eventId":"e","payload":1,"revision":"0","schema":"s"}'],
  ['businessIds that are texts', '{"businessIds":["x"],"eventId":"e","payload":1,"revision":0,"schema":"s"}'],
])('sealed content with %s is data-abnormal', (_rule, text) => {
  expect(codeOf(() => parseContent(Buffer.from(text)))).toBe('data-abnormal');
});

test('contents that are the same have the same digest, whatever the order of their keys', () => {
  expect(contentDigest({ a: 1, b: [2] })).toBe(contentDigest({ b: [2], a: 1 }));
  expect(contentDigest({ a: 1 })).not.toBe(contentDigest({ a: 2 }));
  expect(contentDigest({})).toBe('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
  expect(canonicalJson({})).toBe('{}');
});
