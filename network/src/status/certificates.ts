import { X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A certificate of the network, and until when it counts. */
export interface CertificateExpiry {
  readonly subject: string;
  /** ISO 8601, UTC. */
  readonly notAfter: string;
}

const maxSizeBytes = 256 * 1024;
const isCertificateFile = (name: string): boolean => /\.(pem|crt)$/.test(name);

/** All certificates below a folder, each once, those that end first at the head. */
export async function certificatesIn(folder: string): Promise<readonly CertificateExpiry[]> {
  const found = new Map<string, { readonly subject: string; readonly notAfterMs: number }>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !isCertificateFile(entry.name)) continue;
    // A file may be replaced while this reads.
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8').catch(() => '');
    if (text.length > maxSizeBytes) continue;
    for (const [pem] of text.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)) {
      const certificate = parsed(pem);
      if (certificate === undefined) continue;
      found.set(certificate.fingerprint256, {
        subject: certificate.subject.split('\n').toReversed().join(','),
        notAfterMs: certificate.validToDate.getTime(),
      });
    }
  }
  return [...found.values()]
    .sort((left, right) => left.notAfterMs - right.notAfterMs)
    .map(({ subject, notAfterMs }) => ({ subject, notAfter: new Date(notAfterMs).toISOString() }));
}

/** What is no certificate has no end to be shown; whoever uses it refuses it. */
function parsed(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
