import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDepartment, type DepartmentConfiguration, loadDepartmentConfiguration } from '@waymark/department';
import type { DevnetOrganisation, EnrolledIdentity } from '@waymark/devnet';
import type { IssueParams } from '@waymark/devnet/ca';
import { createEnterprise, type EnterpriseConfiguration, loadEnterpriseConfiguration } from '@waymark/enterprise';
import { connectGateway, type Ledger, privateKeySigner } from '@waymark/fabric';
import { toHex } from '@waymark/protocol';
import { certificateDigest, parseCertificatesPem } from '@waymark/vault';
import { freePort } from './chaincode-process.ts';
import { writeIdentity, writeKeyStore } from './identity-files.ts';
import { type TestService, testService } from './service.ts';

/** The kinds of node that the register knows. */
export type TestNodeKind = 'center' | 'outlet' | 'department' | 'reader' | 'client';

/** An identity with its files. */
export interface TestIdentity extends EnrolledIdentity {
  readonly folder: string;
  readonly certificateFile: string;
  readonly privateKeyFile: string;
  readonly certificateDer: Uint8Array;
  /** SHA-256 of the certificate's DER, lower-case hex. */
  readonly digest: string;
}

/** Values of a configuration that a test sets itself. */
export type Overrides = Readonly<Record<string, unknown>>;

/** One organisation of a test consortium: its people, its center and its outlets. */
export interface TestFirm {
  readonly mspId: string;
  readonly organisation: DevnetOrganisation;
  /** The channel as the organisation's admin. */
  readonly admin: Ledger;
  readonly rootFile: string;
  /** CA of the TLS certificates of all its services. */
  readonly tlsRootFile: string;
  /** Issues an identity without telling the register. */
  issue(params: IssueParams): Promise<TestIdentity>;
  /** Issues an identity and registers it. */
  enrol(enrolmentId: string, kind: TestNodeKind, params?: Partial<IssueParams>): Promise<TestIdentity>;
  register(kind: TestNodeKind, identities: readonly TestIdentity[]): Promise<void>;
  ledgerAs(identity: { readonly certificatePem: string; readonly privateKeyPem: string }): Ledger;
  /** A center that is configured and not started yet. */
  center(name: string, overrides?: Overrides): Promise<TestService<EnterpriseConfiguration>>;
  /** An outlet of that center, which must be running: its ports go into the configuration. */
  outlet(
    name: string,
    center: TestService<EnterpriseConfiguration>,
    overrides?: Overrides,
  ): Promise<TestService<DepartmentConfiguration>>;
  close(): void;
}

/** What a firm is made of. */
export interface FirmParts {
  readonly folder: string;
  readonly channel: string;
  readonly chaincode: string;
  readonly organisation: DevnetOrganisation;
  readonly others: () => readonly { readonly mspId: string; readonly rootFile: string }[];
}

/** Builds one organisation's side of the consortium. */
export async function createFirm(parts: FirmParts): Promise<TestFirm> {
  const { channel, chaincode, organisation } = parts;
  const { mspId, gateway } = organisation;
  const [peer] = organisation.peers;
  if (peer === undefined) throw new Error('the organisation has no peer');
  const folder = join(parts.folder, mspId);
  await mkdir(folder, { recursive: true });
  const indexRoot = randomBytes(32);
  const rootFile = join(organisation.mspDir, 'cacerts', `ca.${organisation.domain}-cert.pem`);
  const tlsFolder = join(organisation.dir, 'peers', peer.hostName, 'tls');
  const ledgers: Ledger[] = [];

  const ledgerAs: TestFirm['ledgerAs'] = ({ certificatePem, privateKeyPem }) => {
    const ledger = connectGateway({
      endpoint: gateway.address,
      tlsRootPem: gateway.tlsRootCertPem,
      identity: { mspId, certificatePem, sign: privateKeySigner(privateKeyPem) },
      channel,
      chaincode,
    });
    ledgers.push(ledger);
    return ledger;
  };
  const admin = ledgerAs(organisation.admin);
  let issued = 0;

  async function issue(params: IssueParams): Promise<TestIdentity> {
    const identity = await organisation.enrol(params);
    issued += 1;
    const place = join(folder, 'identities', `${params.enrolmentId}-${String(issued)}`);
    const files = await writeIdentity(place, identity);
    const [certificate] = parseCertificatesPem(identity.certificatePem);
    if (certificate === undefined) throw new Error('no certificate');
    const certificateDer = certificate.der;
    return {
      ...identity,
      ...files,
      folder: place,
      certificateDer,
      digest: toHex(certificateDigest(certificateDer)),
    };
  }

  async function register(kind: TestNodeKind, identities: readonly TestIdentity[]): Promise<void> {
    const [first] = identities;
    if (first === undefined) return;
    const node = { enrolmentId: first.enrolmentId, kind, certificates: identities.map(({ digest }) => digest) };
    const submitted = await admin.submit('participants', 'registerNode', [JSON.stringify(node)], { retryable: true });
    await submitted.commit();
  }

  async function enrol(
    enrolmentId: string,
    kind: TestNodeKind,
    params: Partial<IssueParams> = {},
  ): Promise<TestIdentity> {
    const identity = await issue({ enrolmentId, role: 'client', ...params });
    await register(kind, [identity]);
    return identity;
  }

  /** What the configurations of center and outlets have in common. */
  async function common(name: string, kind: TestNodeKind): Promise<Record<string, unknown>> {
    const identity = await enrol(name, kind);
    return {
      mspId,
      channel,
      chaincode,
      identity: { certificateFile: identity.certificateFile, privateKeyFile: identity.privateKeyFile },
      msp: { rootFiles: [rootFile] },
      ledger: { endpoint: gateway.address, tlsRootFile: gateway.tlsRootCertPath },
      keyStore: await writeKeyStore(join(folder, name), indexRoot),
      centerIsRecipient: true,
      tls: { certificateFile: join(tlsFolder, 'server.crt'), privateKeyFile: join(tlsFolder, 'server.key') },
      // The same after a restart.
      listen: { grpcPort: await freePort(), apiPort: await freePort(), operationsPort: await freePort() },
      dataFolder: join(folder, name, 'data'),
      logLevel: 'debug',
    };
  }

  /** JSON is YAML. */
  async function write(name: string, configuration: Record<string, unknown>): Promise<string> {
    const file = join(folder, name, 'configuration.yaml');
    await writeFile(file, JSON.stringify(configuration, undefined, 2));
    return file;
  }

  /** The other organisations, without their centers: a test that runs several says where they are. */
  async function writeMembers(name: string): Promise<string> {
    const members = parts.others().map((other) => ({ mspId: other.mspId, rootFiles: [other.rootFile] }));
    const file = join(folder, name, 'members.yaml');
    await writeFile(file, JSON.stringify({ members }));
    return file;
  }

  return {
    mspId,
    organisation,
    admin,
    rootFile,
    tlsRootFile: peer.tlsRootCertPath,
    issue,
    enrol,
    register,
    ledgerAs,
    async center(name, overrides = {}) {
      const file = await write(name, {
        ...(await common(name, 'center')),
        membersFile: await writeMembers(name),
        content: { kind: 'embedded' },
        ...overrides,
      });
      const config = loadEnterpriseConfiguration(file);
      return testService({ name: `${mspId} ${name}`, config, file, compose: createEnterprise });
    },
    async outlet(name, center, overrides = {}) {
      const { grpc, api } = center.ports;
      const file = await write(name, {
        ...(await common(name, 'outlet')),
        centers: [
          {
            endpoint: `127.0.0.1:${String(grpc)}`,
            apiUrl: `https://127.0.0.1:${String(api)}`,
            tlsRootFile: peer.tlsRootCertPath,
          },
        ],
        centerIsRecipient: center.config.centerIsRecipient,
        ...overrides,
      });
      const config = loadDepartmentConfiguration(file);
      return testService({ name: `${mspId} ${name}`, config, file, compose: createDepartment });
    },
    close: () => {
      for (const ledger of ledgers) ledger.close();
    },
  };
}
