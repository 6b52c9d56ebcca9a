import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type common, msp } from '@hyperledger/fabric-protos';
import { type FabricCaPeer, findFabricCa, startFabricCa } from '@waymark/testing/fabric-ca-peer';
import {
  caughtUp,
  startTestConsortium,
  submitClient,
  type TestConsortium,
  type TestFirm,
  until,
} from '@waymark/testing/consortium';
import { callUnary, CenterClient, clientCredentials, clientOptions } from '@waymark/transport';
import { generateEncryptionKeyPair, signingIdentityFromPem, signKeyStatement } from '@waymark/vault';
import {
  certificateAuthority,
  type CertificateAuthority,
  certificateFacts,
  type EnrolledIdentity,
  identityFiles,
  replaceFile,
  writeIdentityFolder,
} from '../src/index.ts';

const program = findFabricCa();
const describeWithCa: (name: string, body: () => void) => void =
  program === undefined ? (name, body) => describe.skip(`${name} (not on PATH: fabric-ca-server)`, body) : describe;

/** Puts a revocation list into an organisation's MSP, as a configuration update does. */
function withList(mspId: string, crlPem: string): (config: common.Config) => void {
  return (config) => {
    const application = config.getChannelGroup()?.getGroupsMap().get('Application');
    const value = application?.getGroupsMap().get(mspId)?.getValuesMap().get('MSP');
    if (value === undefined) throw new Error('no such organisation');
    const outer = msp.MSPConfig.deserializeBinary(value.getValue_asU8());
    const inner = msp.FabricMSPConfig.deserializeBinary(outer.getConfig_asU8());
    inner.setRevocationListList([Buffer.from(crlPem)]);
    outer.setConfig(inner.serializeBinary());
    value.setValue(outer.serializeBinary());
  };
}

describeWithCa('an organisation whose CA is a running fabric-ca-server', () => {
  let consortium: TestConsortium;
  let north: TestFirm;
  let server: FabricCaPeer;
  let authority: CertificateAuthority;
  let admin: EnrolledIdentity;
  let center: Awaited<ReturnType<TestFirm['center']>>;
  let crlFile: string;

  beforeAll(async () => {
    consortium = await startTestConsortium();
    [north] = consortium.firms;
    const { dir, domain } = north.organisation;
    // The server is given the CA that is the root of the organisation's MSP on the channel.
    server = await startFabricCa(program ?? '', {
      folder: join(consortium.folder, 'fabric-ca'),
      ca: { folder: dir, domain },
    });
    authority = certificateAuthority({ url: server.url, tlsRootPem: server.tlsRootPem });
    admin = await authority.enrol(server.admin);
    crlFile = join(consortium.folder, 'north.crl');
    await replaceFile(crlFile, (await authority.revocationList(admin)).pem, 0o644);
    center = await north.center('center', { msp: { rootFiles: [north.rootFile], crlFiles: [crlFile] } });
    await center.start();
  }, 90_000);

  afterAll(async () => {
    await center.stop();
    await server.stop();
    await consortium.stop();
  });

  async function register(fn: string, argument: unknown): Promise<void> {
    await (await north.admin.submit('participants', fn, [JSON.stringify(argument)], { retryable: true })).commit();
  }

  /** Enrols an outlet with the server and makes its certificate known to the register. */
  async function enrolled(enrolmentId: string): Promise<EnrolledIdentity> {
    const secret = await authority.register(admin, { enrolmentId, role: 'client' });
    const identity = await authority.enrol({ enrolmentId, secret });
    const { digest } = certificateFacts(identity.certificatePem, Date.now());
    await register('registerNode', { enrolmentId, kind: 'outlet', certificates: [digest] });
    await caughtUp(consortium, center);
    return identity;
  }

  /** A transaction of the outlet's own: it publishes its encryption key. */
  async function publishKey(identity: EnrolledIdentity): Promise<void> {
    const { mspId } = north;
    const { certificatePem, privateKeyPem } = identity;
    const signer = signingIdentityFromPem({ mspId, certificatePem, privateKeyPem });
    const nowMs = Date.now();
    const statement = signKeyStatement(signer, generateEncryptionKeyPair('P-256'), {
      channel: consortium.channel,
      seq: 1,
      prevKid: null,
      notBeforeMs: nowMs,
      notAfterMs: nowMs + 86_400_000,
    });
    const given = [Buffer.from(statement).toString('base64url')];
    await (await north.ledgerAs(identity).submit('participants', 'publishKey', given)).commit();
  }

  const read = (identity: EnrolledIdentity): Promise<unknown> =>
    north.ledgerAs(identity).evaluate('participants', 'listOrganisations', []);

  async function codeAtCenter({ certificatePem, privateKeyPem }: EnrolledIdentity): Promise<string> {
    const client = new CenterClient(
      `127.0.0.1:${String(center.ports.grpc)}`,
      clientCredentials([north.organisation.gateway.tlsRootCertPem], {
        certificateChainPem: certificatePem,
        privateKeyPem,
      }),
      clientOptions(),
    );
    try {
      await callUnary(client.getPosition.bind(client), {});
      return 'served';
    } catch (error) {
      return (error as { code: string }).code;
    } finally {
      client.close();
    }
  }

  test('its outlet is served by the center and by the channel; revoked, it is refused by the one at once, by the other with the configuration update', async () => {
    const depot = await enrolled('depot');
    const yard = await enrolled('yard');
    expect(await codeAtCenter(depot)).toBe('served');
    await publishKey(depot);

    await authority.revoke(admin, { enrolmentId: 'depot', reason: 'keycompromise' });
    const { pem } = await authority.revocationList(admin);
    await replaceFile(crlFile, pem, 0o644);
    await until(async () => (await codeAtCenter(depot)) === 'certificate-revoked', 5_000);
    expect(await codeAtCenter(yard)).toBe('served');
    // The channel has not heard of it yet.
    await read(depot);

    await consortium.devnet.updateConfig(withList(north.mspId, pem));
    await expect(read(depot)).rejects.toMatchObject({ code: expect.any(String) as unknown });
    await expect(publishKey(depot)).rejects.toMatchObject({ code: expect.any(String) as unknown });
    await read(yard);
    await publishKey(yard);
  }, 60_000);

  test('its outlet goes on anchoring with a renewed certificate, and the old one is retired everywhere', async () => {
    const person = await north.enrol('person', 'client');
    const first = await enrolled('branch');
    const folder = join(consortium.folder, 'branch-identity');
    mkdirSync(folder);
    const use = (identity: EnrolledIdentity): void => {
      writeFileSync(join(folder, identityFiles.certificate), identity.certificatePem);
      writeFileSync(join(folder, identityFiles.privateKey), identity.privateKeyPem, { mode: 0o600 });
    };
    use(first);
    const identity = {
      certificateFile: join(folder, identityFiles.certificate),
      privateKeyFile: join(folder, identityFiles.privateKey),
    };
    const outlet = await north.outlet('branch-files', center, { identity });
    await outlet.start();
    await caughtUp(consortium, center, outlet);
    const submitted = async (eventId: string) => {
      const client = submitClient(north, outlet.ports.grpc, person);
      const [outcome] = await client.submit([{ eventId }]);
      client.close();
      return outcome?.anchored?.evidenceId;
    };
    expect(await submitted('before')).toBe('NorthMSP/branch/1');

    const renewed = await authority.renew(first);
    await writeIdentityFolder(join(consortium.folder, 'branch-renewed'), renewed);
    const digestOf = ({ certificatePem }: EnrolledIdentity) => certificateFacts(certificatePem, Date.now()).digest;
    await register('addCertificate', { enrolmentId: 'branch', certificate: digestOf(renewed) });
    await outlet.stop();
    use(renewed);
    await outlet.start();
    expect(await submitted('after')).toBe('NorthMSP/branch/2');

    await register('revokeCertificate', { enrolmentId: 'branch', certificate: digestOf(first), reason: 'superseded' });
    await authority.revoke(admin, { certificatePem: first.certificatePem, reason: 'superseded' });
    const { pem } = await authority.revocationList(admin);
    await replaceFile(crlFile, pem, 0o644);
    await consortium.devnet.updateConfig(withList(north.mspId, pem));
    await until(async () => (await codeAtCenter(first)) === 'certificate-revoked', 5_000);
    await expect(read(first)).rejects.toMatchObject({ code: expect.any(String) as unknown });
    expect(await submitted('retired')).toBe('NorthMSP/branch/3');
    await outlet.stop();
    expect(readFileSync(identity.certificateFile, 'utf8')).toBe(renewed.certificatePem);
  }, 60_000);
});
