import { randomBytes, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { loadOrganisationCa, type OrganisationCa } from '@waymark/devnet/ca';
import { sha256, toHex } from '@waymark/protocol';
import { createReaderKey, type ProfileDocument, readReaderKey } from '@waymark/sdk';
import { createKeyStore, type EncryptionKeyPair, openKeyStore, readPassphrase } from '@waymark/vault';
import { stringify } from 'yaml';
import { serviceContainer } from './docker/container-names.ts';
import {
  type Layout,
  type NodeFolder,
  programOf,
  type ServiceKind,
  type ServiceNode,
  serviceName,
  servicesOfOrganisation,
  users,
} from './layout.ts';
import { ledgerMembers } from './private-ledger.ts';
import { provisionLedger } from './provision-ledger.ts';
import type { OrganisationPlace, Surroundings } from './provision-place.ts';
import type { Topology, TopologyOrganisation } from './topology.ts';
import { writeWhole } from './write-whole.ts';

/** Random passphrases need no stretching; people's do. */
const keyStoreCost = { log2N: 14 };

/** A node as it is to be registered. */
export interface ProvisionedNode {
  readonly organisation: TopologyOrganisation;
  readonly enrolmentId: string;
  /** In the register of the channel. */
  readonly kind: 'center' | 'outlet' | 'department' | 'reader' | 'client';
  readonly certificateDigest: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly encryptionKey: EncryptionKeyPair;
}

/** Makes certificates, key stores and configuration files for every node of every organisation; what is there stays. */
export async function provision(surroundings: Surroundings): Promise<ProvisionedNode[]> {
  const { topology } = surroundings;
  // Roots of all organisations first: every node gets copies of them.
  const cas = await Promise.all(
    topology.organisations.map((organisation) => organisationCa(surroundings, organisation)),
  );
  const all = await Promise.all(
    topology.organisations.map((organisation, index) => {
      const ca = cas[index];
      if (ca === undefined) throw new Error(`no CA for ${organisation.mspId}`);
      return provisionOrganisation(surroundings, organisation, ca);
    }),
  );
  return all.flat();
}

async function organisationCa({ layout }: Surroundings, organisation: TopologyOrganisation): Promise<OrganisationCa> {
  const ca = await loadOrganisationCa(layout.organisationCa(organisation));
  const roots = rootFilesOf(layout, organisation);
  await mkdir(roots.folder, { recursive: true, mode: 0o700 });
  await Promise.all([writeFile(roots.rootFile, ca.rootCertPem), writeFile(roots.tlsRootFile, ca.tlsRootCertPem)]);
  return ca;
}

function rootFilesOf(layout: Layout, { domain }: TopologyOrganisation) {
  const folder = join(layout.root, 'organisations', domain);
  return { folder, rootFile: join(folder, 'msp-root.pem'), tlsRootFile: join(folder, 'tls-root.pem') };
}

async function provisionOrganisation(
  surroundings: Surroundings,
  organisation: TopologyOrganisation,
  ca: OrganisationCa,
): Promise<ProvisionedNode[]> {
  const { topology, layout, gateways } = surroundings;
  const { folder } = rootFilesOf(layout, organisation);
  const indexRoot = await secretIn(join(folder, 'index-root'), 32);
  const hasStandby = ledgerMembers(topology, organisation).length > 0;
  const centerLocalRoot = hasStandby ? await secretIn(join(folder, 'center-local-root'), 32) : undefined;
  const gateway = gateways.get(organisation.mspId);
  if (gateway === undefined) throw new Error(`no gateway for ${organisation.mspId}`);
  const place: OrganisationPlace = { ...surroundings, organisation, ca, indexRoot, centerLocalRoot, gateway };
  const nodes: Node[] = [...servicesOfOrganisation(topology, organisation), ...users];
  // Identities first: members of a private ledger get copies of each other's.
  await Promise.all(nodes.map(({ node }) => issueIdentity(place, node)));
  return Promise.all(nodes.map((node) => provisionNode(place, node)));
}

type Node = Pick<ServiceNode, 'node' | 'kind'> | (typeof users)[number];

async function issueIdentity({ organisation, layout, ca }: OrganisationPlace, node: string): Promise<void> {
  const folder = layout.node(organisation, node);
  await mkdir(folder.data, { recursive: true, mode: 0o700 });
  if (existsSync(folder.certificate)) return;
  const identity = await ca.issue({ enrolmentId: node, role: 'client' });
  await writeSecret(folder.privateKey, identity.privateKeyPem);
  // Last: what has a certificate is complete.
  await writeWhole(folder.certificate, identity.certificatePem);
}

async function provisionNode(place: OrganisationPlace, { node, kind }: Node): Promise<ProvisionedNode> {
  const { organisation, layout } = place;
  const folder = layout.node(organisation, node);
  const isUser = kind === 'reader' || kind === 'client';
  const encryptionKey = isUser ? await provisionEncryptionKey(folder) : await provisionKeyStore(place, kind, folder);
  if (!isUser) await provisionService(place, node, kind, folder);
  await writeProfile(place, kind, folder);
  const certificatePem = await readFile(folder.certificate, 'utf8');
  return {
    organisation,
    enrolmentId: node,
    kind: registeredKind(kind),
    certificatePem,
    privateKeyPem: await readFile(folder.privateKey, 'utf8'),
    certificateDigest: toHex(sha256(new X509Certificate(certificatePem).raw)),
    encryptionKey,
  };
}

function registeredKind(kind: Node['kind']): ProvisionedNode['kind'] {
  if (kind === 'standby') return 'center';
  return kind === 'verifier' ? 'department' : kind;
}

async function provisionKeyStore(
  place: OrganisationPlace,
  kind: ServiceKind,
  folder: NodeFolder,
): Promise<EncryptionKeyPair> {
  if (!existsSync(folder.passphrase))
    await writeSecret(folder.passphrase, `${randomBytes(24).toString('base64url')}\n`);
  const passphrase = readPassphrase({ file: folder.passphrase });
  await mkdir(dirname(folder.keyStore), { recursive: true, mode: 0o700 });
  // A standby opens consignment keys that the center has wrapped.
  const localRoot = programOf(kind) === 'enterprise' ? place.centerLocalRoot : undefined;
  const store = existsSync(folder.keyStore)
    ? await openKeyStore({ file: folder.keyStore, passphrase })
    : await createKeyStore({
        file: folder.keyStore,
        passphrase,
        nowMs: Date.now(),
        indexRoot: place.indexRoot,
        ...(localRoot === undefined ? {} : { localRoot }),
        cost: keyStoreCost,
      });
  return store.encryptionKey;
}

function provisionEncryptionKey(folder: NodeFolder): Promise<EncryptionKeyPair> {
  return existsSync(folder.encryptionKey) ? readReaderKey(folder.encryptionKey) : createReaderKey(folder.encryptionKey);
}

/** The folder of a service holds all it needs, and names it by relative paths: it may be mounted anywhere. */
async function provisionService(
  place: OrganisationPlace,
  node: string,
  kind: ServiceKind,
  folder: NodeFolder,
): Promise<void> {
  const { topology, organisation, ports, hosting, ca, gateway } = place;
  const hostName = `${node}.${organisation.domain}`;
  const serviceHost = serviceContainer({ organisation, node, kind });
  if (!existsSync(folder.tlsCertificate)) {
    const tls = await ca.issueTls({ commonName: hostName, sans: [hostName, serviceHost] });
    await writeFile(folder.tlsCertificate, tls.certificatePem);
    await writeSecret(folder.tlsPrivateKey, tls.privateKeyPem);
  }
  const own = ports.services[serviceName(organisation, node)];
  if (own === undefined) throw new Error(`no ports for ${node}`);
  const trust = await copyTrust(place, folder);
  const within = (path: string): string => relative(folder.dir, path);
  const common = {
    mspId: organisation.mspId,
    channel: topology.channel,
    chaincode: topology.chaincode.name,
    identity: { certificateFile: within(folder.certificate), privateKeyFile: within(folder.privateKey) },
    msp: { rootFiles: [within(trust.rootFile)] },
    ledger: { endpoint: hosting.address(gateway.hostName, gateway.port), tlsRootFile: within(trust.gatewayRootFile) },
    keyStore: { file: within(folder.keyStore), passphraseFile: within(folder.passphrase) },
    centerIsRecipient: organisation.centerIsRecipient,
    tls: { certificateFile: within(folder.tlsCertificate), privateKeyFile: within(folder.tlsPrivateKey) },
    listen: { host: hosting.listenHost, operationsHost: hosting.listenHost, ...own },
    dataFolder: within(folder.data),
    logLevel: 'info',
  };
  const sections =
    programOf(kind) === 'enterprise'
      ? await centerSections(place, folder)
      : departmentSections(place, kind, within(trust.tlsRootFile));
  const privateLedger = await provisionLedger(place, node, folder);
  await writeWhole(folder.configuration, stringify({ ...common, ...sections, ...privateLedger }));
}

interface TrustFiles {
  readonly rootFile: string;
  readonly tlsRootFile: string;
  readonly gatewayRootFile: string;
}

/** Certificates only: who signed what this node meets. */
async function copyTrust(place: OrganisationPlace, folder: NodeFolder): Promise<TrustFiles> {
  const { layout, organisation, gateway } = place;
  await mkdir(folder.trust, { recursive: true, mode: 0o700 });
  const own = rootFilesOf(layout, organisation);
  const files = {
    rootFile: join(folder.trust, 'msp-root.pem'),
    tlsRootFile: join(folder.trust, 'tls-root.pem'),
    gatewayRootFile: join(folder.trust, 'gateway-tls-root.pem'),
  };
  await Promise.all([
    copyFile(own.rootFile, files.rootFile),
    copyFile(own.tlsRootFile, files.tlsRootFile),
    copyFile(gateway.tlsRootFile, files.gatewayRootFile),
  ]);
  return files;
}

/** Whom a department hands its batches to; a verifier has none of its own. */
function departmentSections(place: OrganisationPlace, kind: ServiceKind, tlsRootFile: string): object {
  const { topology, organisation } = place;
  return {
    centers: centersOf(topology, organisation).map((node) => ({
      ...servicePlace(place, organisation, node),
      tlsRootFile,
      enrolmentId: node,
    })),
    ...(kind === 'verifier' ? { role: 'verifier' } : {}),
  };
}

/** The nodes that can be in office, the center first. */
function centersOf(topology: Topology, organisation: TopologyOrganisation): string[] {
  return servicesOfOrganisation(topology, organisation)
    .filter(({ kind }) => programOf(kind) === 'enterprise')
    .map(({ node }) => node);
}

/** What only a center has: its content store, and whom it exchanges content with. */
async function centerSections(place: OrganisationPlace, folder: NodeFolder): Promise<object> {
  const { topology, organisation, layout } = place;
  const others = topology.organisations.filter(({ mspId }) => mspId !== organisation.mspId);
  const members = await Promise.all(
    others.map(async (other) => {
      const roots = rootFilesOf(layout, other);
      const rootFile = join(folder.trust, `${other.mspId}-msp-root.pem`);
      const tlsRootFile = join(folder.trust, `${other.mspId}-tls-root.pem`);
      await Promise.all([copyFile(roots.rootFile, rootFile), copyFile(roots.tlsRootFile, tlsRootFile)]);
      const [center, ...standbys] = centersOf(topology, other).map((node) => servicePlace(place, other, node).apiUrl);
      const within = (path: string): string => relative(folder.dir, path);
      return {
        mspId: other.mspId,
        rootFiles: [within(rootFile)],
        center: {
          apiUrl: center,
          tlsRootFile: within(tlsRootFile),
          standbys: standbys.map((apiUrl) => ({ apiUrl, tlsRootFile: within(tlsRootFile) })),
        },
      };
    }),
  );
  await writeWhole(folder.members, stringify({ members }));
  return {
    content: await contentSection(place, folder),
    membersFile: relative(folder.dir, folder.members),
    pins: place.topology.content,
  };
}

async function contentSection({ contentOf, organisation }: OrganisationPlace, folder: NodeFolder): Promise<object> {
  const section = contentOf(organisation.mspId);
  if (section.kind === 'embedded') return section;
  const { secretFile, ...rest } = section;
  await writeSecret(folder.contentSecret, await readFile(secretFile, 'utf8'));
  return { ...rest, authorizationFile: relative(folder.dir, folder.contentSecret) };
}

/** Where a center or its standby is, as other nodes reach it. */
function servicePlace(
  { ports, hosting }: Surroundings,
  organisation: TopologyOrganisation,
  node: string,
): { readonly endpoint: string; readonly apiUrl: string } {
  const own = ports.services[serviceName(organisation, node)];
  if (own === undefined) throw new Error(`no ports for ${node} of ${organisation.mspId}`);
  const hostName = `${node}.${organisation.domain}`;
  return {
    endpoint: hosting.address(hostName, own.grpcPort),
    apiUrl: `https://${hosting.address(hostName, own.apiPort)}`,
  };
}

/** What the SDK and the `waymark` command need to act as this node. */
async function writeProfile(place: OrganisationPlace, kind: Node['kind'], folder: NodeFolder): Promise<void> {
  const { topology, organisation, ports, gateway, layout } = place;
  const { tlsRootFile } = rootFilesOf(layout, organisation);
  const [outlet] = organisation.outlets;
  const outletPorts = outlet === undefined ? undefined : ports.services[serviceName(organisation, outlet.name)];
  const centerPorts = ports.services[serviceName(organisation, 'center')];
  if (outletPorts === undefined || centerPorts === undefined) throw new Error(`no outlet in ${organisation.mspId}`);
  const apiOf = (apiPort: number) => ({ url: `https://127.0.0.1:${apiPort}`, tlsRootFile });
  const standbys = centersOf(topology, organisation)
    .slice(1)
    .flatMap((node) => ports.services[serviceName(organisation, node)] ?? [])
    .map(({ apiPort }) => apiOf(apiPort));
  const profile: ProfileDocument = {
    mspId: organisation.mspId,
    channel: topology.channel,
    chaincode: topology.chaincode.name,
    identity: { certificateFile: folder.certificate, privateKeyFile: folder.privateKey },
    organisations: Object.fromEntries(
      topology.organisations.map(({ mspId, domain }) => [
        mspId,
        { rootFiles: [join(layout.root, 'organisations', domain, 'msp-root.pem')] },
      ]),
    ),
    gateway: { endpoint: gateway.endpoint, tlsRootFile: gateway.tlsRootFile },
    outlet: { endpoint: `127.0.0.1:${outletPorts.grpcPort}`, tlsRootFile },
    // A client's external queries go through the center; everybody else reads at the outlet.
    api: kind === 'client' ? { ...apiOf(centerPorts.apiPort), standbys } : apiOf(outletPorts.apiPort),
    encryptionKeyFile: folder.encryptionKey,
  };
  await writeFile(folder.profile, stringify(profile));
}

async function writeSecret(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
}

async function secretIn(path: string, sizeBytes: number): Promise<Uint8Array> {
  if (!existsSync(path)) await writeSecret(path, randomBytes(sizeBytes).toString('hex'));
  return Buffer.from(await readFile(path, 'utf8'), 'hex');
}
