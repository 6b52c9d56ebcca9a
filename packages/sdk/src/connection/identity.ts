import { readFileSync, statSync } from 'node:fs';
import { WaymarkError } from '@waymark/protocol';
import type { TlsIdentity } from '@waymark/transport';
import { type CertificateVerifier, certificateVerifier } from '@waymark/vault';
import type { Profile } from '../profile/schema.ts';

const maxFileSizeBytes = 1024 * 1024;

/**
 * A PEM file that a profile names.
 * @throws WaymarkError configuration-invalid
 */
export function readProfileFile(file: string): string {
  try {
    if (statSync(file).size > maxFileSizeBytes) throw new Error('larger than 1 MiB');
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new WaymarkError('configuration-invalid', `${file}: the file cannot be read`, { details: { file }, cause });
  }
}

/**
 * Certificate and private key of the profile's identity.
 * @throws WaymarkError configuration-invalid: unreadable, or the key is open to everybody
 */
export function readIdentity({ identity }: Pick<Profile, 'identity'>): TlsIdentity {
  const certificateChainPem = readProfileFile(identity.certificateFile);
  const file = identity.privateKeyFile;
  const privateKeyPem = readProfileFile(file);
  if (process.platform !== 'win32' && (statSync(file).mode & 0o007) !== 0) {
    throw new WaymarkError('configuration-invalid', `${file}: open to everybody; permit it to its owner (chmod 600)`, {
      details: { file },
    });
  }
  return { certificateChainPem, privateKeyPem };
}

/**
 * Verifiers by MSP id, from the roots the profile pins. What was signed before a revocation stays valid, so no revocation lists.
 * @throws WaymarkError configuration-invalid
 */
export function readVerifiers({
  organisations,
}: Pick<Profile, 'organisations'>): (mspId: string) => CertificateVerifier | undefined {
  const verifiers = new Map<string, CertificateVerifier>();
  return (mspId) => {
    const known = verifiers.get(mspId);
    if (known !== undefined) return known;
    const organisation = Object.hasOwn(organisations, mspId) ? organisations[mspId] : undefined;
    if (organisation === undefined) return undefined;
    const verifier = certificateVerifier({
      rootsPem: organisation.rootFiles.map(readProfileFile),
      intermediatesPem: organisation.intermediateFiles.map(readProfileFile),
    });
    verifiers.set(mspId, verifier);
    return verifier;
  };
}
