import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import {
  cborTag,
  type CborValue,
  encodeCbor,
  es256,
  isLowS,
  readSign1,
  sha256,
  signCose,
  toLowS,
  verifySign1,
} from '../../src/index.ts';
import { codeOf, flipped, hex } from '../support/refusal.ts';
import { createTestSigner } from '../support/signer.ts';

const signer = createTestSigner();
const other = createTestSigner();
const context = { type: 'batch', channel: 'trade' };
const payload = Buffer.from('a statement');
const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

const bytes32 = (value: bigint): Uint8Array => hex(value.toString(16).padStart(64, '0'));
const highTwin = (signature: Uint8Array): Uint8Array => {
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
  return Buffer.concat([signature.subarray(0, 32), bytes32(order - s)]);
};

/** A COSE_Sign1 put together by hand from what RFC 9052 says, with parts of it replaced. */
function assembled(parts: {
  readonly header?: ReadonlyMap<number, CborValue>;
  readonly unprotected?: ReadonlyMap<number, CborValue>;
  readonly signature?: (tbs: Uint8Array) => Uint8Array;
  readonly tag?: number;
}): Uint8Array {
  const header =
    parts.header ??
    new Map<number, CborValue>([
      [1, -7],
      [34, [-16, sha256(signer.certificateDer)]],
    ]);
  const protectedBytes = encodeCbor(header);
  const tbs = encodeCbor(['Signature1', protectedBytes, encodeCbor(['waymark/v1', 'batch', 'trade']), payload]);
  const signature = (parts.signature ?? ((message) => toLowS(signer.sign(message))))(tbs);
  const unprotected = parts.unprotected ?? new Map([[33, signer.certificateDer]]);
  return encodeCbor(cborTag(parts.tag ?? 18, [protectedBytes, unprotected, payload, signature]));
}

describe('COSE_Sign1', () => {
  test('what is signed verifies, attached and detached, by the certificate it carries and by a key', () => {
    const attached = readSign1(signCose(signer, context, payload));
    expect(verifySign1(attached, context)).toEqual(new Uint8Array(payload));
    expect(verifySign1(attached, context, { payload, publicKey: signer.publicKey })).toEqual(new Uint8Array(payload));
    const detached = readSign1(signCose(signer, context, payload, true));
    expect(detached.payload).toBeNull();
    expect(verifySign1(detached, context, { payload })).toBe(payload);
    expect(detached.certificateDer).toEqual(new Uint8Array(signer.certificateDer));
    expect(detached.certificateDigest).toEqual(new Uint8Array(sha256(signer.certificateDer)));
  });

  test('the bytes that are signed are those of RFC 9052 section 4.4', () => {
    expect(codeOf(() => verifySign1(readSign1(assembled({})), context))).toBe('accepted');
  });

  test('the certificate of the tests is one', () => {
    const certificate = new X509Certificate(signer.certificateDer);
    expect(certificate.verify(signer.publicKey)).toBe(true);
    expect(certificate.subject).toBe('CN=outlet-1');
  });

  test('a signature of one type or channel does not pass for another', () => {
    const message = readSign1(signCose(signer, context, payload));
    for (const wrong of [
      { type: 'receipt', channel: 'trade' },
      { type: 'batch', channel: 'other' },
    ])
      expect(codeOf(() => verifySign1(message, wrong))).toBe('signature-invalid');
  });

  test('another payload, another key, no payload and two payloads are refused', () => {
    const detached = readSign1(signCose(signer, context, payload, true));
    expect(codeOf(() => verifySign1(detached, context, { payload: Buffer.from('other') }))).toBe('signature-invalid');
    expect(codeOf(() => verifySign1(detached, context))).toBe('signature-invalid');
    expect(codeOf(() => verifySign1(detached, context, { payload, publicKey: other.publicKey }))).toBe(
      'signature-invalid',
    );
    const attached = readSign1(signCose(signer, context, payload));
    expect(codeOf(() => verifySign1(attached, context, { payload: Buffer.from('other') }))).toBe('signature-invalid');
  });

  test('a flipped bit anywhere is refused', () => {
    const message = signCose(signer, context, payload);
    fc.assert(
      fc.property(fc.nat({ max: message.length * 8 - 1 }), (bit) => {
        const code = codeOf(() => verifySign1(readSign1(flipped(message, bit)), context));
        expect(['input-invalid', 'limit-exceeded', 'signature-invalid']).toContain(code);
      }),
      { numRuns: 300 },
    );
  });

  test('the certificate must be the one that the protected header names', () => {
    const swapped = assembled({ unprotected: new Map([[33, other.certificateDer]]) });
    expect(codeOf(() => readSign1(swapped))).toBe('input-invalid');
  });

  test.each<[string, Parameters<typeof assembled>[0]]>([
    ['another algorithm', { header: new Map<number, CborValue>([[1, -8], [34, [-16, sha256(signer.certificateDer)]]]) }], // prettier-ignore
    ['no certificate digest', { header: new Map<number, CborValue>([[1, -7]]) }],
    ['a digest by another hash', { header: new Map<number, CborValue>([[1, -7], [34, [-43, new Uint8Array(48)]]]) }], // prettier-ignore
    ['a critical header that is not known', { header: new Map<number, CborValue>([[1, -7], [2, [9]], [34, [-16, sha256(signer.certificateDer)]]]) }], // prettier-ignore
    ['no certificate', { unprotected: new Map() }],
    ['further unprotected headers', { unprotected: new Map<number, CborValue>([[4, 1], [33, signer.certificateDer]]) }], // prettier-ignore
    ['the tag of another structure', { tag: 16 }],
  ])('%s is refused', (_rule, parts) => {
    expect(codeOf(() => readSign1(assembled(parts)))).toBe('input-invalid');
  });

  test('a structure of another length, and one without a tag, are refused', () => {
    expect(codeOf(() => readSign1(encodeCbor(cborTag(18, [new Uint8Array(0), new Map(), null]))))).toBe(
      'input-invalid',
    );
    expect(codeOf(() => readSign1(encodeCbor([1, 2, 3, 4])))).toBe('input-invalid');
    expect(codeOf(() => readSign1(new Uint8Array(5 * 1024 * 1024)))).toBe('limit-exceeded');
  });

  test('a certificate that is none is refused when its key is needed', () => {
    const fake = Buffer.from('not a certificate');
    const header = new Map<number, CborValue>([
      [1, -7],
      [34, [-16, sha256(fake)]],
    ]);
    const message = readSign1(assembled({ header, unprotected: new Map([[33, fake]]) }));
    expect(codeOf(() => verifySign1(message, context))).toBe('signature-invalid');
  });
});

describe('low-S', () => {
  test('signatures are made with s in the lower half, whichever the signer gives', () => {
    for (let round = 0; round < 20; round += 1) {
      const high = { ...signer, sign: (message: Uint8Array) => highTwin(toLowS(signer.sign(message))) };
      const message = readSign1(signCose(high, context, payload));
      expect(isLowS(message.signature)).toBe(true);
      expect(codeOf(() => verifySign1(message, context))).toBe('accepted');
    }
  });

  test('the twin with the same meaning is refused', () => {
    const twin = assembled({ signature: (tbs) => highTwin(toLowS(signer.sign(tbs))) });
    expect(codeOf(() => verifySign1(readSign1(twin), context))).toBe('signature-invalid');
  });

  test('half of the order is low, one more is high', () => {
    const half = (order - 1n) / 2n;
    expect(isLowS(Buffer.concat([bytes32(1n), bytes32(half)]))).toBe(true);
    expect(isLowS(Buffer.concat([bytes32(1n), bytes32(half + 1n)]))).toBe(false);
    expect(toLowS(Buffer.concat([bytes32(1n), bytes32(half + 1n)]))).toEqual(
      Buffer.concat([bytes32(1n), bytes32(half)]),
    );
    expect(toLowS(Buffer.concat([bytes32(1n), bytes32(order - 1n)]))).toEqual(
      Buffer.concat([bytes32(1n), bytes32(1n)]),
    );
  });

  test('a signer that gives DER is a fault', () => {
    const broken = { ...signer, sign: () => new Uint8Array(71) };
    expect(codeOf(() => signCose(broken, context, payload))).toBe('internal');
  });

  test('a key on another curve verifies nothing', () => {
    expect(es256.verify(createTestSigner().publicKey, payload, new Uint8Array(64))).toBe(false);
    expect(es256.verify(signer.publicKey, payload, new Uint8Array(63))).toBe(false);
  });
});
