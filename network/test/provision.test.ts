import { X509Certificate } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOrganisationCa } from '@waymark/devnet/ca';
import { openKeyStore, readPassphrase } from '@waymark/vault';
import { parse } from 'yaml';
import type { Hosting } from '../src/hosting/hosting.ts';
import { type Layout, layoutOf, type NodeFolder, type PortPlan } from '../src/layout.ts';
import { ledgerRegistration } from '../src/ledger-registration.ts';
import { planPorts } from '../src/port-plan.ts';
import { provision, type ProvisionedNode } from '../src/provision.ts';
import type { Topology, TopologyOrganisation } from '../src/topology.ts';
import { ledgerTopology } from './example-topology.ts';

/** As containers find each other. */
const hosting: Hosting = {
  advertise: 'host-name',
  listenHost: '0.0.0.0',
  address: (hostName, port) => `${hostName}:${port}`,
  startService: () => Promise.reject(new Error('nothing is started here')),
  startChaincode: () => Promise.reject(new Error('nothing is started here')),
};

describe('provisioning an organisation with a private ledger', () => {
  const topology: Topology = ledgerTopology({ members: 5 }, ['depot']);
  const [organisation] = topology.organisations as [TopologyOrganisation];
  const memberNodes = ['center', 'standby', 'depot', 'audit-office', 'archive'];
  let root: string;
  let layout: Layout;
  let ports: PortPlan;
  let nodes: ProvisionedNode[];
  const provisionNow = (): Promise<ProvisionedNode[]> => {
    const gateway = { endpoint: '127.0.0.1:7051', hostName: 'leader.firm0.example', port: 7051 };
    const tlsRootFile = join(layout.organisationCa(organisation), 'gateway.pem');
    return provision({
      topology,
      layout,
      ports,
      hosting,
      gateways: new Map([[organisation.mspId, { ...gateway, tlsRootFile }]]),
      contentOf: () => ({ kind: 'embedded' }),
    });
  };
  const folderOf = (node: string): NodeFolder => layout.node(organisation, node);
  const configurationOf = async (node: string): Promise<Record<string, unknown>> =>
    parse(await readFile(folderOf(node).configuration, 'utf8')) as Record<string, unknown>;
  const storeOf = (node: string) => {
    const { keyStore, passphrase } = folderOf(node);
    return openKeyStore({ file: keyStore, passphrase: readPassphrase({ file: passphrase }) });
  };

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'waymark-provision-'));
    layout = layoutOf(root);
    const caFolder = layout.organisationCa(organisation);
    await mkdir(caFolder, { recursive: true });
    const ca = await createOrganisationCa({ mspId: organisation.mspId, domain: organisation.domain });
    await ca.save(caFolder);
    await writeFile(join(caFolder, 'gateway.pem'), ca.tlsRootCertPem);
    ports = await planPorts(topology, layout, 'embedded');
    nodes = await provisionNow();
  });
  afterAll(async () => {
    await rm(root, { recursive: true });
  });

  test('a standby is a center in the register, a verifier a department, and each has an identity of its own', () => {
    expect(nodes.map(({ enrolmentId, kind }) => [enrolmentId, kind])).toEqual([
      ['center', 'center'],
      ['depot', 'outlet'],
      ['standby', 'center'],
      ['audit-office', 'department'],
      ['archive', 'department'],
      ['reader', 'reader'],
      ['client', 'client'],
    ]);
    expect(new Set(nodes.map(({ certificateDigest }) => certificateDigest)).size).toBe(nodes.length);
    expect(new Set(nodes.map(({ encryptionKey }) => encryptionKey.kid)).size).toBe(nodes.length);
  });

  test('a standby opens what the center has wrapped; nobody else does, and nothing else of theirs is the same', async () => {
    const [center, standby, verifier, outlet] = await Promise.all(
      ['center', 'standby', 'audit-office', 'depot'].map((node) => storeOf(node)),
    );
    if (center === undefined || standby === undefined || verifier === undefined || outlet === undefined)
      throw new Error('no key store');
    const key = Buffer.alloc(32, 7);
    const binding = { channel: 'waymark', msp: organisation.mspId, consignmentOid: Buffer.alloc(16, 1), epoch: 0 };
    const wrapped = center.localWrap.wrapLocal(key, binding);
    expect(Buffer.from(standby.localWrap.unwrapLocal(wrapped, binding))).toEqual(key);
    for (const other of [verifier, outlet])
      expect(() => other.localWrap.unwrapLocal(wrapped, binding)).toThrow('does not open');
    // Look-up tokens and the ledger's blocks are the whole firm's.
    for (const other of [standby, verifier, outlet]) {
      expect(other.indexRoot.equals(center.indexRoot)).toBe(true);
      expect(other.outletSecret.equals(center.outletSecret)).toBe(false);
      expect(other.encryptionKey.kid).not.toBe(center.encryptionKey.kid);
    }
  });

  test('every member has the same first configuration, and knows all members by where they are and what they sign with', async () => {
    for (const node of memberNodes) {
      const { dir, ledger } = folderOf(node);
      expect((await configurationOf(node))['privateLedger']).toEqual({
        configurationFile: 'ledger/configuration.json',
        membersFile: 'ledger/members.yaml',
        audit: { kinds: ['carrier'] },
      });
      expect(JSON.parse(await readFile(join(dir, 'ledger', 'configuration.json'), 'utf8'))).toMatchObject({
        epoch: 1,
        members: memberNodes.toSorted(),
        eligible: ['center', 'standby'],
      });
      const { members } = parse(await readFile(ledger.members, 'utf8')) as {
        members: { id: string; endpoint: string; tlsRootFile: string; certificateFiles: string[] }[];
      };
      const portOf = (id: string) => ports.services[`${organisation.domain}-${id}`]?.grpcPort;
      expect(members.map(({ id, endpoint }) => [id, endpoint])).toEqual(
        memberNodes.map((id) => [
          id,
          // An outlet's peer has the plain name.
          `${id === 'depot' ? 'outlet.' : ''}${id}.${organisation.domain}:${portOf(id)}`,
        ]),
      );
      for (const { id, tlsRootFile, certificateFiles } of members) {
        const read = (file: string) => readFile(join(ledger.dir, file), 'utf8');
        expect(await Promise.all(certificateFiles.map(read))).toEqual([
          nodes.find(({ enrolmentId }) => enrolmentId === id)?.certificatePem,
        ]);
        const tls = new X509Certificate(await readFile(folderOf(id).tlsCertificate, 'utf8'));
        expect(tls.verify(new X509Certificate(await read(tlsRootFile)).publicKey)).toBe(true);
        const [host] = members.find((member) => member.id === id)?.endpoint.split(':') ?? [];
        expect(tls.checkHost(host ?? '')).toBe(host);
      }
    }
  });

  test('departments know the center and its standby; a verifier takes no records', async () => {
    const outlet = await configurationOf('depot');
    const verifier = await configurationOf('archive');
    const centers = ['center', 'standby'].map((node) => ({
      endpoint: `${node}.${organisation.domain}:${ports.services[`${organisation.domain}-${node}`]?.grpcPort}`,
      apiUrl: `https://${node}.${organisation.domain}:${ports.services[`${organisation.domain}-${node}`]?.apiPort}`,
      tlsRootFile: 'trust/tls-root.pem',
      enrolmentId: node,
    }));
    expect(outlet).toMatchObject({ centers });
    expect(outlet).not.toHaveProperty('role');
    expect(verifier).toMatchObject({ centers, role: 'verifier' });
    const { content, pins, membersFile } = await configurationOf('standby');
    expect(await configurationOf('center')).toMatchObject({ content, pins, membersFile });
  });

  test('no file of a member names a place outside its folder, and no secret can be read by others', async () => {
    for (const node of memberNodes) {
      const { dir } = folderOf(node);
      for (const name of await readdir(dir, { recursive: true })) {
        const path = join(dir, name);
        const { mode } = await stat(path);
        if (/private-key|passphrase|key-store/.test(name)) expect([name, mode & 0o077]).toEqual([name, 0]);
        if (/configuration\.|members\.yaml/.test(name)) expect(await readFile(path, 'utf8')).not.toContain(root);
      }
    }
  });

  test('is registered with the certificates of its members', () => {
    const registration = ledgerRegistration(topology, organisation, nodes);
    expect(registration).toMatchObject({
      configuration: {
        epoch: 1,
        members: memberNodes.toSorted(),
        learners: [],
        eligible: ['center', 'standby'],
        colluding: 0,
      },
      inclusionBlocks: 64,
    });
    const subjects = registration?.certificates.map(
      (der) => /CN=([^\n,]+)/.exec(new X509Certificate(Buffer.from(der, 'base64url')).subject)?.[1],
    );
    expect(subjects).toEqual(memberNodes);
    expect(ledgerRegistration(topology, organisation, nodes.slice(1))).toBeUndefined();
  });

  test('once more it changes nothing, not even members that came later', async () => {
    const before = join(root, 'before');
    await writeFile(folderOf('depot').ledger.members, 'members: []\n');
    await cp(join(root, 'organisations'), before, { recursive: true });
    expect(await provisionNow()).toMatchObject(
      nodes.map(({ enrolmentId, certificateDigest }) => ({ enrolmentId, certificateDigest })),
    );
    for (const name of await readdir(before, { recursive: true })) {
      if (!(await stat(join(before, name))).isFile()) continue;
      const [now, then] = await Promise.all(
        [join(root, 'organisations'), before].map((folder) => readFile(join(folder, name))),
      );
      expect([name, now?.equals(then ?? Buffer.alloc(0))]).toEqual([name, true]);
    }
  });
});
