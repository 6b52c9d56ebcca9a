import { generateKeyPairSync, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { derInteger, derSequence, derUnsignedInteger, readDerElement } from '../../src/asn1/der.ts';
import { lowSFromDer, normaliseLowS, signatureToDer } from '../../src/asn1/ecdsa-signature.ts';

const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

function highSTwin(rs: Buffer): Uint8Array {
  const s = BigInt(`0x${rs.subarray(32).toString('hex')}`);
  const twin = Buffer.from((ORDER - s).toString(16).padStart(64, '0'), 'hex');
  return derSequence(derUnsignedInteger(rs.subarray(0, 32)), derUnsignedInteger(twin));
}

test('every signature is made low-S, reads back as itself and is right', () => {
  for (let i = 0; i < 200; i++) {
    const message = Buffer.from(`message ${i}`);
    const rs = normaliseLowS(sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
    const der = signatureToDer(rs);
    expect(lowSFromDer(der)).toEqual(rs);
    expect(verify('sha256', message, publicKey, der)).toBe(true);
  }
});

test('the high-S twin of a signature is refused although the curve would take it', () => {
  const message = Buffer.from('message');
  const rs = normaliseLowS(sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
  const twin = highSTwin(rs);
  expect(verify('sha256', message, publicKey, twin)).toBe(true);
  expect(lowSFromDer(twin)).toBeUndefined();
});

test('bytes that are not two non-negative minimal integers are no signature', () => {
  const cases = [
    '',
    '30',
    '3000',
    '3003020101',
    '300602010102', // second integer is cut off
    '3006020181020101', // negative r
    '30080202000102020001', // not minimal
    '308106020101020101', // length not minimal
    '3080020101020101', // indefinite length
    '3106020101020101', // a SET
  ];
  for (const hex of cases) expect(lowSFromDer(Buffer.from(hex, 'hex'))).toBeUndefined();
  expect(lowSFromDer(derSequence(derInteger(1n << 256n), derInteger(1n)))).toBeUndefined();
});

test('as in Go, what follows the two integers is ignored', () => {
  const der = Buffer.from('3006020101020101', 'hex');
  expect(lowSFromDer(Buffer.concat([der, Buffer.of(0)]))).toEqual(lowSFromDer(der));
});

test('random bytes never crash the reader', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      lowSFromDer(bytes);
      readDerElement(bytes);
    }),
  );
});

test('integers of any size survive the way through DER', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 1n << 600n }), (value) => {
      const element = readDerElement(derInteger(value));
      expect(BigInt(`0x${Buffer.from(element?.content ?? []).toString('hex')}`)).toBe(value);
      expect((element?.content[0] ?? 0xff) < 0x80).toBe(true);
    }),
  );
});
