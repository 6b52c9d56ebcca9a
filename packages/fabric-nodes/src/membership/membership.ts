import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  createOrganisationCa,
  loadOrganisationCa,
  writeTlsFolder,
  type IssuedTls,
  type OrganisationCa,
} from '@waymark/devnet/ca';

const CA_DESCRIPTION = 'organisation.json';

/** A certificate with its key, and the MSP folder that Fabric's programs take. */
export interface Member {
  readonly mspId: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly mspDir: string;
}

/** A peer or orderer: its identity, and its folder with `msp` and `tls`. */
export interface NodeMember {
  readonly kind: 'peer' | 'orderer';
  readonly mspId: string;
  readonly name: string;
  readonly hostName: string;
  readonly dir: string;
  readonly identity: Member;
  readonly tls: IssuedTls;
}

/** One organisation's certificates on disk, in the layout of Fabric's cryptogen. */
export interface Membership {
  readonly mspId: string;
  readonly domain: string;
  readonly dir: string;
  readonly ca: OrganisationCa;
  readonly peers: readonly NodeMember[];
  readonly orderers: readonly NodeMember[];
  readonly admin: Member;
  readonly user: Member;
}

export interface MembershipPlan {
  readonly dir: string;
  readonly mspId: string;
  readonly domain: string;
  /** First labels of host names. */
  readonly peers: readonly string[];
  readonly orderers: readonly string[];
}

/** Makes what is not there yet; what is there stays as it is. */
export async function openMembership(plan: MembershipPlan): Promise<Membership> {
  const { dir, mspId, domain } = plan;
  const ca = await openCa(plan);
  await ca.writeMspFolder(join(dir, 'msp'));
  const open = (kind: NodeMember['kind'], names: readonly string[]) =>
    Promise.all(names.map((name) => openNode(plan, ca, kind, name)));
  const [peers, orderers] = await Promise.all([open('peer', plan.peers), open('orderer', plan.orderers)]);
  const member = (name: string, role: 'admin' | 'client') =>
    openMember(ca, join(dir, 'users', `${name}@${domain}`), `${name}@${domain}`, role);
  const [admin, user] = await Promise.all([member('Admin', 'admin'), member('User1', 'client')]);
  return { mspId, domain, dir, ca, peers, orderers, admin, user };
}

/** The description is the last file that saving writes: without it, the folder is not whole yet. */
async function openCa({ dir, mspId, domain }: MembershipPlan): Promise<OrganisationCa> {
  if (existsSync(join(dir, CA_DESCRIPTION))) return loadOrganisationCa(dir);
  const ca = await createOrganisationCa({ mspId, domain });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await ca.save(dir);
  return ca;
}

async function openNode(
  plan: MembershipPlan,
  ca: OrganisationCa,
  kind: NodeMember['kind'],
  name: string,
): Promise<NodeMember> {
  const hostName = `${name}.${plan.domain}`;
  const dir = join(plan.dir, `${kind}s`, hostName);
  const identity = await openMember(ca, dir, hostName, kind);
  const folder = join(dir, 'tls');
  if (!existsSync(folder)) {
    const tls = await ca.issueTls({ commonName: hostName, sans: [hostName, name] });
    await whole(folder, (partial) => writeTlsFolder(partial, tls, 'server'));
  }
  const [certificatePem, privateKeyPem] = await Promise.all(
    ['server.crt', 'server.key'].map((file) => readFile(join(folder, file), 'utf8')),
  );
  if (certificatePem === undefined || privateKeyPem === undefined) throw new Error('two files read, two expected');
  const tls = { certificatePem, privateKeyPem, rootCertPem: ca.tlsRootCertPem };
  return { kind, mspId: plan.mspId, name, hostName, dir, identity, tls };
}

/**
 * Certifies a node's TLS key again, from now on as long as its CA. The key stays: orderers know each other by it. The node takes the
 * certificate when it starts.
 */
export async function renewTls(ca: OrganisationCa, { dir, name, hostName, tls }: NodeMember): Promise<void> {
  const { privateKeyPem } = tls;
  const renewed = await ca.issueTls({ commonName: hostName, sans: [hostName, name], privateKeyPem });
  const path = join(dir, 'tls', 'server.crt');
  await writeFile(`${path}.partial`, renewed.certificatePem);
  await rename(`${path}.partial`, path);
}

async function openMember(
  ca: OrganisationCa,
  dir: string,
  enrolmentId: string,
  role: 'admin' | 'client' | 'peer' | 'orderer',
): Promise<Member> {
  const mspDir = join(dir, 'msp');
  if (!existsSync(mspDir)) {
    const issued = await ca.issue({ enrolmentId, role });
    await whole(mspDir, (partial) => ca.writeMspFolder(partial, issued));
  }
  const [certificatePem, privateKeyPem] = await Promise.all([
    readFile(join(mspDir, 'signcerts', `${enrolmentId}-cert.pem`), 'utf8'),
    readFile(join(mspDir, 'keystore', 'priv_sk'), 'utf8'),
  ]);
  return { mspId: ca.mspId, certificatePem, privateKeyPem, mspDir };
}

/** A folder appears under its name only when everything is in it: a start that was cut short leaves no certificate without key. */
async function whole(dir: string, write: (partial: string) => Promise<void>): Promise<void> {
  const partial = `${dir}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(dirname(dir), { recursive: true, mode: 0o700 });
  await write(partial);
  await rename(partial, dir);
}
