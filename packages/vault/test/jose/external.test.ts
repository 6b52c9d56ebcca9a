import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { signCose, encodeCbor } from '@waymark/protocol';
import { signAllowList, verifyAllowList } from '../../src/jose/allow-list.ts';
import { encryptCompact } from '../../src/jose/compact-jwe.ts';
import { signCompact } from '../../src/jose/compact-jws.ts';
import { openExternalAnswer, sealExternalAnswer, type ExternalAnswer } from '../../src/jose/external-answer.ts';
import { signExternalQuery, verifyExternalQuery, type ExternalQuery } from '../../src/jose/external-query.ts';
import { certificateVerifier, type CertificateVerifier } from '../../src/keys/certificate-verifier.ts';
import { generateEncryptionKeyPair } from '../../src/keys/encryption-key.ts';
import { exportSigningKeyPair, generateSigningKeyPair, parseSigningKeyPair } from '../../src/keys/signing-key.ts';
import type { SigningIdentity } from '../../src/keys/signing-identity.ts';
import { rootAuthority, testNowMs, type TestAuthority } from '../support/certificates.ts';
import { codeOf, codeOfAsync, flipBit } from '../support/outcome.ts';

let root: TestAuthority;
let outlet: SigningIdentity;
let verifier: CertificateVerifier;
beforeAll(async () => {
  root = await rootAuthority('ca');
  outlet = await root.identity('Org1MSP', { name: 'outlet-17' });
  verifier = certificateVerifier({ rootsPem: [root.pem] });
});

const asker = generateSigningKeyPair();
const askerEncryption = generateEncryptionKeyPair('X25519');
const nonce = randomBytes(16).toString('base64url');
const query: ExternalQuery = {
  recordOid: randomBytes(32).toString('hex'),
  channel: 'shipments',
  msp: 'Org1MSP',
  nonce,
  issuedAtMs: testNowMs,
  encryptionKey: askerEncryption.publicKey,
};
function without<T extends object, K extends keyof T>(object: T, name: K): Omit<T, K> {
  const copy: Partial<T> = { ...object };
  Reflect.deleteProperty(copy, name);
  return copy as Omit<T, K>;
}
const at = { channel: 'shipments', msp: 'Org1MSP', nowMs: testNowMs };

describe('external query', () => {
  test('says who asks for what, and for which key the answer is', async () => {
    const verified = await verifyExternalQuery(await signExternalQuery(query, asker), at);
    expect(verified.askerKid).toBe(asker.kid);
    expect(verified.recordOid).toBe(query.recordOid);
    expect(verified.encryptionKey.kid).toBe(askerEncryption.kid);
    const byId = { ...query, businessId: { type: 'sscc', value: '106141412345678908' } };
    const rest = without(byId, 'recordOid');
    const second = await verifyExternalQuery(
      await signExternalQuery(rest, parseSigningKeyPair(exportSigningKeyPair(asker))),
      at,
    );
    expect([second.recordOid, second.businessId, second.askerKid]).toEqual([undefined, byId.businessId, asker.kid]);
  });

  test('for another channel or firm, too old or of the future is refused', async () => {
    const jws = await signExternalQuery(query, asker);
    expect(await codeOfAsync(() => verifyExternalQuery(jws, { ...at, channel: 'b' }))).toBe('recipient-mismatch');
    expect(await codeOfAsync(() => verifyExternalQuery(jws, { ...at, msp: 'b' }))).toBe('recipient-mismatch');
    expect(await codeOfAsync(() => verifyExternalQuery(jws, { ...at, nowMs: testNowMs + 301_000 }))).toBe(
      'message-stale',
    );
    expect(await codeOfAsync(() => verifyExternalQuery(jws, { ...at, nowMs: testNowMs - 61_000 }))).toBe(
      'message-stale',
    );
    expect(await codeOfAsync(() => verifyExternalQuery(jws, { ...at, nowMs: testNowMs + 299_000 }))).toBe('done');
  });

  test('every claim is demanded and nothing more is taken', async () => {
    const claims: Record<string, unknown> = {
      recordOid: query.recordOid,
      channel: 'shipments',
      msp: 'Org1MSP',
      nonce,
      iat: testNowMs / 1_000,
      encryptionKey: askerEncryption.publicKey.jwk,
    };
    const verify = async (payload: unknown, header: object = {}): Promise<string> => {
      const bytes = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
      const jws = await signCompact(bytes, asker, {
        typ: 'waymark-external-query+jwt',
        jwk: asker.publicKey.jwk,
        ...header,
      });
      return codeOfAsync(() => verifyExternalQuery(jws, at));
    };
    expect(await verify(claims)).toBe('done');
    for (const name of Object.keys(claims)) {
      const rest = without(claims, name);
      expect([name, await verify(rest)]).toEqual([name, name === 'encryptionKey' ? 'key-invalid' : 'input-invalid']);
    }
    for (const change of [
      { more: 1 },
      { businessId: { type: 'a', value: 'b' } },
      { recordOid: 'AB' },
      { recordOid: 7 },
      { nonce: 'short' },
      { iat: '1' },
      { iat: 1.5 },
      { iat: -1 },
      { channel: 'Bad Channel' },
      { msp: '' },
    ]) {
      expect([change, await verify({ ...claims, ...change })]).toEqual([change, 'input-invalid']);
    }
    const rest = without(claims, 'recordOid');
    for (const businessId of [null, {}, { type: 'a' }, { type: 1, value: 'b' }, { type: 'a', value: 'b', c: 1 }]) {
      expect([businessId, await verify({ ...rest, businessId })]).toEqual([businessId, 'input-invalid']);
    }
    expect(await verify('not json')).toBe('input-invalid');
    expect(await verify('[]')).toBe('input-invalid');
    expect(await verify(JSON.stringify(claims).replace('{', '{"msp":"Org2MSP",'))).toBe('input-invalid');
    expect(await verify({ ...claims, encryptionKey: { ...askerEncryption.publicKey.jwk, d: 'A'.repeat(43) } })).toBe(
      'key-invalid',
    );
    expect(await verify(claims, { typ: 'JWT' })).toBe('signature-invalid');
    expect(await verify(claims, { kid: 'x' })).toBe('signature-invalid');
  });

  test('signed by another key than it names, altered, unsigned or endless is refused', async () => {
    const jws = await signExternalQuery(query, asker);
    const [head = '', body = '', signature = ''] = jws.split('.');
    const other = await signCompact(Buffer.from(body, 'base64url'), generateSigningKeyPair(), {
      typ: 'waymark-external-query+jwt',
      jwk: asker.publicKey.jwk,
    });
    const none = Buffer.from(
      JSON.stringify({ alg: 'none', typ: 'waymark-external-query+jwt', jwk: asker.publicKey.jwk }),
    ).toString('base64url');
    const flipped = Buffer.from(flipBit(Buffer.from(signature, 'base64url'), 9)).toString('base64url');
    for (const bad of [
      other,
      `${none}.${body}.`,
      `${none}.${body}.${signature}`,
      `${head}.${body}.`,
      `${head}.${body}.${flipped}`,
      `${head}.${body}`,
      `${head}.${body.slice(4)}.${signature}`,
    ]) {
      expect(await codeOfAsync(() => verifyExternalQuery(bad, at))).toBe('signature-invalid');
    }
    for (const bad of ['', '..', 'a.b.c'])
      expect(await codeOfAsync(() => verifyExternalQuery(bad, at))).toMatch(/^(?:signature|key)-invalid$/);
    expect(await codeOfAsync(() => verifyExternalQuery('a'.repeat(20_000), at))).toBe('limit-exceeded');
    const noKey = await signCompact(Buffer.from(body, 'base64url'), asker, { typ: 'waymark-external-query+jwt' });
    expect(await codeOfAsync(() => verifyExternalQuery(noKey, at))).toBe('key-invalid');
  });
});

describe('external answer', () => {
  const answer: ExternalAnswer = {
    recordOid: query.recordOid ?? '',
    content: { businessIds: [], eventId: 'e', payload: { city: 'Odense' }, revision: 0, schema: 'json' },
    evidenceId: 'Org1MSP/outlet-17/7',
    nonce,
  };
  const expected = (): Parameters<typeof openExternalAnswer>[2] => ({
    outlet: 'outlet-17',
    nonce,
    nowMs: testNowMs,
    verifier,
  });

  test.each(['P-256', 'X25519'] as const)('opens for the asker with a %s key, signed by the outlet', async (curve) => {
    const pair = generateEncryptionKeyPair(curve);
    const jwe = await sealExternalAnswer(answer, outlet, pair.publicKey);
    const { certificateDer, ...opened } = await openExternalAnswer(jwe, pair, expected());
    expect(opened).toEqual(answer);
    expect(Buffer.from(certificateDer).equals(outlet.certificateDer)).toBe(true);
    expect(jwe).not.toContain(Buffer.from('Odense').toString('base64url').slice(1, -1));
  });

  test('a record of a mebibyte fits', async () => {
    const large = { ...answer, content: { ...answer.content, payload: 'x'.repeat(1_000_000) } };
    const jwe = await sealExternalAnswer(large, outlet, askerEncryption.publicKey);
    expect((await openExternalAnswer(jwe, askerEncryption, expected())).content.payload).toHaveLength(1_000_000);
  });

  test('for another key, outlet or nonce opens nothing', async () => {
    const jwe = await sealExternalAnswer(answer, outlet, askerEncryption.publicKey);
    const other = generateEncryptionKeyPair('X25519');
    expect(await codeOfAsync(() => openExternalAnswer(jwe, other, expected()))).toBe('decryption-failed');
    expect(
      await codeOfAsync(() => openExternalAnswer(jwe, askerEncryption, { ...expected(), outlet: 'outlet-18' })),
    ).toBe('decryption-failed');
    expect(await codeOfAsync(() => openExternalAnswer(jwe, askerEncryption, { ...expected(), nonce: 'x' }))).toBe(
      'decryption-failed',
    );
    expect(await codeOfAsync(() => openExternalAnswer('x'.repeat(2_100_000 * 2), askerEncryption, expected()))).toBe(
      'limit-exceeded',
    );
  });

  test('the center in between cannot make one up: it has no certificate of that outlet', async () => {
    const foreign = await (await rootAuthority('ca')).identity('Org1MSP', { name: 'outlet-17' });
    const center = await root.identity('Org1MSP', { name: 'center' });
    const byForeign = await sealExternalAnswer(answer, foreign, askerEncryption.publicKey);
    expect(await codeOfAsync(() => openExternalAnswer(byForeign, askerEncryption, expected()))).toBe(
      'certificate-untrusted',
    );
    const byCenter = await sealExternalAnswer(
      answer,
      { ...center, enrolmentId: 'outlet-17' },
      askerEncryption.publicKey,
    );
    expect(await codeOfAsync(() => openExternalAnswer(byCenter, askerEncryption, expected()))).toBe(
      'signature-invalid',
    );
    const impostor = await sealExternalAnswer(
      answer,
      { ...outlet, sign: (data) => center.sign(data) },
      askerEncryption.publicKey,
    );
    expect(await codeOfAsync(() => openExternalAnswer(impostor, askerEncryption, expected()))).toBe(
      'signature-invalid',
    );
  });

  test('an answer to another nonce, with other members or none at all is refused though it is signed', async () => {
    const binding = { typ: 'waymark-external-answer+jwe', apu: Buffer.from('outlet-17'), apv: Buffer.from(nonce) };
    const sealed = async (payload: unknown, header: object = {}): Promise<string> => {
      const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const x5c = [Buffer.from(outlet.certificateDer).toString('base64')];
      const signed = `${part({ alg: 'ES256', typ: 'waymark-external-answer+jws', x5c, ...header })}.${part(payload)}`;
      const jws = `${signed}.${Buffer.from(outlet.sign(Buffer.from(signed))).toString('base64url')}`;
      return encryptCompact(Buffer.from(jws), askerEncryption.publicKey, binding);
    };
    const open = async (payload: unknown, header?: object): Promise<string> => {
      const jwe = await sealed(payload, header);
      return codeOfAsync(() => openExternalAnswer(jwe, askerEncryption, expected()));
    };
    expect(await open(answer)).toBe('done');
    for (const payload of [
      { ...answer, nonce: 'y' },
      { ...answer, more: 1 },
      { ...answer, recordOid: 'x' },
      { ...answer, evidenceId: 1 },
      [],
      null,
      'x',
    ]) {
      expect([payload, await open(payload)]).toEqual([payload, 'signature-invalid']);
    }
    expect(await open({ ...answer, content: { payload: 1 } })).toBe('data-abnormal');
    for (const header of [{ typ: 'x' }, { alg: 'none' }, { x5c: [] }, { x5c: 'x' }, { kid: 'x' }]) {
      expect([header, await open(answer, header)]).toEqual([header, 'signature-invalid']);
    }
  });

  test('no plaintext is in an error', async () => {
    const canary = randomBytes(12).toString('hex');
    const jwe = await sealExternalAnswer(
      { ...answer, content: { ...answer.content, payload: canary } },
      outlet,
      askerEncryption.publicKey,
    );
    for (const change of [
      { nonce: 'x' },
      { outlet: 'y' },
      { verifier: certificateVerifier({ rootsPem: [(await rootAuthority('b')).pem] }) },
    ]) {
      await openExternalAnswer(jwe, askerEncryption, { ...expected(), ...change }).catch((error: unknown) => {
        expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(canary);
      });
    }
    expect.assertions(3);
  });
});

describe('allow-list', () => {
  const list = {
    channel: 'shipments',
    consignmentOid: randomBytes(16),
    seq: 1,
    issuedAtMs: testNowMs,
    askerKids: [asker.kid, generateSigningKeyPair().kid],
  };
  const expected = (): Parameters<typeof verifyAllowList>[1] => ({ ...at, verifier });

  test('says who may ask, as the outlet signed it', () => {
    const verified = verifyAllowList(signAllowList(outlet, list), expected());
    expect(verified).toMatchObject({ msp: 'Org1MSP', outlet: 'outlet-17', seq: 1 });
    expect(new Set(verified.askerKids)).toEqual(new Set(list.askerKids));
    expect(verifyAllowList(signAllowList(outlet, { ...list, askerKids: [] }), expected()).askerKids).toEqual([]);
  });

  test('of another channel, firm, CA or outlet, or altered, is refused', async () => {
    const bytes = signAllowList(outlet, list);
    expect(codeOf(() => verifyAllowList(bytes, { ...expected(), channel: 'b' }))).toBe('signature-invalid');
    expect(codeOf(() => verifyAllowList(bytes, { ...expected(), msp: 'b' }))).toBe('recipient-mismatch');
    const foreign = certificateVerifier({ rootsPem: [(await rootAuthority('ca')).pem] });
    expect(codeOf(() => verifyAllowList(bytes, { ...expected(), verifier: foreign }))).toBe('certificate-untrusted');
    const other = await root.identity('Org1MSP', { name: 'outlet-18' });
    const lie = signAllowList({ ...other, enrolmentId: 'outlet-17' }, list);
    expect(codeOf(() => verifyAllowList(lie, expected()))).toBe('signature-invalid');
    for (let bit = 2; bit < bytes.length * 8; bit += 61) {
      expect([bit, codeOf(() => verifyAllowList(flipBit(bytes, bit), expected()))]).not.toEqual([bit, 'done']);
    }
    const noise = signCose(outlet, { type: 'allow-list', channel: 'shipments' }, encodeCbor({ v: 1 }));
    expect(codeOf(() => verifyAllowList(noise, expected()))).toBe('input-invalid');
  });

  test('with key ids that are none, or too many, is not signed', () => {
    expect(codeOf(() => signAllowList(outlet, { ...list, askerKids: ['x'] }))).toBe('input-invalid');
    const many = Array.from({ length: 1_025 }, () => randomBytes(32).toString('base64url'));
    expect(codeOf(() => signAllowList(outlet, { ...list, askerKids: many }))).toBe('limit-exceeded');
  });
});
