import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createOrganisationCa } from '@waymark/devnet/ca';

/** Who a process is, as files that it reads: both sides have certificates of the same kind, ECDSA on P-256. */
export interface IdentityFiles {
  /** Enrolment certificate and key. */
  readonly certificateFile: string;
  readonly privateKeyFile: string;
  readonly tlsCertificateFile: string;
  readonly tlsPrivateKeyFile: string;
  /** The enrolment CA's root and the TLS CA's. */
  readonly rootFile: string;
  readonly tlsRootFile: string;
}

export const benchMspId = 'BenchMSP';

/** Issues identities of one organisation into a folder for each. */
export async function issueIdentities(folder: string, names: readonly string[]): Promise<Map<string, IdentityFiles>> {
  const ca = await createOrganisationCa({ mspId: benchMspId, domain: 'bench.example' });
  const issued = new Map<string, IdentityFiles>();
  for (const name of names) {
    const own = join(folder, name);
    await mkdir(own, { recursive: true, mode: 0o700 });
    const identity = await ca.issue({ enrolmentId: name, role: 'client' });
    const tls = await ca.issueTls({ commonName: name });
    const write = async (file: string, text: string): Promise<string> => {
      await writeFile(join(own, file), text, { mode: 0o600 });
      return join(own, file);
    };
    issued.set(name, {
      certificateFile: await write('certificate.pem', identity.certificatePem),
      privateKeyFile: await write('key.pem', identity.privateKeyPem),
      tlsCertificateFile: await write('tls.pem', tls.certificatePem),
      tlsPrivateKeyFile: await write('tls-key.pem', tls.privateKeyPem),
      rootFile: await write('root.pem', ca.rootCertPem),
      tlsRootFile: await write('tls-root.pem', ca.tlsRootCertPem),
    });
  }
  return issued;
}

/** @throws Error when there is no such identity */
export function identityOf(identities: ReadonlyMap<string, IdentityFiles>, name: string): IdentityFiles {
  const identity = identities.get(name);
  if (identity === undefined) throw new Error(`no identity was issued for ${name}`);
  return identity;
}
