import { createHash, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { startChaincode, type RunningChaincode } from './harness/chaincode-process.ts';
import { createChannel, createConsortium, type TestChannel, type TestOrganisation } from './harness/consortium.ts';
import type { TestIdentity } from './harness/identities.ts';

interface Jwk {
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
  readonly y?: string;
}

interface Statement {
  readonly key: Jwk;
  readonly kid: string;
  readonly seq: number;
  readonly prevKid: string | null;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly proof?: string;
}

const sortedJson = (value: object) => JSON.stringify(value, Object.keys(value).sort());

function statementOf(
  owner: TestIdentity,
  key: { readonly publicKey: KeyObject; readonly privateKey: KeyObject },
  place: { readonly seq: number; readonly prevKid: string | null },
): Statement {
  const jwk = key.publicKey.export({ format: 'jwk' }) as Jwk;
  const kid = createHash('sha256').update(sortedJson(jwk)).digest('base64url');
  const bound = { kid, ...place, notBefore: '2026-01-01T00:00:00.000Z', notAfter: '2027-01-01T00:00:00.000Z' };
  const bytes = `waymark/v1/key-possession\n${sortedJson({ ...bound, channel: 'waymark', msp: owner.mspId, participant: owner.enrolmentId })}`;
  if (jwk.kty === 'OKP') return { key: jwk, ...bound };
  const proof = sign('sha256', Buffer.from(bytes), { key: key.privateKey, dsaEncoding: 'ieee-p1363' }).toString('hex');
  return { key: jwk, ...bound, proof };
}

const p256 = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const first = { seq: 1, prevKid: null };

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

  const publish = (statement: object, caller = a.outlet) =>
    channel.submit(caller, 'participants:publishKey', statement);
  const refusalOf = async (statement: object, caller = a.outlet) => {
    const { code, details } = await channel.refusal(caller, 'participants:publishKey', statement);
    return [code, details['reason']];
  };

  test('a node publishes its key, proves possession, and everybody reads it', async () => {
    const statement = statementOf(a.outlet, p256(), first);
    expect(await publish(statement)).toEqual({ v: 1, kid: statement.kid, seq: 1, repeated: false });
    expect(await channel.submit(a.center, 'participants:getKey', 'Org1MSP', 'outlet-1')).toEqual({
      v: 1,
      channel: 'waymark',
      msp: 'Org1MSP',
      participant: 'outlet-1',
      proven: true,
      certificate: a.outlet.digest,
      key: statement.key,
      kid: statement.kid,
      seq: 1,
      prevKid: null,
      notBefore: statement.notBefore,
      notAfter: statement.notAfter,
    });
  });

  test('keys follow each other by seq and prevKid, and old ones stay readable', async () => {
    const keys = [statementOf(a.outlet, p256(), first)];
    for (let seq = 2; seq <= 5; seq++)
      keys.push(statementOf(a.outlet, p256(), { seq, prevKid: keys.at(-1)?.kid ?? null }));
    for (const key of keys) await publish(key);
    expect(await channel.submit(a.center, 'participants:getKey', 'Org1MSP', 'outlet-1')).toMatchObject({
      seq: 5,
      kid: keys[4]?.kid,
    });
    const page = await channel.submit(a.center, 'participants:getKeyHistory', 'Org1MSP', 'outlet-1', '2', '2');
    expect([(page['keys'] as Statement[]).map(({ kid }) => kid), page['next']]).toEqual([
      [keys[1]?.kid, keys[2]?.kid],
      4,
    ]);
    const last = await channel.submit(a.center, 'participants:getKeyHistory', 'Org1MSP', 'outlet-1', '4', '100');
    expect([(last['keys'] as Statement[]).map(({ seq }) => seq), last['next']]).toEqual([[4, 5], null]);
  });

  test('a skipped seq, a wrong prevKid, and a seq used with another key are refused; the same again is repeated', async () => {
    const one = statementOf(a.outlet, p256(), first);
    await publish(one);
    expect((await publish(one))['repeated']).toBe(true);
    expect((await refusalOf(statementOf(a.outlet, p256(), { seq: 3, prevKid: one.kid })))[0]).toBe('SEQUENCE_GAP');
    expect(await refusalOf(statementOf(a.outlet, p256(), { seq: 2, prevKid: null }))).toEqual([
      'SEQUENCE_GAP',
      'prevKid',
    ]);
    expect(await refusalOf(statementOf(a.outlet, p256(), first))).toEqual(['CONFLICT', 'sequence-used']);
  });

  test('the same key again under the next seq is refused', async () => {
    const pair = p256();
    const one = statementOf(a.outlet, pair, first);
    await publish(one);
    expect(await refusalOf(statementOf(a.outlet, pair, { seq: 2, prevKid: one.kid }))).toEqual([
      'CONFLICT',
      'same-key',
    ]);
  });

  test('an X25519 key is taken without a proof and says so; points of low order are refused', async () => {
    const statement = statementOf(a.outlet, generateKeyPairSync('x25519'), first);
    await publish(statement);
    expect(await channel.submit(a.center, 'participants:getKey', 'Org1MSP', 'outlet-1')).toMatchObject({
      proven: false,
    });
    expect(
      (
        await refusalOf(
          { ...statementOf(a.center, generateKeyPairSync('x25519'), first), proof: 'ab'.repeat(64) },
          a.center,
        )
      )[0],
    ).toBe('INPUT_INVALID');
    for (const point of [
      '0000000000000000000000000000000000000000000000000000000000000000',
      '0100000000000000000000000000000000000000000000000000000000000080',
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
      'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    ]) {
      const key = { crv: 'X25519', kty: 'OKP', x: Buffer.from(point, 'hex').toString('base64url') };
      const kid = createHash('sha256').update(sortedJson(key)).digest('base64url');
      expect(await refusalOf({ ...statement, key, kid }, a.center)).toEqual(['KEY_INVALID', 'low-order']);
    }
  });

  test('the signing key is refused as an encryption key', async () => {
    const keys = a.outlet.keys;
    const spki = Buffer.from(await crypto.subtle.exportKey('spki', keys.publicKey));
    const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    const statement = statementOf(a.outlet, { publicKey, privateKey: p256().privateKey }, first);
    expect(await refusalOf(statement)).toEqual(['KEY_INVALID', 'signing-key']);
  });

  test('a proof by another key, for another owner, or of changed facts does not verify, and none is not enough', async () => {
    const statement = statementOf(a.outlet, p256(), first);
    const bad = ['SIGNATURE_INVALID', 'proof-of-possession'];
    expect(await refusalOf({ ...statement, proof: statementOf(a.outlet, p256(), first).proof })).toEqual(bad);
    expect(await refusalOf(statement, a.center)).toEqual(bad);
    expect(await refusalOf({ ...statement, notAfter: '2028-01-01T00:00:00.000Z' })).toEqual(bad);
    expect(await refusalOf({ ...statement, proof: undefined })).toEqual(['INPUT_INVALID', 'is missing']);
  });

  test('a kid that is not the thumbprint, a point off the curve, and other forms are refused', async () => {
    const statement = statementOf(a.outlet, p256(), first);
    expect(await refusalOf({ ...statement, kid: statementOf(a.outlet, p256(), first).kid })).toEqual([
      'KEY_INVALID',
      'kid',
    ]);
    const off = { ...statement.key, y: statement.key.x };
    const kid = createHash('sha256').update(sortedJson(off)).digest('base64url');
    expect(await refusalOf({ ...statement, key: off, kid })).toEqual(['KEY_INVALID', 'not-on-curve']);
    for (const changes of [
      { key: { ...statement.key, d: statement.key.x } },
      { key: { ...statement.key, crv: 'P-384' } },
      { key: { ...statement.key, x: `${statement.key.x}=` } },
      { key: null },
      { seq: 0 },
      { notAfter: statement.notBefore },
      { notBefore: '2026-01-01' },
      { prevKid: 'x' },
    ]) {
      expect((await refusalOf({ ...statement, ...changes }))[0]).toBe('INPUT_INVALID');
    }
  });

  test('only a registered, unrevoked node may publish, and only for itself: the owner is the caller', async () => {
    const stranger = await a.authority.issue('stranger');
    expect(await refusalOf(statementOf(stranger, p256(), first), stranger)).toEqual([
      'ROLE_NOT_PERMITTED',
      'node-not-registered',
    ]);
    const spoof = await a.authority.issue('outlet-1');
    expect(await refusalOf(statementOf(spoof, p256(), first), spoof)).toEqual([
      'CERTIFICATE_UNTRUSTED',
      'certificate-not-registered',
    ]);
    const statement = statementOf(a.outlet, p256(), first);
    expect((await refusalOf({ ...statement, participant: 'center' }))[0]).toBe('INPUT_INVALID');
    await channel.submit(a.admin, 'participants:revokeNode', { enrolmentId: 'outlet-1', reason: 'ceased' });
    expect(await refusalOf(statement)).toEqual(['CERTIFICATE_REVOKED', 'node-revoked']);
    const fresh = createChannel(chaincode);
    expect((await fresh.refusal(a.outlet, 'participants:publishKey', statement)).code).toBe('ROLE_NOT_PERMITTED');
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
