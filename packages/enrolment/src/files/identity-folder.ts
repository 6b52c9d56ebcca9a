import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeMspFolder } from '@waymark/devnet/ca';
import { WaymarkError } from '@waymark/protocol';
import { parseCertificatesPem, readPrivateFile, signingIdentityFromPem } from '@waymark/vault';
import type { Enrolment } from '../authority/certificate-authority.ts';
import type { EnrolledIdentity } from '../authority/calls.ts';
import { createFolder, writeAll } from './write-file.ts';

const maxFileSizeBytes = 1024 * 1024;

/** Names of the files in an identity's folder; configurations of services name the first two. */
export const identityFiles = {
  certificate: 'certificate.pem',
  privateKey: 'private-key.pem',
  roots: 'ca-roots.pem',
  intermediates: 'ca-intermediates.pem',
  msp: 'msp',
} as const;

/** How an MSP folder for Fabric's own programs is to be filled, beside the identity. */
export interface MspWish {
  readonly mspId: string;
  /** Name of the organisation in file names. */
  readonly domain: string;
  /** CA of the organisation's TLS certificates; default: the same CA. */
  readonly tlsRootPem?: string;
}

/**
 * Writes an identity into a new folder: all of it or nothing.
 * @throws WaymarkError conflict when the folder is there
 */
export async function writeIdentityFolder(folder: string, enrolment: Enrolment, msp?: MspWish): Promise<void> {
  const { certificatePem, privateKeyPem, rootsPem, intermediatesPem, enrolmentId } = enrolment;
  await createFolder(folder, async (partial) => {
    await writeAll(partial, {
      [identityFiles.certificate]: certificatePem,
      [identityFiles.privateKey]: privateKeyPem,
      [identityFiles.roots]: rootsPem.join(''),
      [identityFiles.intermediates]: intermediatesPem.length === 0 ? undefined : intermediatesPem.join(''),
    });
    if (msp === undefined) return;
    const [rootCertPem = ''] = rootsPem;
    const [certificate] = parseCertificatesPem(certificatePem);
    await writeMspFolder(join(partial, identityFiles.msp), {
      domain: msp.domain,
      rootCertPem,
      intermediateCertsPem: intermediatesPem,
      tlsRootCertPem: msp.tlsRootPem ?? rootCertPem,
      identity: {
        mspId: msp.mspId,
        enrolmentId,
        role: certificate?.role ?? 'client',
        certificatePem,
        privateKeyPem,
      },
    });
  });
}

/**
 * Reads an identity's folder.
 * @throws WaymarkError configuration-invalid: a file is missing, open to others, or certificate and key do not belong together
 */
export async function readIdentityFolder(folder: string): Promise<EnrolledIdentity> {
  const certificatePem = await readPublic(join(folder, identityFiles.certificate));
  const file = join(folder, identityFiles.privateKey);
  const privateKey = await readPrivateFile(file);
  if (privateKey === null) throw unreadable(file);
  const identity = { certificatePem, privateKeyPem: privateKey.toString('utf8') };
  signingIdentityFromPem({ mspId: '', ...identity });
  return identity;
}

/** The certificate in a PEM file, or in an identity's folder. @throws WaymarkError configuration-invalid */
export async function readCertificate(place: string): Promise<string> {
  const inFolder = join(place, identityFiles.certificate);
  return readPublic(existsSync(inFolder) ? inFolder : place);
}

/** Text of a file that holds nothing secret, at most 1 MiB. @throws WaymarkError configuration-invalid */
export async function readPublic(file: string): Promise<string> {
  try {
    if ((await stat(file)).size > maxFileSizeBytes) throw new Error('larger than 1 MiB');
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function unreadable(file: string, cause?: unknown): WaymarkError {
  return new WaymarkError('configuration-invalid', `${file}: the file cannot be read`, { details: { file }, cause });
}
