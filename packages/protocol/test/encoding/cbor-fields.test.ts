import { type CborValue, decodeFields, encodeCbor } from '../../src/index.ts';
import { codeOf, refusal } from '../support/refusal.ts';

const fields = (map: CborValue): ReturnType<typeof decodeFields> => decodeFields(encodeCbor(map), 'test item');

test('fields are read by kind', () => {
  const map = fields({ a: 'text', b: 7, c: Uint8Array.of(1), d: null, e: [1, 2], f: 'fixed' });
  expect(map.text('a')).toBe('text');
  expect(map.integer('b')).toBe(7);
  expect(map.bytes('c', 1)).toEqual(Uint8Array.of(1));
  expect(map.bytesOrNull('d')).toBeNull();
  expect(map.list('e', 2)).toEqual([1, 2]);
  map.constant('f', 'fixed');
  map.end();
});

test.each<[string, CborValue, (map: ReturnType<typeof decodeFields>) => unknown]>([
  ['a field that is missing', {}, (map) => map.text('a')],
  ['a text of another kind', { a: 1 }, (map) => map.text('a')],
  ['a text that is too long', { a: 'xxx' }, (map) => map.text('a', 2)],
  ['a number below its least', { a: -1 }, (map) => map.integer('a')],
  ['a number above its most', { a: 11 }, (map) => map.integer('a', 0, 10)],
  ['a number beyond 2^53', { a: 2n ** 60n }, (map) => map.integer('a')],
  ['bytes of another length', { a: Uint8Array.of(1) }, (map) => map.bytes('a', 2)],
  ['neither bytes nor null', { a: 0 }, (map) => map.bytesOrNull('a')],
  ['null where bytes must be', { a: null }, (map) => map.bytes('a')],
  ['a list that is too long', { a: [1, 2, 3] }, (map) => map.list('a', 2)],
  ['another constant', { a: 2 }, (map) => map.constant('a', 1)],
  ['a field that is not known', { a: 2 }, (map) => map.end()],
])('%s is refused with its name', (_rule, map, read) => {
  expect(refusal(() => read(fields(map)))).toEqual({ code: 'input-invalid', details: { place: 'a' } });
});

test('an item that is no map is refused', () => {
  expect(codeOf(() => fields([1]))).toBe('input-invalid');
  expect(codeOf(() => decodeFields(encodeCbor({ a: 'xxxxxxxx' }), 'test item', 4))).toBe('limit-exceeded');
});
