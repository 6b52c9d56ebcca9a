import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { isLowS, toLowS as lowS } from '@waymark/protocol';
import { rootAuthority } from '../support/certificates.ts';
import { signingIdentityFromPem } from '../../src/keys/signing-identity.ts';

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const signatureOf = (s: bigint): Buffer =>
  Buffer.concat([Buffer.alloc(32, 7), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);

test('s up to half of the order is low, above it is not, and is turned into its twin', () => {
  const half = order >> 1n;
  expect(isLowS(signatureOf(half))).toBe(true);
  expect(isLowS(signatureOf(half + 1n))).toBe(false);
  expect(isLowS(signatureOf(1n))).toBe(true);
  expect(isLowS(signatureOf(1n).subarray(1))).toBe(false);
  expect(lowS(signatureOf(half + 1n))).toEqual(signatureOf(half));
  expect(lowS(signatureOf(half))).toEqual(signatureOf(half));
  expect(lowS(signatureOf(order - 1n))).toEqual(signatureOf(1n));
});

test('the twin of a signature verifies as well as the signature', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  for (let index = 0; index < 64; index += 1) {
    const data = Buffer.of(index);
    const low = lowS(sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
    expect(isLowS(low)).toBe(true);
    expect(verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, low)).toBe(true);
  }
});

test('an identity only ever makes low-S signatures, r‖s of 64 bytes', async () => {
  const root = await rootAuthority('ca');
  const issued = await root.issue();
  const identity = signingIdentityFromPem({ mspId: 'Org1MSP', ...issued });
  const key = createPublicKey(issued.certificatePem);
  for (let index = 0; index < 64; index += 1) {
    const signature = identity.sign(Buffer.of(index));
    expect(isLowS(signature)).toBe(true);
    expect(verify('sha256', Buffer.of(index), { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
  }
});
