import { batchOf } from './harness/batches.ts';
import { startChaincode, type RunningChaincode } from './harness/chaincode-process.ts';
import {
  createChannel,
  createConsortium,
  createOrganisation,
  register,
  type TestChannel,
  type TestOrganisation,
} from './harness/consortium.ts';
import { createAuthority, type TestIdentity } from './harness/identities.ts';

describe('who may record evidence (S4, S5)', () => {
  let chaincode: RunningChaincode;
  let channel: TestChannel;
  let a: TestOrganisation;
  let b: TestOrganisation;

  beforeAll(async () => {
    chaincode = await startChaincode();
  });
  beforeEach(async () => {
    ({ channel, a, b } = await createConsortium(chaincode));
  });
  afterAll(() => chaincode.stop());

  const refusalOf = async (caller: TestIdentity, outlet: TestIdentity, certificate = outlet.digest) => {
    const { code, details } = await channel.refusal(caller, 'evidence:record', [batchOf(outlet, 1, { certificate })]);
    return [code, details['reason']];
  };

  test('before the founding nobody may', async () => {
    const fresh = createChannel(chaincode);
    const { code, details } = await fresh.refusal(a.center, 'evidence:record', [batchOf(a.outlet, 1)]);
    expect([code, details['reason']]).toEqual(['ROLE_NOT_PERMITTED', 'not-founded']);
  });

  test('an organisation that was not admitted may not', async () => {
    const c = await createOrganisation('Org3MSP');
    expect(await refusalOf(c.center, c.outlet)).toEqual(['ROLE_NOT_PERMITTED', 'organisation-not-admitted']);
  });

  test.each(['outlet', 'department', 'reader', 'client'])('a node registered as %s may not', async (kind) => {
    const node = await a.authority.issue(`a-${kind}`);
    await register(channel, a, node, kind);
    expect(await refusalOf(node, a.outlet)).toEqual(['ROLE_NOT_PERMITTED', 'node-kind']);
  });

  test('an identity that is not registered may not, and neither may an admin', async () => {
    expect(await refusalOf(await a.authority.issue('stranger'), a.outlet)).toEqual([
      'ROLE_NOT_PERMITTED',
      'node-not-registered',
    ]);
    expect(await refusalOf(a.admin, a.outlet)).toEqual(['ROLE_NOT_PERMITTED', 'node-not-registered']);
  });

  test("a certificate with the center's name that was not registered may not, though the right CA issued it", async () => {
    expect(await refusalOf(await a.authority.issue('center'), a.outlet)).toEqual([
      'CERTIFICATE_UNTRUSTED',
      'certificate-not-registered',
    ]);
  });

  test("the center's name under another organisation's CA is another organisation's node", async () => {
    const spoof = await createAuthority('Org2MSP').then((authority) => authority.issue('center'));
    expect(await refusalOf(spoof, a.outlet)).toEqual(['CERTIFICATE_UNTRUSTED', 'certificate-not-registered']);
  });

  test('a revoked center may not', async () => {
    await channel.submit(a.admin, 'participants:revokeNode', { enrolmentId: 'center', reason: 'key-compromise' });
    expect(await refusalOf(a.center, a.outlet)).toEqual(['CERTIFICATE_REVOKED', 'node-revoked']);
  });

  test('a center with a revoked certificate may not, and with its new one may', async () => {
    const renewed = await a.authority.issue('center');
    await channel.submit(a.admin, 'participants:renewCertificate', {
      enrolmentId: 'center',
      certificate: renewed.digest,
      replaces: a.center.digest,
    });
    expect(await refusalOf(a.center, a.outlet)).toEqual(['CERTIFICATE_REVOKED', 'certificate-revoked']);
    await channel.submit(renewed, 'evidence:record', [batchOf(a.outlet, 1)]);
  });

  test("a center may not record another organisation's outlet: under its own MSP that outlet is not known", async () => {
    const foreign = await b.authority.issue('outlet-b');
    await register(channel, b, foreign, 'outlet');
    expect(await refusalOf(a.center, foreign)).toEqual(['ROLE_NOT_PERMITTED', 'node-not-registered']);
  });

  test("an outlet of the same name in both organisations does not mix: the other one's certificate is not registered", async () => {
    expect(await refusalOf(a.center, b.outlet)).toEqual(['CERTIFICATE_UNTRUSTED', 'certificate-not-registered']);
  });

  test.each(['center', 'reader', 'client'])('evidence for a node registered as %s is refused', async (kind) => {
    const node = await a.authority.issue(`a-${kind}`);
    await register(channel, a, node, kind);
    expect(await refusalOf(a.center, node)).toEqual(['ROLE_NOT_PERMITTED', 'node-kind']);
  });

  test('evidence for a department is taken', async () => {
    const department = await a.authority.issue('customs-desk');
    await register(channel, a, department, 'department');
    await channel.submit(a.center, 'evidence:record', [batchOf(department, 1)]);
  });

  test('an outlet that is not registered, revoked, or whose certificate is not its own or revoked, is refused', async () => {
    expect(await refusalOf(a.center, await a.authority.issue('outlet-9'))).toEqual([
      'ROLE_NOT_PERMITTED',
      'node-not-registered',
    ]);
    expect(await refusalOf(a.center, a.outlet, a.center.digest)).toEqual([
      'CERTIFICATE_UNTRUSTED',
      'certificate-not-registered',
    ]);
    const second = await a.authority.issue('outlet-1');
    await channel.submit(a.admin, 'participants:addCertificate', {
      enrolmentId: 'outlet-1',
      certificate: second.digest,
    });
    const revocation = { enrolmentId: 'outlet-1', certificate: a.outlet.digest, reason: 'superseded' };
    await channel.submit(a.admin, 'participants:revokeCertificate', revocation);
    expect(await refusalOf(a.center, a.outlet)).toEqual(['CERTIFICATE_REVOKED', 'certificate-revoked']);
    await channel.submit(a.center, 'evidence:record', [batchOf(second, 1)]);
    await channel.submit(a.admin, 'participants:revokeNode', { enrolmentId: 'outlet-1', reason: 'ceased' });
    const { code } = await channel.refusal(a.center, 'evidence:record', [batchOf(second, 2)]);
    expect(code).toBe('CERTIFICATE_REVOKED');
  });

  test('a revocation that commits first makes an evidence transaction in flight invalid', async () => {
    const inFlight = await channel.simulate(a.center, 'evidence:record', [batchOf(a.outlet, 1)]);
    await channel.submit(a.admin, 'participants:revokeNode', { enrolmentId: 'outlet-1', reason: 'key-compromise' });
    expect(channel.state.commit(inFlight)).toBe('MVCC_READ_CONFLICT');
  });

  test('a certificate with two common names, or none, or one that cannot be an id, is refused', async () => {
    const odd = await Promise.all([
      a.authority.issueFor([{ CN: ['center'] }, { CN: ['other'] }], 'center'),
      a.authority.issueFor([{ OU: ['client'] }], 'center'),
      a.authority.issueFor([{ CN: ['a/b'] }], 'a/b'),
      a.authority.issueFor([{ CN: ['cafe\u0301'] }], 'cafe\u0301'),
      a.authority.issueFor([{ CN: ['center\nOU=admin'] }], 'center'),
    ]);
    for (const identity of odd) {
      expect(await refusalOf(identity, a.outlet)).toEqual(['CERTIFICATE_UNTRUSTED', 'common-name']);
    }
  });

  test('everybody reads, also a stranger whom the peers let in', async () => {
    await channel.submit(a.center, 'evidence:record', [batchOf(a.outlet, 1)]);
    const stranger = await createAuthority('Org9MSP').then((authority) => authority.issue('reader'));
    expect((await channel.submit(stranger, 'evidence:get', 'Org1MSP/outlet-1/1'))['seq']).toBe(1);
  });
});
