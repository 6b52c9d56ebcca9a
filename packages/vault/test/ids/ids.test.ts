import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { secretKey } from '../../src/derivation/hkdf.ts';
import { outletIds } from '../../src/ids/outlet-ids.ts';
import { tokens } from '../../src/ids/tokens.ts';
import { codeOf, spellings } from '../support/outcome.ts';

const secret = randomBytes(32);
const scope = { channel: 'shipments', msp: 'Org1MSP', outlet: 'outlet-17' };
const ids = outletIds(secretKey(secret), scope);
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('the same event has the same oid, also after a restart; every other event another', () => {
  const again = outletIds(secretKey(secret), scope);
  const seen = new Map<string, string>();
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.nat(), (text, revision) => {
      const eventId = text.normalize('NFC').replaceAll('\u0000', '0');
      const oid = hexOf(ids.recordOid(eventId, revision));
      expect(hexOf(again.recordOid(eventId, revision))).toBe(oid);
      const name = JSON.stringify([eventId, revision]);
      expect(seen.get(oid) ?? name).toBe(name);
      seen.set(oid, name);
    }),
  );
});

test('no two of channel, firm, outlet and secret share an oid or a tag', () => {
  const variants = [
    ids,
    outletIds(secretKey(randomBytes(32)), scope),
    outletIds(secretKey(secret), { ...scope, channel: 'other' }),
    outletIds(secretKey(secret), { ...scope, msp: 'Org2MSP' }),
    outletIds(secretKey(secret), { ...scope, outlet: 'outlet-18' }),
  ];
  expect(new Set(variants.map((each) => hexOf(each.recordOid('e', 0)))).size).toBe(variants.length);
  expect(new Set(variants.map((each) => hexOf(each.contentTag(Buffer.from('{}'))))).size).toBe(variants.length);
});

test('parts cannot be moved between event id and revision', () => {
  expect(hexOf(ids.recordOid('a', 11))).not.toBe(hexOf(ids.recordOid('a1', 1)));
});

test('another content has another tag, the same content the same', () => {
  expect(hexOf(ids.contentTag(Buffer.from('{"a":1}')))).toBe(hexOf(ids.contentTag(Buffer.from('{"a":1}'))));
  expect(hexOf(ids.contentTag(Buffer.from('{"a":1}')))).not.toBe(hexOf(ids.contentTag(Buffer.from('{"a":2}'))));
});

test('event ids that are no text, and revisions that are no number, are refused', () => {
  for (const eventId of ['', 'a\u0000', '\ud800', 'cafe\u0301']) {
    expect([eventId, codeOf(() => ids.recordOid(eventId, 0))]).toEqual([eventId, 'input-invalid']);
  }
  for (const revision of [-1, 0.5, Number.NaN, 2 ** 53]) {
    expect([revision, codeOf(() => ids.recordOid('e', revision))]).toEqual([revision, 'input-invalid']);
  }
  expect(codeOf(() => ids.recordOid('é'.repeat(513), 0))).toBe('limit-exceeded');
  expect(ids.recordOid('é'.repeat(512), 0)).toHaveLength(32);
});

test('a token is the same for every spelling of an id, and for every node with the index root', () => {
  const root = randomBytes(32);
  const [a, b] = [tokens(secretKey(root), 'Org1MSP'), tokens(secretKey(root), 'Org1MSP')];
  const urn = hexOf(a.token({ type: 'epc', value: 'urn:epc:id:sscc:0614141.1234567890' }));
  expect(urn).toBe(hexOf(b.token({ type: 'sscc', value: '106141412345678908' })));
  expect(urn).not.toBe(hexOf(tokens(secretKey(root), 'Org2MSP').token({ type: 'sscc', value: '106141412345678908' })));
  expect(urn).not.toBe(
    hexOf(tokens(secretKey(randomBytes(32)), 'Org1MSP').token({ type: 'sscc', value: '106141412345678908' })),
  );
  expect(hexOf(a.token({ type: 'order', value: '7' }))).not.toBe(hexOf(a.token({ type: 'waybill', value: '7' })));
});

test('tokens of a record come without repetition, in an order that says nothing', () => {
  const index = tokens(secretKey(randomBytes(32)), 'Org1MSP');
  const list = index.tokens([
    { type: 'sscc', value: '106141412345678908' },
    { type: 'order', value: 'B' },
    { type: 'epc', value: 'https://id.gs1.org/00/106141412345678908' },
    { type: 'order', value: 'A' },
  ]);
  expect(list).toHaveLength(3);
  expect(list.map(hexOf)).toEqual(list.map(hexOf).sort());
});

test('ids print no key', () => {
  const root = randomBytes(32);
  const text = inspect([ids, tokens(secretKey(root), 'Org1MSP')], { depth: 9, showHidden: true });
  for (const form of [...spellings(secret), ...spellings(root)]) expect(text).not.toContain(form);
});
