import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import {
  type CborValue,
  encodeCbor,
  readTransportKey,
  signCose,
  signTransportKey,
  toCoseKey,
} from '../../src/index.ts';
import { codeOf, flipped } from '../support/refusal.ts';
import { createTestSigner } from '../support/signer.ts';

const center = createTestSigner('center-1');
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const announcement = {
  channel: 'trade',
  msp: 'SwiftMSP',
  kid: 'kid-1',
  publicKey,
  notBeforeMs: 1_000,
  notAfterMs: 2_000,
};

function announced(change: Readonly<Record<string, CborValue | undefined>>): Uint8Array {
  const fields: Readonly<Record<string, CborValue | undefined>> = {
    v: 1,
    type: 'transport-key',
    channel: 'trade',
    msp: 'SwiftMSP',
    kid: 'kid-1',
    key: toCoseKey(publicKey),
    notBefore: 1_000,
    notAfter: 2_000,
    ...change,
  };
  const given = Object.entries(fields).filter((entry): entry is [string, CborValue] => entry[1] !== undefined);
  return signCose(center, { type: 'transport-key', channel: 'trade' }, encodeCbor(Object.fromEntries(given)));
}

test('an announcement comes back as it was, with the certificate of who signed it', () => {
  for (const bytes of [signTransportKey(center, announcement), announced({})]) {
    const read = readTransportKey(bytes, 'trade');
    expect({ ...read.announcement, publicKey }).toEqual(announcement);
    expect(read.announcement.publicKey.equals(publicKey)).toBe(true);
    expect(Buffer.from(read.certificateDer)).toEqual(Buffer.from(center.certificateDer));
  }
});

test('a flipped bit and another channel are refused', () => {
  const bytes = signTransportKey(center, announcement);
  fc.assert(
    fc.property(fc.nat({ max: bytes.length * 8 - 1 }), (bit) => {
      expect(codeOf(() => readTransportKey(flipped(bytes, bit), 'trade'))).not.toBe('accepted');
    }),
    { numRuns: 200 },
  );
  expect(codeOf(() => readTransportKey(bytes, 'other'))).toBe('signature-invalid');
});

test.each<[string, Readonly<Record<string, CborValue | undefined>>]>([
  ['another version', { v: 0 }],
  ['another type', { type: 'receipt' }],
  ['another channel', { channel: 'other' }],
  ['no key', { key: undefined }],
  ['a key that is no COSE_Key', { key: 'key' }],
  ['a key off the curve', { key: new Map<number, CborValue>([[1, 2], [-1, 1], [-2, new Uint8Array(32)], [-3, new Uint8Array(32)]]) }], // prettier-ignore
  ['no end', { notAfter: undefined }],
  ['a further field', { more: 1 }],
])('an announcement with %s is refused', (_rule, change) => {
  expect(codeOf(() => readTransportKey(announced(change), 'trade'))).toBe('input-invalid');
});

test('an announcement that is no map, or too large, is refused', () => {
  const context = { type: 'transport-key', channel: 'trade' };
  expect(codeOf(() => readTransportKey(signCose(center, context, encodeCbor([1])), 'trade'))).toBe('input-invalid');
  const large = signCose(center, context, encodeCbor({ more: 'x'.repeat(5_000) }));
  expect(codeOf(() => readTransportKey(large, 'trade'))).toBe('limit-exceeded');
});
