import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { encodeCbor, encryptCose, externalAad, type CborValue } from '@waymark/protocol';
import { generateEncryptionKeyPair } from '../../src/keys/encryption-key.ts';
import { openSubmission, sealSubmission, submissionLimits, type Submission } from '../../src/submission/submission.ts';
import { codeOf, flipBit, spellings } from '../support/outcome.ts';

const channel = 'shipments';
const center = generateEncryptionKeyPair('P-256');
const to = { channel, kid: center.kid, publicKey: center.publicKey.keyObject };
const keyOf = (kid: string): typeof center.privateKey | undefined =>
  kid === center.kid ? center.privateKey : undefined;
const record = (): Submission['records'][number] => ({
  recordOid: randomBytes(32),
  envelope: randomBytes(300),
  tokens: [randomBytes(32), randomBytes(32)],
  contentTag: randomBytes(32),
});
const submission: Submission = {
  statement: randomBytes(200),
  signature: randomBytes(900),
  records: [record(), { ...record(), tokens: [] }, record()],
  keys: [{ consignmentOid: randomBytes(16), epoch: 0, key: randomBytes(32) }],
};
const open = (bytes: Uint8Array): unknown => openSubmission(bytes, { channel, keyOf });

test('a submission arrives as it was sent, and says which key it was sealed to', () => {
  const opened = openSubmission(sealSubmission(submission, to), { channel, keyOf });
  expect(opened.recipientKid).toBe(center.kid);
  expect(
    inspect({ ...opened, recipientKid: undefined }, { depth: 9 }).replaceAll('Uint8Array', 'Buffer'),
  ).toBeDefined();
  expect(Buffer.from(opened.statement).equals(submission.statement)).toBe(true);
  expect(Buffer.from(opened.signature).equals(submission.signature)).toBe(true);
  const flat = (each: Submission): string[] =>
    [
      ...each.records.flatMap(({ recordOid, envelope, tokens, contentTag }) => [
        recordOid,
        envelope,
        ...tokens,
        contentTag,
      ]),
      ...each.keys.flatMap(({ consignmentOid, key }) => [consignmentOid, key]),
    ].map((bytes) => Buffer.from(bytes).toString('hex'));
  expect(flat(opened)).toEqual(flat(submission));
  expect(opened.records.map(({ tokens }) => tokens.length)).toEqual([2, 0, 2]);
});

test('a key that is not held, another key, another channel and any flipped bit open nothing', () => {
  const bytes = sealSubmission(submission, to);
  expect(codeOf(() => openSubmission(bytes, { channel, keyOf: () => undefined }))).toBe('key-unknown');
  const other = generateEncryptionKeyPair('P-256').privateKey;
  expect(codeOf(() => openSubmission(bytes, { channel, keyOf: () => other }))).toBe('decryption-failed');
  expect(codeOf(() => openSubmission(bytes, { channel: 'other', keyOf }))).toBe('decryption-failed');
  for (let bit = 0; bit < bytes.length * 8; bit += 37) {
    expect([bit, codeOf(() => open(flipBit(bytes, bit)))]).not.toEqual([bit, 'done']);
  }
  for (const length of [0, 1, 100, bytes.length - 1])
    expect(codeOf(() => open(bytes.subarray(0, length)))).toBe('input-invalid');
});

test.each<[string, (parts: Record<string, CborValue>) => Record<string, CborValue | undefined>, string]>([
  ['another version', (parts) => ({ ...parts, v: 2 }), 'input-invalid'],
  ['no records', (parts) => ({ ...parts, envelopes: [], oids: [], tokens: [], tags: [] }), 'input-invalid'],
  ['a list that is shorter', (parts) => ({ ...parts, oids: [randomBytes(32)] }), 'input-invalid'],
  ['an oid of another size', (parts) => ({ ...parts, oids: [randomBytes(31), randomBytes(32)] }), 'input-invalid'],
  ['a token of another size', (parts) => ({ ...parts, tokens: [[randomBytes(16)], []] }), 'input-invalid'],
  [
    'too many tokens',
    (parts) => ({ ...parts, tokens: [Array.from({ length: 33 }, () => randomBytes(32)), []] }),
    'input-invalid',
  ],
  ['a tag that is text', (parts) => ({ ...parts, tags: ['a', 'b'] }), 'input-invalid'],
  ['an unknown part', (parts) => ({ ...parts, note: 'x' }), 'input-invalid'],
  [
    'keys with a surplus element',
    (parts) => ({ ...parts, keys: [[randomBytes(16), 0, randomBytes(32), 1]] }),
    'input-invalid',
  ],
  [
    'keys with a negative epoch',
    (parts) => ({ ...parts, keys: [[randomBytes(16), -1, randomBytes(32)]] }),
    'input-invalid',
  ],
  ['a short key', (parts) => ({ ...parts, keys: [[randomBytes(16), 0, randomBytes(16)]] }), 'input-invalid'],
  ['a statement that is too long', (parts) => ({ ...parts, statement: randomBytes(5_000) }), 'limit-exceeded'],
  [
    'an envelope that is too long',
    (parts) => ({ ...parts, envelopes: [randomBytes(1_100_000), randomBytes(1)] }),
    'limit-exceeded',
  ],
])('a submission with %s is refused', (_, change, code) => {
  const two = <T>(make: () => T): T[] => [make(), make()];
  const parts: Record<string, CborValue> = {
    v: 1,
    statement: randomBytes(10),
    signature: randomBytes(10),
    envelopes: two(() => randomBytes(10)),
    oids: two(() => randomBytes(32)),
    tokens: two(() => []),
    tags: two(() => randomBytes(32)),
    keys: [],
  };
  const seal = (plain: Record<string, CborValue | undefined>): Uint8Array =>
    encryptCose(to, encodeCbor(plain as Record<string, CborValue>), externalAad('submission', channel));
  expect(codeOf(() => open(seal(parts)))).toBe('done');
  expect(codeOf(() => open(seal(change(parts))))).toBe(code);
});

test('too much is refused on both sides', () => {
  const many = Array.from(
    { length: submissionLimits.records + 1 },
    () => submission.records[0] as Submission['records'][number],
  );
  expect(codeOf(() => sealSubmission({ ...submission, records: many }, to))).toBe('limit-exceeded');
  expect(codeOf(() => open(Buffer.alloc(submissionLimits.sizeBytes + 1)))).toBe('limit-exceeded');
});

test('handed keys and envelopes are not in what travels', () => {
  const text = Buffer.from(sealSubmission(submission, to)).toString('latin1');
  for (const secret of [submission.keys[0]?.key, submission.records[0]?.envelope, submission.statement]) {
    for (const form of spellings(secret ?? new Uint8Array(1))) expect(text).not.toContain(form);
  }
});
