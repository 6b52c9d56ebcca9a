import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { encodeCbor, type CborValue } from '@waymark/protocol';
import {
  certificateVerifier,
  generateEncryptionKeyPair,
  normaliseBusinessId,
  openEnvelope,
  openExternalAnswer,
  openSubmission,
  parseCertificate,
  parseEncryptionPublicKey,
  parseSigningPublicKey,
  readEnvelopeHeader,
  unwrapConsignmentKey,
  verifyAllowList,
  verifyExternalQuery,
  verifyKeyStatement,
  verifyTransportKey,
} from '../src/index.ts';
import { rootAuthority, testNowMs } from './support/certificates.ts';
import { codeOf, codeOfAsync } from './support/outcome.ts';

/*
 * Whatever bytes arrive, each door answers with a stable code: `codeOf` lets every other failure through, which fails the test.
 */

const pair = generateEncryptionKeyPair('P-256');
const context = { channel: 'shipments', msp: 'Org1MSP', consignmentOid: randomBytes(16), epoch: 0 };

/** Bytes as they come, and CBOR that is well-formed but means something else. */
const cbor: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, 'v', 'type', 'batch', 0, 1, 16, 18, 96, -25),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('v', 'key', 'kid', 'commit'), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  cbor.map((value) => encodeCbor(value)),
  fc.tuple(fc.constantFrom(0xd0, 0xd2), cbor).map(([tag, value]) => Buffer.concat([Buffer.of(tag), encodeCbor(value)])),
  fc
    .array(cbor, { minLength: 4, maxLength: 4 })
    .map((value) => Buffer.concat([Buffer.of(0xd8, 96), encodeCbor(value)])),
);

test('byte doors answer every input with a stable code', async () => {
  const verifier = certificateVerifier({ rootsPem: [(await rootAuthority('ca')).pem] });
  const expected = { channel: 'shipments', msp: 'Org1MSP', nowMs: testNowMs, verifier };
  const doors: ((input: Uint8Array) => unknown)[] = [
    readEnvelopeHeader,
    (input) => openEnvelope({ bytes: input, expected: {}, key: { ck: randomBytes(32) } }),
    (input) => openSubmission(input, { channel: 'shipments', keyOf: () => pair.privateKey }),
    (input) => verifyTransportKey(input, expected),
    (input) => verifyKeyStatement(input, expected),
    (input) => verifyAllowList(input, expected),
    parseCertificate,
  ];
  fc.assert(
    fc.property(bytes, (input) => {
      for (const door of doors) expect(codeOf(() => door(input))).not.toBe('done');
    }),
    { numRuns: 500 },
  );
});

test('text doors answer every input with a stable code', async () => {
  const part = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_-]{0,60}$/),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
  );
  const compact = fc.oneof(
    fc.string(),
    fc.array(part, { minLength: 2, maxLength: 6 }).map((parts) => parts.join('.')),
  );
  const expected = { channel: 'shipments', msp: 'Org1MSP', nowMs: testNowMs };
  await fc.assert(
    fc.asyncProperty(compact, async (text) => {
      const reader = { context, ownerKid: pair.kid, reader: pair };
      expect(await codeOfAsync(() => verifyExternalQuery(text, expected))).not.toBe('done');
      expect(await codeOfAsync(() => unwrapConsignmentKey(text, reader))).not.toBe('done');
      const answer = { outlet: 'o', nonce: 'n', nowMs: testNowMs };
      expect(await codeOfAsync(() => openExternalAnswer(text, pair, answer))).not.toBe('done');
    }),
    { numRuns: 300 },
  );
});

test('key doors answer every JSON value with key-invalid', () => {
  const member = fc.oneof(fc.jsonValue(), fc.constantFrom('EC', 'OKP', 'P-256', 'X25519', 'A'.repeat(43)));
  const names = fc.constantFrom('kty', 'crv', 'x', 'y', 'd', 'use', 'alg', 'key_ops', '__proto__');
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.dictionary(names, member)), (input) => {
      expect(codeOf(() => parseEncryptionPublicKey(input))).toBe('key-invalid');
      expect(codeOf(() => parseSigningPublicKey(input))).toBe('key-invalid');
    }),
    { numRuns: 500 },
  );
});

test('business ids of any text are normalised or refused', () => {
  const types = fc.constantFrom('epc', 'sscc', 'sgtin', 'gtin', 'gln', 'grai', 'order', 'gs1');
  const heads = fc.constantFrom('', 'urn:epc:id:sgtin:', 'urn:epc:idpat:grai:', 'https://a/01/', '(01)', '(8010)');
  fc.assert(
    fc.property(types, heads, fc.string({ unit: 'binary' }), (type, head, tail) => {
      expect(codeOf(() => normaliseBusinessId({ type, value: head + tail }))).toMatch(
        /^(?:done|input-invalid|limit-exceeded)$/,
      );
    }),
    { numRuns: 1_000 },
  );
});
