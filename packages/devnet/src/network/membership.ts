import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { msp } from '@hyperledger/fabric-protos';
import {
  createOrganisationCa,
  loadOrganisationCa,
  writeTlsFolder,
  type IssueParams,
  type IssuedIdentity,
  type IssuedTls,
  type OrganisationCa,
} from '../ca/index.ts';
import { DevnetError } from '../errors.ts';
import { buildMspConfig } from '../msp/fabric-msp-config.ts';
import { createSigningIdentity } from '../msp/signing-identity.ts';
import type { NodeRole, SigningIdentity } from '../msp/msp.ts';
import type { DataFolder } from './data-folder.ts';
import type { Topology, TopologyOrganisation } from './topology.ts';

/** Certificates and keys of one peer or orderer. */
export interface NodeMembership {
  readonly name: string;
  readonly hostName: string;
  readonly dir: string;
  readonly identity: SigningIdentity;
  readonly tls: IssuedTls;
}

/** An identity with its MSP folder. */
export interface EnrolledIdentity extends IssuedIdentity {
  /** An MSP folder as Fabric's CLI takes it. */
  readonly mspDir: string;
}

/** One organisation's CAs, nodes and users on disk, in the layout of Fabric's cryptogen. */
export interface Membership {
  readonly mspId: string;
  readonly domain: string;
  readonly dir: string;
  readonly ca: OrganisationCa;
  readonly nodes: readonly NodeMembership[];
  readonly admin: EnrolledIdentity;
  readonly user: EnrolledIdentity;
  /** Issues an identity and writes its MSP folder under `users/`. */
  enrol(params: IssueParams): Promise<EnrolledIdentity>;
  /** Puts a certificate on the organisation's revocation list; gives the MSP to be put into the channel. */
  revoke(certificatePem: string): Promise<msp.MSPConfig>;
}

/** All organisations of a network. */
export interface Memberships {
  readonly orderer: Membership;
  readonly organisations: readonly Membership[];
}

export interface MembershipParams {
  readonly dir: string;
  readonly mspId: string;
  readonly domain: string;
  /** `peers` or `orderers`: role of the nodes and name of their folder. */
  readonly kind: 'peer' | 'orderer';
  readonly nodeNames: readonly string[];
  /** Address the nodes listen on, besides their host names. */
  readonly host: string;
}

/** All organisations: those that the folder has are read, the others made. Throws DevnetError MSP_INVALID. */
export async function openMemberships(folder: DataFolder, topology: Topology): Promise<Memberships> {
  const { host, orderer } = topology;
  const ordererParams = {
    dir: folder.path('orderer'),
    ...orderer,
    kind: 'orderer' as const,
    nodeNames: [orderer.name],
    host,
  };
  const [ordererMembership, ...organisations] = await Promise.all([
    folder.stored === undefined ? createMembership(ordererParams) : loadMembership(ordererParams),
    ...topology.organisations.map((organisation) => openMembership(folder, organisation, host)),
  ]);
  return { orderer: ordererMembership, organisations };
}

/** One organisation with peers: read when the folder has it, else made. Throws DevnetError MSP_INVALID. */
export async function openMembership(
  folder: DataFolder,
  { mspId, domain, peers }: TopologyOrganisation,
  host: string,
): Promise<Membership> {
  const dir = folder.path('organisations', domain);
  const params = { dir, mspId, domain, kind: 'peer' as const, nodeNames: peers.map(({ name }) => name), host };
  if (folder.stored?.organisations.some((stored) => stored.mspId === mspId) === true) return loadMembership(params);
  // What an addition left that was interrupted before the folder knew of it.
  await rm(dir, { recursive: true, force: true });
  return createMembership(params);
}

/** Makes everything anew. */
async function createMembership(params: MembershipParams): Promise<Membership> {
  const { dir, mspId, domain } = params;
  const ca = await createOrganisationCa({ mspId, domain });
  await Promise.all([ca.save(dir), ca.writeMspFolder(join(dir, 'msp'))]);
  const nodes = Promise.all(params.nodeNames.map((name) => createNode(params, ca, name)));
  const admin = enrolIn(dir, ca, { enrolmentId: `Admin@${domain}`, role: 'admin' });
  const user = enrolIn(dir, ca, { enrolmentId: `User1@${domain}`, role: 'client' });
  return build(params, ca, await nodes, await admin, await user);
}

/** Reads what `createMembership` wrote. Throws DevnetError MSP_INVALID when something is missing. */
async function loadMembership(params: MembershipParams): Promise<Membership> {
  const { dir, mspId, domain } = params;
  const ca = await loadOrganisationCa(dir);
  const nodes = await Promise.all(params.nodeNames.map((name) => loadNode(params, name)));
  const admin = await loadIdentity(dir, mspId, `Admin@${domain}`, 'admin');
  const user = await loadIdentity(dir, mspId, `User1@${domain}`, 'client');
  return build(params, ca, nodes, admin, user);
}

function build(
  { dir, mspId, domain }: MembershipParams,
  ca: OrganisationCa,
  nodes: readonly NodeMembership[],
  admin: EnrolledIdentity,
  user: EnrolledIdentity,
): Membership {
  return {
    mspId,
    domain,
    dir,
    ca,
    nodes,
    admin,
    user,
    enrol: (issue) => enrolIn(dir, ca, issue),
    revoke: (pem) => revokeIn(dir, ca, pem),
  };
}

async function revokeIn(dir: string, ca: OrganisationCa, certificatePem: string): Promise<msp.MSPConfig> {
  ca.revoke(certificatePem);
  await ca.save(dir);
  const crlPem = await ca.crlPem();
  return buildMspConfig({
    mspId: ca.mspId,
    rootCertsPem: [ca.rootCertPem],
    tlsRootCertsPem: [ca.tlsRootCertPem],
    crlsPem: crlPem === undefined ? [] : [crlPem],
  });
}

async function createNode(params: MembershipParams, ca: OrganisationCa, name: string): Promise<NodeMembership> {
  const { hostName, dir } = nodePlace(params, name);
  const [identity, tls] = await Promise.all([
    ca.issue({ enrolmentId: hostName, role: params.kind }),
    ca.issueTls({ commonName: hostName, sans: [hostName, name, params.host] }),
  ]);
  await Promise.all([ca.writeMspFolder(join(dir, 'msp'), identity), writeTlsFolder(join(dir, 'tls'), tls, 'server')]);
  return { name, hostName, dir, identity: createSigningIdentity(identity), tls };
}

async function loadNode(params: MembershipParams, name: string): Promise<NodeMembership> {
  const { hostName, dir } = nodePlace(params, name);
  const [issued, certificatePem, privateKeyPem, rootCertPem] = await Promise.all([
    readMspFolder(join(dir, 'msp')),
    readPem(join(dir, 'tls', 'server.crt')),
    readPem(join(dir, 'tls', 'server.key')),
    readPem(join(dir, 'tls', 'ca.crt')),
  ]);
  return {
    name,
    hostName,
    dir,
    identity: createSigningIdentity({ mspId: params.mspId, ...issued }),
    tls: { certificatePem, privateKeyPem, rootCertPem },
  };
}

function nodePlace(params: MembershipParams, name: string): { hostName: string; dir: string } {
  const hostName = `${name}.${params.domain}`;
  return { hostName, dir: join(params.dir, `${params.kind}s`, hostName) };
}

async function enrolIn(dir: string, ca: OrganisationCa, issue: IssueParams): Promise<EnrolledIdentity> {
  const identity = await ca.issue(issue);
  const mspDir = join(dir, 'users', issue.enrolmentId, 'msp');
  await ca.writeMspFolder(mspDir, identity);
  return { ...identity, mspDir };
}

async function loadIdentity(
  dir: string,
  mspId: string,
  enrolmentId: string,
  role: NodeRole,
): Promise<EnrolledIdentity> {
  const mspDir = join(dir, 'users', enrolmentId, 'msp');
  return { mspId, enrolmentId, role, mspDir, ...(await readMspFolder(mspDir)) };
}

async function readMspFolder(dir: string): Promise<{ certificatePem: string; privateKeyPem: string }> {
  const names = await readdir(join(dir, 'signcerts')).catch(() => []);
  const [name] = names;
  if (name === undefined) throw new DevnetError('MSP_INVALID', `no certificate in ${dir}/signcerts`);
  return {
    certificatePem: await readPem(join(dir, 'signcerts', name)),
    privateKeyPem: await readPem(join(dir, 'keystore', 'priv_sk')),
  };
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new DevnetError('MSP_INVALID', `cannot read ${path}`, { cause });
  }
}
