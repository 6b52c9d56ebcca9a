import { KeyObject, createHash, sign } from 'node:crypto';
import { decodeCbor, encodeCbor, readSign1, signCose, toLowS, type CborValue } from '@waymark/protocol';
import {
  generateEncryptionKeyPair,
  signKeyStatement,
  type Curve,
  type EncryptionKeyPair,
  type SigningIdentity,
} from '@waymark/vault';
import { startChaincode, type RunningChaincode } from './harness/chaincode-process.ts';
import { createChannel, createConsortium, type TestChannel, type TestOrganisation } from './harness/consortium.ts';
import type { TestIdentity } from './harness/identities.ts';

type Place = Partial<{ channel: string; seq: number; prevKid: string | null; notBeforeMs: number; notAfterMs: number }>;

const place = {
  channel: 'waymark',
  seq: 1,
  prevKid: null,
  notBeforeMs: 1_767_225_600_000,
  notAfterMs: 1_798_761_600_000,
};
const encode = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

function signerOf(identity: TestIdentity): SigningIdentity {
  const key = KeyObject.from(identity.keys.privateKey);
  const certificateDer = Buffer.from(identity.certificatePem.replaceAll(/-----.*-----|\s/g, ''), 'base64');
  return {
    mspId: identity.mspId,
    enrolmentId: identity.enrolmentId,
    certificateDer,
    certificateDigest: createHash('sha256').update(certificateDer).digest(),
    sign: (data) => toLowS(sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' })),
  };
}

const statementOf = (owner: TestIdentity, pair: EncryptionKeyPair, changes: Place = {}) =>
  encode(signKeyStatement(signerOf(owner), pair, { ...place, ...changes }));

/** Takes a statement apart, changes its claims, and signs it again; the proof of possession stays as it was. */
function resigned(
  owner: TestIdentity,
  statement: string,
  changes: Readonly<Record<string, CborValue | undefined>>,
): string {
  const payload = decodeCbor(readSign1(Buffer.from(statement, 'base64url')).payload ?? new Uint8Array());
  const claims = new Map(payload as ReadonlyMap<string, CborValue>);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) claims.delete(name);
    else claims.set(name, value);
  }
  return encode(signCose(signerOf(owner), { type: 'encryption-key', channel: 'waymark' }, encodeCbor(claims)));
}

describe('encryption keys in the register', () => {
  let chaincode: RunningChaincode;
  let channel: TestChannel;
  let a: TestOrganisation;

  beforeAll(async () => {
    chaincode = await startChaincode();
  });
  beforeEach(async () => {
    ({ channel, a } = await createConsortium(chaincode));
  });
  afterAll(() => chaincode.stop());

  const publish = (statement: string, caller = a.outlet) =>
    channel.submit(caller, 'participants:publishKey', statement);
  const refusalOf = async (statement: string, caller = a.outlet) => {
    const { code, details } = await channel.refusal(caller, 'participants:publishKey', statement);
    return [code, details['reason']];
  };

  test.each<Curve>(['P-256', 'X25519'])(
    'a node publishes the %s key statement that the vault signed, and everybody reads it',
    async (curve) => {
      const pair = generateEncryptionKeyPair(curve);
      const statement = statementOf(a.outlet, pair);
      const outcome = await channel.simulate(a.outlet, 'participants:publishKey', statement);
      expect(outcome.message).toBe('');
      expect(Buffer.from(outcome.payload).toString()).toBe(`{"kid":"${pair.kid}","repeated":false,"seq":1,"v":1}`);
      expect(Buffer.from(outcome.event?.payload ?? []).toString()).toBe('{"keys":["key/Org1MSP/outlet-1/1"],"v":1}');
      channel.state.commit(outcome);
      expect(await channel.submit(a.center, 'participants:getKey', 'Org1MSP', 'outlet-1')).toEqual({
        v: 1,
        channel: 'waymark',
        msp: 'Org1MSP',
        participant: 'outlet-1',
        kid: pair.kid,
        key: pair.publicKey.jwk,
        seq: 1,
        prevKid: null,
        notBefore: '2026-01-01T00:00:00.000Z',
        notAfter: '2027-01-01T00:00:00.000Z',
        certificate: a.outlet.digest,
        statement,
      });
    },
  );

  test('keys follow each other by seq and prevKid, and old ones stay readable', async () => {
    const pairs = [1, 2, 3, 4, 5].map(() => generateEncryptionKeyPair('P-256'));
    for (const [index, pair] of pairs.entries()) {
      await publish(statementOf(a.outlet, pair, { seq: index + 1, prevKid: pairs[index - 1]?.kid ?? null }));
    }
    const kids = pairs.map(({ kid }) => kid);
    expect(await channel.submit(a.center, 'participants:getKey', 'Org1MSP', 'outlet-1')).toMatchObject({
      seq: 5,
      kid: kids[4],
    });
    const history = async (fromSeq: string, limit: string) => {
      const page = await channel.submit(a.center, 'participants:getKeyHistory', 'Org1MSP', 'outlet-1', fromSeq, limit);
      return [(page['keys'] as { kid: string }[]).map(({ kid }) => kid), page['next']];
    };
    expect(await history('2', '2')).toEqual([[kids[1], kids[2]], 4]);
    expect(await history('4', '100')).toEqual([[kids[3], kids[4]], null]);
    expect(await history('6', '100')).toEqual([[], null]);
  });

  test('a skipped seq, a wrong prevKid, and a seq used with another key are refused', async () => {
    const first = generateEncryptionKeyPair('P-256');
    const next = generateEncryptionKeyPair('X25519');
    await publish(statementOf(a.outlet, first));
    expect(await refusalOf(statementOf(a.outlet, next, { seq: 3, prevKid: first.kid }))).toEqual([
      'SEQUENCE_GAP',
      'missing',
    ]);
    expect(await refusalOf(statementOf(a.outlet, next, { seq: 2, prevKid: next.kid }))).toEqual([
      'SEQUENCE_GAP',
      'prev',
    ]);
    expect(await refusalOf(statementOf(a.outlet, next))).toEqual(['CONFLICT', 'sequence-used']);
    expect(await refusalOf(statementOf(a.outlet, first, { seq: 2, prevKid: first.kid }))).toEqual([
      'CONFLICT',
      'same-key',
    ]);
  });

  test('the same claims again are repeated, also signed anew: no write, no event', async () => {
    const pair = generateEncryptionKeyPair('P-256');
    await publish(statementOf(a.outlet, pair));
    const again = await channel.simulate(a.outlet, 'participants:publishKey', statementOf(a.outlet, pair));
    expect([again.status, again.writes.size, again.event]).toEqual([200, 0, undefined]);
    expect(await refusalOf(statementOf(a.outlet, pair, { notAfterMs: place.notAfterMs + 1 }))).toEqual([
      'CONFLICT',
      'sequence-used',
    ]);
  });

  test('a statement about another participant, organisation or channel is refused', async () => {
    const pair = generateEncryptionKeyPair('P-256');
    const statement = statementOf(a.outlet, pair);
    const own = ['ROLE_NOT_PERMITTED', 'not-your-own'];
    expect(await refusalOf(resigned(a.outlet, statement, { participant: 'center' }))).toEqual(own);
    expect(await refusalOf(resigned(a.outlet, statement, { msp: 'Org2MSP' }))).toEqual(own);
    expect(await refusalOf(resigned(a.outlet, statement, { channel: 'other' }))).toEqual([
      'RECIPIENT_MISMATCH',
      'channel',
    ]);
    expect(await refusalOf(statementOf(a.outlet, pair, { channel: 'other' }))).toEqual(['SIGNATURE_INVALID', 'bytes']);
  });

  test('a statement that somebody else signed, or whose bytes changed, is refused', async () => {
    const pair = generateEncryptionKeyPair('P-256');
    const statement = statementOf(a.outlet, pair);
    expect(await refusalOf(statement, a.center)).toEqual(['SIGNATURE_INVALID', 'signer']);
    const bytes = Buffer.from(statement, 'base64url');
    for (let offset = 0; offset < bytes.length; offset += 7) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(offset) ^ 1, offset);
      const { code } = await channel.refusal(a.outlet, 'participants:publishKey', encode(changed));
      expect([offset, ['SIGNATURE_INVALID', 'INPUT_INVALID'].includes(code)]).toEqual([offset, true]);
    }
    const highS = Buffer.from(bytes);
    const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
    const s = order - BigInt(`0x${highS.subarray(-32).toString('hex')}`);
    highS.write(s.toString(16).padStart(64, '0'), highS.length - 32, 'hex');
    expect(await refusalOf(encode(highS))).toEqual(['SIGNATURE_INVALID', 'bytes']);
  });

  test.each<Curve>(['P-256', 'X25519'])(
    'a %s proof by another key, of other claims, or none, is refused',
    async (curve) => {
      const pair = generateEncryptionKeyPair(curve);
      const statement = statementOf(a.outlet, pair);
      const other = readClaims(statementOf(a.outlet, generateEncryptionKeyPair(curve)));
      const bad = ['KEY_INVALID', 'possession'];
      expect(
        await refusalOf(resigned(a.outlet, statement, { possession: other.get('possession') as Uint8Array })),
      ).toEqual(bad);
      expect(await refusalOf(resigned(a.outlet, statement, { notAfter: place.notAfterMs + 1 }))).toEqual(bad);
      expect(await refusalOf(resigned(a.outlet, statement, { possession: new Uint8Array(64) }))).toEqual(bad);
      expect((await refusalOf(resigned(a.outlet, statement, { possession: undefined })))[0]).toBe('INPUT_INVALID');
      expect((await refusalOf(resigned(a.outlet, statement, { possession: new Uint8Array(63) })))[0]).toBe(
        'INPUT_INVALID',
      );
    },
  );

  test('X25519 coordinates of low order and ones that are not canonical are refused', async () => {
    const statement = statementOf(a.outlet, generateEncryptionKeyPair('X25519'));
    const refusalOfPoint = (hex: string) => {
      const key = { crv: 'X25519', kty: 'OKP', x: encode(Buffer.from(hex, 'hex')) };
      const kid = createHash('sha256').update(JSON.stringify(key)).digest('base64url');
      return refusalOf(resigned(a.outlet, statement, { key, kid }));
    };
    for (const hex of [
      '0000000000000000000000000000000000000000000000000000000000000000',
      '0100000000000000000000000000000000000000000000000000000000000000',
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    ]) {
      expect(await refusalOfPoint(hex)).toEqual(['KEY_INVALID', 'low-order']);
    }
    for (const hex of [
      'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      '0000000000000000000000000000000000000000000000000000000000000080',
    ]) {
      expect(await refusalOfPoint(hex)).toEqual(['KEY_INVALID', 'not-canonical']);
    }
  });

  test('the signing key is refused as an encryption key', async () => {
    const { kty, crv, x, y } = KeyObject.from(a.outlet.keys.publicKey).export({ format: 'jwk' });
    const key = { crv: String(crv), kty: String(kty), x: String(x), y: String(y) };
    const kid = createHash('sha256').update(JSON.stringify(key)).digest('base64url');
    const statement = statementOf(a.outlet, generateEncryptionKeyPair('P-256'));
    expect(await refusalOf(resigned(a.outlet, statement, { key, kid }))).toEqual(['KEY_INVALID', 'signing-key']);
  });

  test('a kid that is not the thumbprint, a point off the curve, and claims of other forms are refused', async () => {
    const pair = generateEncryptionKeyPair('P-256');
    const statement = statementOf(a.outlet, pair);
    const { jwk } = pair.publicKey;
    expect(await refusalOf(resigned(a.outlet, statement, { kid: generateEncryptionKeyPair('P-256').kid }))).toEqual([
      'KEY_INVALID',
      'kid',
    ]);
    const off = { crv: 'P-256', kty: 'EC', x: jwk.x, y: jwk.x };
    const kid = createHash('sha256').update(JSON.stringify(off)).digest('base64url');
    expect(await refusalOf(resigned(a.outlet, statement, { key: off, kid }))).toEqual(['KEY_INVALID', 'not-on-curve']);
    for (const changes of [
      { key: { ...jwk, d: jwk.x } },
      { key: { ...jwk, crv: 'P-384' } },
      { key: { ...jwk, x: `${jwk.x}=` } },
      { key: { ...jwk, x: `${jwk.x.slice(0, -1)}_` } },
      { key: null },
      { key: 'x' },
      { seq: 0 },
      { seq: '1' },
      { v: 2 },
      { type: 'batch' },
      { notAfter: place.notBeforeMs },
      { notBefore: -1 },
      { notAfter: 253_402_300_800_000 },
      { prevKid: 'x' },
      { msp: undefined },
      { more: 1 },
      JSON.parse('{"__proto__":"x"}'),
    ] as Readonly<Record<string, CborValue | undefined>>[]) {
      const [code] = await refusalOf(resigned(a.outlet, statement, changes));
      expect([Object.keys(changes), code]).toEqual([Object.keys(changes), 'INPUT_INVALID']);
    }
  });

  test('only a registered, unrevoked node may publish', async () => {
    const pair = generateEncryptionKeyPair('P-256');
    const stranger = await a.authority.issue('stranger');
    expect(await refusalOf(statementOf(stranger, pair), stranger)).toEqual([
      'ROLE_NOT_PERMITTED',
      'node-not-registered',
    ]);
    const spoof = await a.authority.issue('outlet-1');
    expect(await refusalOf(statementOf(spoof, pair), spoof)).toEqual([
      'CERTIFICATE_UNTRUSTED',
      'certificate-not-registered',
    ]);
    const fresh = createChannel(chaincode);
    expect((await fresh.refusal(a.outlet, 'participants:publishKey', statementOf(a.outlet, pair))).code).toBe(
      'ROLE_NOT_PERMITTED',
    );
    await channel.submit(a.admin, 'participants:revokeNode', { enrolmentId: 'outlet-1', reason: 'ceased' });
    expect(await refusalOf(statementOf(a.outlet, pair))).toEqual(['CERTIFICATE_REVOKED', 'node-revoked']);
  });

  test.each([
    ['', 'is not deterministic CBOR'],
    ['?', 'is not base64url'],
    ['AA==', 'is not base64url'],
    ['AB', 'is not base64url'],
    ['A'.repeat(11_000), 'is longer than 8192 bytes'],
    [encode(encodeCbor([1, 2, 3, 4])), 'is not a COSE_Sign1'],
    [encode(Buffer.from('d284404040', 'hex')), 'is not deterministic CBOR'],
    [encode(Buffer.from('d28440a0f640', 'hex')), 'is not a COSE_Sign1'],
    [encode(Buffer.from('d28440a04040', 'hex')), 'does not carry one certificate'],
    [encode(Buffer.from('9bffffffffffffffff', 'hex')), 'is not deterministic CBOR'],
    [encode(Buffer.from('9b0000000100000000', 'hex')), 'is not deterministic CBOR'],
    [encode(Buffer.alloc(100, 0x81)), 'is not deterministic CBOR'],
    [encode(Buffer.from('1817', 'hex')), 'is not deterministic CBOR'],
  ])('%j is not a statement', async (statement, reason) => {
    expect(await refusalOf(statement)).toEqual(['INPUT_INVALID', reason]);
  });

  test('reading a key that is not there is refused, and its history is empty', async () => {
    expect((await channel.refusal(a.center, 'participants:getKey', 'Org1MSP', 'nobody')).code).toBe('REFUSED');
    expect(await channel.submit(a.center, 'participants:getKeyHistory', 'Org1MSP', 'nobody', '1', '100')).toEqual({
      v: 1,
      keys: [],
      next: null,
    });
  });
});

function readClaims(statement: string): ReadonlyMap<string, unknown> {
  return decodeCbor(readSign1(Buffer.from(statement, 'base64url')).payload ?? new Uint8Array()) as ReadonlyMap<
    string,
    unknown
  >;
}
