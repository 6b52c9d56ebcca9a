import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { certificatesOf } from '../src/certificates/certificates.ts';
import { openMembership, renewTls, type MembershipPlan } from '../src/membership/membership.ts';
import { rememberOrganisation, withAddedOrganisations } from '../src/network/added-organisations.ts';
import { peerAt, planWith } from './support/plans.ts';

let dataDir = '';
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'fabric-memory-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

describe('organisations that have joined', () => {
  const added = { mspId: 'Org2MSP', domain: 'org2.example.com', peers: [peerAt('peer0', 9051)] };

  test('are remembered once, beside those of the plan', async () => {
    const plan = { ...planWith(1), dataDir };
    expect((await withAddedOrganisations(plan)).organisations).toEqual(plan.organisations);
    await rememberOrganisation(dataDir, added);
    await rememberOrganisation(dataDir, added);
    expect((await withAddedOrganisations(plan)).organisations).toEqual([...plan.organisations, added]);
    const planned = { ...added, peers: [peerAt('peer0', 9100)] };
    const both = { ...plan, organisations: [...plan.organisations, planned] };
    expect((await withAddedOrganisations(both)).organisations).toEqual(both.organisations);
  });

  test('a list that is none is not guessed at', async () => {
    for (const text of ['', '{}', '[{"mspId":"x"}]']) {
      await writeFile(join(dataDir, 'added-organisations.json'), text);
      await expect(withAddedOrganisations({ ...planWith(1), dataDir })).rejects.toMatchObject({
        code: 'data-abnormal',
      });
    }
  });
});

describe('certificates', () => {
  const plan = (): MembershipPlan => ({
    dir: join(dataDir, 'org1'),
    mspId: 'Org1MSP',
    domain: 'org1.example.com',
    peers: ['peer0'],
    orderers: ['orderer0'],
  });

  test('of CAs, nodes and users are all listed, with whose they are', async () => {
    const listed = certificatesOf(await openMembership(plan()));
    expect(listed.map(({ use, hostName }) => `${use} ${hostName ?? ''}`).sort()).toEqual([
      'ca ',
      'enrolment ',
      'enrolment ',
      'enrolment orderer0.org1.example.com',
      'enrolment peer0.org1.example.com',
      'tls orderer0.org1.example.com',
      'tls peer0.org1.example.com',
      'tls-ca ',
    ]);
    expect(listed.map(({ subject }) => subject)).toContain('OU=orderer, CN=orderer0.org1.example.com');
  });

  test('a TLS certificate that is renewed has the same key, another serial number and the same names', async () => {
    const before = await openMembership(plan());
    const [orderer] = before.orderers;
    if (orderer === undefined) throw new Error('there is an orderer');
    await renewTls(before.ca, orderer);
    const after = (await openMembership(plan())).orderers[0]?.tls;
    const old = new X509Certificate(orderer.tls.certificatePem);
    const renewed = new X509Certificate(after?.certificatePem ?? '');
    expect(after?.privateKeyPem).toBe(orderer.tls.privateKeyPem);
    expect(renewed.publicKey.equals(old.publicKey)).toBe(true);
    expect(renewed.serialNumber).not.toBe(old.serialNumber);
    expect(renewed.subjectAltName).toBe(old.subjectAltName);
  });
});
