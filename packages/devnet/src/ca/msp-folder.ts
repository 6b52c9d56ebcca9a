import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IssuedIdentity, IssuedTls } from './issued.ts';

/** Private keys are for their owner only. */
const KEY_FILE_MODE = 0o600;

/** Fabric's NodeOU switch for an MSP folder (msp/configbuilder.go reads it). Any certification path of the MSP is accepted. */
const CONFIG_YAML = `NodeOUs:
  Enable: true
  ClientOUIdentifier:
    OrganizationalUnitIdentifier: client
  PeerOUIdentifier:
    OrganizationalUnitIdentifier: peer
  AdminOUIdentifier:
    OrganizationalUnitIdentifier: admin
  OrdererOUIdentifier:
    OrganizationalUnitIdentifier: orderer
`;

export interface MspFolderContent {
  readonly domain: string;
  readonly rootCertPem: string;
  readonly tlsRootCertPem: string;
  readonly intermediateCertsPem?: readonly string[];
  readonly crlPem?: string;
  readonly identity?: IssuedIdentity;
}

/** Writes the folder that Fabric's `peer`, `orderer` and `configtxgen` read as `mspConfigPath` or `MSPDir`. */
export async function writeMspFolder(dir: string, content: MspFolderContent): Promise<void> {
  await writeFiles(dir, {
    [`cacerts/ca.${content.domain}-cert.pem`]: content.rootCertPem,
    [`tlscacerts/tlsca.${content.domain}-cert.pem`]: content.tlsRootCertPem,
    'config.yaml': CONFIG_YAML,
    ...Object.fromEntries(
      (content.intermediateCertsPem ?? []).map((pem, index) => [`intermediatecerts/${String(index)}-cert.pem`, pem]),
    ),
    ...(content.crlPem === undefined ? {} : { 'crls/crl.pem': content.crlPem }),
    ...(content.identity === undefined
      ? {}
      : { [`signcerts/${content.identity.enrolmentId}-cert.pem`]: content.identity.certificatePem }),
  });
  if (content.identity !== undefined) {
    await writeKeyFile(dir, 'keystore/priv_sk', content.identity.privateKeyPem);
  }
}

/** Writes `ca.crt`, `<name>.crt` and `<name>.key`, as Fabric's configurations name them (`server` or `client`). */
export async function writeTlsFolder(dir: string, tls: IssuedTls, name: 'server' | 'client'): Promise<void> {
  await writeFiles(dir, { 'ca.crt': tls.rootCertPem, [`${name}.crt`]: tls.certificatePem });
  await writeKeyFile(dir, `${name}.key`, tls.privateKeyPem);
}

export async function writeFiles(dir: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(dir, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, content);
  }
}

export async function writeKeyFile(dir: string, name: string, pem: string): Promise<void> {
  const path = join(dir, name);
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
  await writeFile(path, pem, { mode: KEY_FILE_MODE });
}
