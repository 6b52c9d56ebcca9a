import fc from 'fast-check';
import {
  cborTag,
  encodeCbor,
  ledgerStatementKind,
  ledgerStatementKinds,
  maxLedgerSignatureBytes,
  readLedgerSignature,
  sha256,
  signCose,
  signLedgerStatement,
  verifyLedgerSignature,
} from '../../src/index.ts';
import { codeOf, flipped } from '../support/refusal.ts';
import { createTestSigner } from '../support/signer.ts';

const member = createTestSigner('department-1');
const other = createTestSigner('department-2');
const statementOf = (kind: string, ...fields: (string | number)[]) =>
  encodeCbor([`waymark/rsl/${kind}/v1`, 'FirmMSP/trade', ...fields]);

const isSigned = (
  signature: Uint8Array,
  statement: Uint8Array,
  { channel = 'trade', publicKey = member.publicKey } = {},
) => verifyLedgerSignature(readLedgerSignature(signature), channel, statement, publicKey);

test('a signed statement verifies under the key of the certificate that it names, and under no other', () => {
  const kind = fc.constantFrom(...ledgerStatementKinds);
  fc.assert(
    fc.property(kind, fc.array(fc.oneof(fc.nat(), fc.string()), { maxLength: 8 }), (name, fields) => {
      const statement = statementOf(name, ...fields);
      const bytes = signLedgerStatement(member, 'trade', statement);
      expect(ledgerStatementKind(statement)).toBe(name);
      expect(Buffer.from(readLedgerSignature(bytes).certificateDigest)).toEqual(
        Buffer.from(sha256(member.certificateDer)),
      );
      expect(bytes.length).toBeLessThan(maxLedgerSignatureBytes / 2);
      expect(isSigned(bytes, statement)).toBe(true);
      expect(isSigned(bytes, statement, { publicKey: other.publicKey })).toBe(false);
      expect(isSigned(bytes, statement, { channel: 'other' })).toBe(false);
      expect(isSigned(bytes, statementOf(name, ...fields, 0))).toBe(false);
    }),
    { numRuns: 40 },
  );
});

test('a statement of one kind never passes for one of another, nor for anything else that is signed here', () => {
  const ack = signLedgerStatement(member, 'trade', statementOf('ack', 1));
  for (const kind of ledgerStatementKinds) expect(isSigned(ack, statementOf(kind, 1))).toBe(kind === 'ack');
  const statement = statementOf('ack', 1);
  const attached = signCose(member, { type: 'ledger-ack', channel: 'trade' }, statement);
  expect(codeOf(() => readLedgerSignature(attached))).not.toBe('accepted');
});

test.each([
  ['no list', encodeCbor('waymark/rsl/ack/v1')],
  ['an empty list', encodeCbor([])],
  ['an unknown kind', statementOf('leaf', 1)],
  ['another version', encodeCbor(['waymark/rsl/ack/v2', 1])],
  ['a number first', encodeCbor([1, 'waymark/rsl/ack/v1'])],
  ['nothing', new Uint8Array()],
])('%s is no statement that is signed', (_name, bytes) => {
  expect(codeOf(() => signLedgerStatement(member, 'trade', bytes))).toBe('input-invalid');
});

test('a signature has one form: flipped bits, other headers, a payload and more bytes are refused or do not verify', () => {
  const statement = statementOf('vote', 7);
  const bytes = signLedgerStatement(member, 'trade', statement);
  const verdict = (changed: Uint8Array): boolean => {
    try {
      const read = readLedgerSignature(changed);
      const isSame = Buffer.compare(read.certificateDigest, sha256(member.certificateDer)) === 0;
      return isSame && isSigned(changed, statement);
    } catch {
      return false;
    }
  };
  expect(verdict(bytes)).toBe(true);
  for (let bit = 0; bit < bytes.length * 8; bit += 1) expect([bit, verdict(flipped(bytes, bit))]).toEqual([bit, false]);
  const { protectedBytes, signature, certificateDigest } = readLedgerSignature(bytes);
  const form = (items: readonly (Uint8Array | null | ReadonlyMap<number, Uint8Array>)[]) =>
    encodeCbor(cborTag(18, items));
  expect(Buffer.from(form([protectedBytes, new Map(), null, signature]))).toEqual(Buffer.from(bytes));
  for (const changed of [
    form([protectedBytes, new Map([[33, member.certificateDer]]), null, signature]),
    form([protectedBytes, new Map(), statement, signature]),
    form([encodeCbor(new Map([[1, -7]])), new Map(), null, signature]),
    form([
      encodeCbor(
        new Map<number, number | (number | Uint8Array)[]>([
          [1, -7],
          [34, [-16, certificateDigest.subarray(1)]],
        ]),
      ),
      new Map(),
      null,
      signature,
    ]),
    Buffer.concat([bytes, Uint8Array.of(0)]),
  ]) {
    expect(codeOf(() => readLedgerSignature(changed))).not.toBe('accepted');
  }
  expect(codeOf(() => readLedgerSignature(new Uint8Array(maxLedgerSignatureBytes + 1)))).toBe('limit-exceeded');
});
