import { randomBytes, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadOrganisationCa, type OrganisationCa } from '@waymark/devnet/ca';
import { sha256, toHex } from '@waymark/protocol';
import { createReaderKey, type ProfileDocument, readReaderKey } from '@waymark/sdk';
import { createKeyStore, type EncryptionKeyPair, openKeyStore, readPassphrase } from '@waymark/vault';
import { stringify } from 'yaml';
import { type Layout, type NodeFolder, type PortPlan, serviceName, users } from './layout.ts';
import type { Topology, TopologyOrganisation } from './topology.ts';

/** Random passphrases need no stretching; people's do. */
const keyStoreCost = { log2N: 14 };

/** A node as it is to be registered. */
export interface ProvisionedNode {
  readonly organisation: TopologyOrganisation;
  readonly enrolmentId: string;
  readonly kind: 'center' | 'outlet' | 'reader' | 'client';
  readonly certificateDigest: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly encryptionKey: EncryptionKeyPair;
}

/** How a gateway of the channel is reached. */
export interface GatewayPlace {
  readonly endpoint: string;
  readonly tlsRootFile: string;
}

/** Makes certificates, key stores and configuration files for every node of every organisation; what is there stays. */
export async function provision(
  topology: Topology,
  layout: Layout,
  ports: PortPlan,
  gateways: ReadonlyMap<string, GatewayPlace>,
): Promise<ProvisionedNode[]> {
  const all = await Promise.all(
    topology.organisations.map((organisation) =>
      provisionOrganisation(topology, organisation, layout, ports, gateways),
    ),
  );
  return all.flat();
}

async function provisionOrganisation(
  topology: Topology,
  organisation: TopologyOrganisation,
  layout: Layout,
  ports: PortPlan,
  gateways: ReadonlyMap<string, GatewayPlace>,
): Promise<ProvisionedNode[]> {
  const caFolder = layout.organisationCa(organisation);
  const ca = await loadOrganisationCa(caFolder);
  const folder = join(layout.root, 'organisations', organisation.domain);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const msp = { rootFile: join(folder, 'msp-root.pem'), tlsRootFile: join(folder, 'tls-root.pem') };
  await Promise.all([writeFile(msp.rootFile, ca.rootCertPem), writeFile(msp.tlsRootFile, ca.tlsRootCertPem)]);
  const indexRoot = await secretIn(join(folder, 'index-root'), 32);
  const gateway = gateways.get(organisation.mspId);
  if (gateway === undefined) throw new Error(`no gateway for ${organisation.mspId}`);
  const place: OrganisationPlace = { topology, organisation, layout, ports, ca, msp, indexRoot, gateway };
  const nodes = [
    { node: 'center', kind: 'center' as const },
    ...organisation.outlets.map(({ name }) => ({ node: name, kind: 'outlet' as const })),
    ...users,
  ];
  return Promise.all(nodes.map(({ node, kind }) => provisionNode(place, node, kind)));
}

interface OrganisationPlace {
  readonly topology: Topology;
  readonly organisation: TopologyOrganisation;
  readonly layout: Layout;
  readonly ports: PortPlan;
  readonly ca: OrganisationCa;
  readonly msp: { readonly rootFile: string; readonly tlsRootFile: string };
  readonly indexRoot: Uint8Array;
  readonly gateway: GatewayPlace;
}

async function provisionNode(
  place: OrganisationPlace,
  node: string,
  kind: ProvisionedNode['kind'],
): Promise<ProvisionedNode> {
  const { organisation, layout, ca } = place;
  const folder = layout.node(organisation, node);
  await mkdir(folder.data, { recursive: true, mode: 0o700 });
  const enrolmentId = node;
  if (!existsSync(folder.configuration) && !existsSync(folder.profile)) {
    const identity = await ca.issue({ enrolmentId, role: 'client' });
    await writeFile(folder.certificate, identity.certificatePem);
    await writeSecret(folder.privateKey, identity.privateKeyPem);
  }
  const isService = kind === 'center' || kind === 'outlet';
  const encryptionKey = isService ? await provisionKeyStore(place, folder) : await provisionEncryptionKey(folder);
  if (isService) await provisionService(place, node, kind, folder);
  await writeProfile(place, kind, folder);
  const certificatePem = await readFile(folder.certificate, 'utf8');
  return {
    organisation,
    enrolmentId,
    kind,
    certificatePem,
    privateKeyPem: await readFile(folder.privateKey, 'utf8'),
    certificateDigest: toHex(sha256(new X509Certificate(certificatePem).raw)),
    encryptionKey,
  };
}

async function provisionKeyStore(place: OrganisationPlace, folder: NodeFolder): Promise<EncryptionKeyPair> {
  if (!existsSync(folder.passphrase))
    await writeSecret(folder.passphrase, `${randomBytes(24).toString('base64url')}\n`);
  const passphrase = readPassphrase({ file: folder.passphrase });
  const store = existsSync(folder.keyStore)
    ? await openKeyStore({ file: folder.keyStore, passphrase })
    : await createKeyStore({
        file: folder.keyStore,
        passphrase,
        nowMs: Date.now(),
        indexRoot: place.indexRoot,
        cost: keyStoreCost,
      });
  return store.encryptionKey;
}

function provisionEncryptionKey(folder: NodeFolder): Promise<EncryptionKeyPair> {
  return existsSync(folder.encryptionKey) ? readReaderKey(folder.encryptionKey) : createReaderKey(folder.encryptionKey);
}

async function provisionService(
  place: OrganisationPlace,
  node: string,
  kind: 'center' | 'outlet',
  folder: NodeFolder,
): Promise<void> {
  const { topology, organisation, ports, ca, msp, gateway } = place;
  if (!existsSync(folder.tlsCertificate)) {
    const tls = await ca.issueTls({
      commonName: `${node}.${organisation.domain}`,
      sans: [`${node}.${organisation.domain}`],
    });
    await writeFile(folder.tlsCertificate, tls.certificatePem);
    await writeSecret(folder.tlsPrivateKey, tls.privateKeyPem);
  }
  const own = ports.services[serviceName(organisation, node)];
  const center = ports.services[serviceName(organisation, 'center')];
  if (own === undefined || center === undefined) throw new Error(`no ports for ${node}`);
  const common = {
    mspId: organisation.mspId,
    channel: topology.channel,
    chaincode: topology.chaincode.name,
    identity: { certificateFile: folder.certificate, privateKeyFile: folder.privateKey },
    msp: { rootFiles: [msp.rootFile] },
    ledger: { endpoint: gateway.endpoint, tlsRootFile: gateway.tlsRootFile },
    keyStore: { file: folder.keyStore, passphraseFile: folder.passphrase },
    centerIsRecipient: organisation.centerIsRecipient,
    tls: { certificateFile: folder.tlsCertificate, privateKeyFile: folder.tlsPrivateKey },
    listen: { host: '127.0.0.1', ...own },
    dataFolder: folder.data,
    logLevel: 'info',
  };
  const configuration =
    kind === 'center'
      ? { ...common, content: { kind: 'embedded' } }
      : {
          ...common,
          center: {
            endpoint: `127.0.0.1:${center.grpcPort}`,
            apiUrl: `https://127.0.0.1:${center.apiPort}`,
            tlsRootFile: msp.tlsRootFile,
          },
        };
  await writeFile(folder.configuration, stringify(configuration));
}

/** What the SDK and the `waymark` command need to act as this node. */
async function writeProfile(
  place: OrganisationPlace,
  kind: ProvisionedNode['kind'],
  folder: NodeFolder,
): Promise<void> {
  const { topology, organisation, ports, msp, gateway, layout } = place;
  const [outlet] = organisation.outlets;
  const outletPorts = outlet === undefined ? undefined : ports.services[serviceName(organisation, outlet.name)];
  const centerPorts = ports.services[serviceName(organisation, 'center')];
  if (outletPorts === undefined || centerPorts === undefined) throw new Error(`no outlet in ${organisation.mspId}`);
  const servicePorts = kind === 'client' ? centerPorts : outletPorts;
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
    outlet: { endpoint: `127.0.0.1:${outletPorts.grpcPort}`, tlsRootFile: msp.tlsRootFile },
    // A client's external queries go through the center; everybody else reads at the outlet.
    api: { url: `https://127.0.0.1:${servicePorts.apiPort}`, tlsRootFile: msp.tlsRootFile },
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
