import { randomBytes } from 'node:crypto';
import { certificateVerifier, type CertificateVerifier } from '../../src/keys/certificate-verifier.ts';
import type { SigningIdentity } from '../../src/keys/signing-identity.ts';
import { sealSubmission, type Submission } from '../../src/submission/submission.ts';
import {
  maxTransportKeyLifetimeMs,
  verifyTransportKey,
  type TransportPublicKey,
} from '../../src/submission/transport-key.ts';
import {
  openTransportKeyRing,
  type StoredTransportKey,
  type TransportKeyRing,
  type TransportKeyStorage,
} from '../../src/submission/transport-key-ring.ts';
import { rootAuthority, testNowMs, type TestAuthority } from '../support/certificates.ts';
import { codeOf, codeOfAsync, flipBit } from '../support/outcome.ts';

let root: TestAuthority;
let center: SigningIdentity;
let verifier: CertificateVerifier;
beforeAll(async () => {
  root = await rootAuthority('ca');
  center = await root.identity('Org1MSP', { name: 'center', units: ['client'] });
  verifier = certificateVerifier({ rootsPem: [root.pem] });
});

const channel = 'shipments';
const hourMs = 3_600_000;
const submission: Submission = {
  statement: randomBytes(10),
  signature: randomBytes(10),
  records: [{ recordOid: randomBytes(32), envelope: randomBytes(9), tokens: [], contentTag: randomBytes(32) }],
  keys: [],
};

function memory(): TransportKeyStorage & { keys: readonly StoredTransportKey[] } {
  return {
    keys: [],
    load() {
      return Promise.resolve(this.keys);
    },
    save(keys) {
      this.keys = keys;
      return Promise.resolve();
    },
  };
}
const ringOf = (storage: TransportKeyStorage, nowMs = testNowMs): Promise<TransportKeyRing> =>
  openTransportKeyRing({ channel, identity: center, storage, nowMs });
const check = (announcement: Uint8Array, nowMs = testNowMs): TransportPublicKey =>
  verifyTransportKey(announcement, { channel, msp: 'Org1MSP', nowMs, verifier, roles: ['client'] });
const sealTo = ({ kid, keyObject }: TransportPublicKey): Uint8Array =>
  sealSubmission(submission, { channel, kid, publicKey: keyObject });

test('an outlet checks the announcement and seals to the key; the ring opens it', async () => {
  const ring = await ringOf(memory());
  const key = check(ring.current().announcement);
  expect(key).toMatchObject({ kid: ring.current().kid, center: 'center', msp: 'Org1MSP' });
  expect(key.notAfterMs - key.notBeforeMs).toBe(maxTransportKeyLifetimeMs);
  expect(ring.open(sealTo(key), testNowMs).recipientKid).toBe(key.kid);
});

test('a new key comes before the old one ends; the old one opens until its end and is deleted then', async () => {
  const storage = memory();
  const ring = await ringOf(storage);
  const old = check(ring.current().announcement);
  const sealed = sealTo(old);
  await ring.maintain(testNowMs + 21 * hourMs);
  expect(ring.current().kid).toBe(old.kid);
  await ring.maintain(testNowMs + 22 * hourMs);
  expect(ring.current().kid).not.toBe(old.kid);
  expect(storage.keys).toHaveLength(2);
  expect(ring.open(sealed, testNowMs + 24 * hourMs - 1).recipientKid).toBe(old.kid);
  expect(codeOf(() => ring.open(sealed, testNowMs + 24 * hourMs))).toBe('key-unknown');
  await ring.maintain(testNowMs + 24 * hourMs);
  expect(storage.keys).toHaveLength(1);
  expect(JSON.stringify(storage.keys)).not.toContain('"kid"');
  expect(codeOf(() => ring.open(sealed, testNowMs + 23 * hourMs))).toBe('key-unknown');
});

test('after a restart the keys are the same, unless they ended meanwhile', async () => {
  const storage = memory();
  const before = await ringOf(storage);
  const sealed = sealTo(check(before.current().announcement));
  const after = await ringOf(storage, testNowMs + hourMs);
  expect(after.current().kid).toBe(before.current().kid);
  expect(after.open(sealed, testNowMs + hourMs).records).toHaveLength(1);
  const late = await ringOf(storage, testNowMs + 25 * hourMs);
  expect(late.current().kid).not.toBe(before.current().kid);
  expect(storage.keys).toHaveLength(1);
});

test('a key that was made while the clock was ahead is given up when the clock is right again, also after a restart', async () => {
  const storage = memory();
  const ring = await ringOf(storage);
  await ring.maintain(testNowMs + 365 * 24 * hourMs);
  const ahead = ring.current();
  expect(codeOf(() => check(ahead.announcement))).toBe('message-stale');
  for (const later of [ring, await ringOf(Object.assign(memory(), { keys: storage.keys }))]) {
    await later.maintain(testNowMs + 1);
    const key = check(later.current().announcement);
    expect(key.kid).not.toBe(ahead.kid);
    expect(later.open(sealTo(key), testNowMs).recipientKid).toBe(key.kid);
  }
});

test('a clock that is set back by a little costs no key', async () => {
  const ring = await ringOf(memory());
  const { kid } = ring.current();
  await ring.maintain(testNowMs - 60_000);
  expect(ring.current().kid).toBe(kid);
});

test('rings at once do not lose a key, and a key that could not be stored is not announced', async () => {
  const storage = memory();
  const ring = await ringOf(storage);
  const { kid } = ring.current();
  await Promise.all([1, 2, 3].map(() => ring.maintain(testNowMs + 23 * hourMs)));
  expect(storage.keys).toHaveLength(2);
  const next = ring.current().kid;
  expect(next).not.toBe(kid);
  storage.save = () => Promise.reject(new Error('disk full'));
  await expect(ring.maintain(testNowMs + 46 * hourMs)).rejects.toThrow('disk full');
  expect(ring.current().kid).toBe(next);
});

test('an announcement of another channel, firm, CA or role, out of its time or altered is refused', async () => {
  const { announcement } = (await ringOf(memory())).current();
  const base = { channel, msp: 'Org1MSP', nowMs: testNowMs, verifier };
  expect(codeOf(() => verifyTransportKey(announcement, { ...base, channel: 'other' }))).toBe('signature-invalid');
  expect(codeOf(() => verifyTransportKey(announcement, { ...base, msp: 'Org2MSP' }))).toBe('recipient-mismatch');
  expect(codeOf(() => verifyTransportKey(announcement, { ...base, roles: ['peer'] }))).toBe('role-not-permitted');
  const foreign = certificateVerifier({ rootsPem: [(await rootAuthority('ca')).pem] });
  expect(codeOf(() => verifyTransportKey(announcement, { ...base, verifier: foreign }))).toBe('certificate-untrusted');
  expect(codeOf(() => check(announcement, testNowMs + 24 * hourMs + 1))).toBe('message-stale');
  expect(codeOf(() => check(announcement, testNowMs - 6 * 60_000))).toBe('message-stale');
  for (let bit = 5; bit < announcement.length * 8; bit += 53) {
    expect([bit, codeOf(() => check(flipBit(announcement, bit)))]).not.toEqual([bit, 'done']);
  }
});

test('a lifetime of more than a day, or an overlap that leaves none, is refused', async () => {
  for (const [lifetimeMs, overlapMs] of [
    [24 * hourMs + 1, hourMs],
    [0, 0],
    [hourMs, hourMs],
    [hourMs, -1],
  ] as const) {
    const attempt = (): Promise<unknown> =>
      openTransportKeyRing({ channel, identity: center, storage: memory(), nowMs: testNowMs, lifetimeMs, overlapMs });
    expect([lifetimeMs, await codeOfAsync(attempt)]).toEqual([lifetimeMs, 'configuration-invalid']);
  }
});
