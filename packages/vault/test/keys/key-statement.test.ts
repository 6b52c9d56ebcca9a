import { decodeCbor, encodeCbor, headerOf, readSign1, signCose, type CborValue } from '@waymark/protocol';
import { certificateVerifier, type CertificateVerifier } from '../../src/keys/certificate-verifier.ts';
import { generateEncryptionKeyPair } from '../../src/keys/encryption-key.ts';
import { signKeyStatement, verifyKeyStatement } from '../../src/keys/key-statement.ts';
import type { SigningIdentity } from '../../src/keys/signing-identity.ts';
import { dayMs, rootAuthority, testNowMs, type TestAuthority } from '../support/certificates.ts';
import { codeOf, flipBit } from '../support/outcome.ts';

let root: TestAuthority;
let identity: SigningIdentity;
let verifier: CertificateVerifier;
beforeAll(async () => {
  root = await rootAuthority('ca');
  identity = await root.identity('Org1MSP', { name: 'outlet-17' });
  verifier = certificateVerifier({ rootsPem: [root.pem] });
});

const first = { channel: 'shipments', seq: 1, prevKid: null, notBeforeMs: testNowMs, notAfterMs: testNowMs + dayMs };
const expected = (): Parameters<typeof verifyKeyStatement>[1] => ({
  channel: 'shipments',
  msp: 'Org1MSP',
  verifier,
  nowMs: testNowMs,
});

/** The same payload changed and signed again by the same owner: what only the proof of possession can tell. */
function resigned(bytes: Uint8Array, change: (payload: Map<number | string, CborValue>) => void): Uint8Array {
  const payload = new Map(
    headerOf(decodeCbor(readSign1(bytes).payload ?? new Uint8Array(0))) as ReadonlyMap<number | string, CborValue>,
  );
  change(payload);
  return signCose(identity, { type: 'encryption-key', channel: 'shipments' }, encodeCbor(payload));
}

test.each(['P-256', 'X25519'] as const)('a %s key statement tells whose key it is', (curve) => {
  const pair = generateEncryptionKeyPair(curve);
  const statement = verifyKeyStatement(signKeyStatement(identity, pair, first), expected());
  expect(statement).toMatchObject({ ...first, msp: 'Org1MSP', participant: 'outlet-17' });
  expect(statement.key.kid).toBe(pair.kid);
  const second = { ...first, seq: 2, prevKid: pair.kid };
  expect(verifyKeyStatement(signKeyStatement(identity, pair, second), expected()).prevKid).toBe(pair.kid);
});

test.each(['P-256', 'X25519'] as const)(
  "somebody else's %s key cannot be claimed, nor a claim be changed, without its private half",
  (curve) => {
    const pair = generateEncryptionKeyPair(curve);
    const other = generateEncryptionKeyPair(curve);
    const bytes = signKeyStatement(identity, pair, first);
    const claims: [string, (payload: Map<number | string, CborValue>) => void, string][] = [
      ['key', (payload) => payload.set('key', { ...other.publicKey.jwk }).set('kid', other.kid), 'key-invalid'],
      ['kid', (payload) => payload.set('kid', other.kid), 'input-invalid'],
      ['seq', (payload) => payload.set('seq', 2).set('prevKid', other.kid), 'key-invalid'],
      ['seq without predecessor', (payload) => payload.set('seq', 2), 'input-invalid'],
      ['notAfter', (payload) => payload.set('notAfter', testNowMs + 2 * dayMs), 'key-invalid'],
      ['order of times', (payload) => payload.set('notAfter', testNowMs), 'input-invalid'],
      ['msp', (payload) => payload.set('msp', 'Org2MSP'), 'recipient-mismatch'],
      ['participant', (payload) => payload.set('participant', 'outlet-18'), 'signature-invalid'],
      ['unknown field', (payload) => payload.set('note', 1), 'input-invalid'],
      ['private half', (payload) => payload.set('key', { ...other.publicKey.jwk, d: 'A'.repeat(43) }), 'key-invalid'],
      ['no key', (payload) => payload.delete('key'), 'input-invalid'],
      ['prevKid', (payload) => payload.set('prevKid', 7), 'input-invalid'],
      ['possession', (payload) => payload.set('possession', new Uint8Array(64)), 'key-invalid'],
    ];
    for (const [name, change, code] of claims) {
      expect([name, codeOf(() => verifyKeyStatement(resigned(bytes, change), expected()))]).toEqual([name, code]);
    }
  },
);

test('a statement of another channel, firm, CA or type is refused, and so is every altered one', async () => {
  const pair = generateEncryptionKeyPair('P-256');
  const bytes = signKeyStatement(identity, pair, first);
  expect(codeOf(() => verifyKeyStatement(bytes, { ...expected(), channel: 'other' }))).toBe('signature-invalid');
  expect(codeOf(() => verifyKeyStatement(bytes, { ...expected(), msp: 'Org2MSP' }))).toBe('recipient-mismatch');
  const foreign = certificateVerifier({ rootsPem: [(await rootAuthority('ca')).pem] });
  expect(codeOf(() => verifyKeyStatement(bytes, { ...expected(), verifier: foreign }))).toBe('certificate-untrusted');
  const payload = readSign1(bytes).payload ?? new Uint8Array(0);
  const otherType = signCose(identity, { type: 'allow-list', channel: 'shipments' }, payload);
  expect(codeOf(() => verifyKeyStatement(otherType, expected()))).toBe('signature-invalid');
  for (let bit = 3; bit < bytes.length * 8; bit += 41) {
    expect([bit, codeOf(() => verifyKeyStatement(flipBit(bytes, bit), expected()))]).not.toEqual([bit, 'done']);
  }
});
