import { readFileSync, statSync } from 'node:fs';
import { WaymarkError } from '@waymark/protocol';

const maxFileSizeBytes = 1024 * 1024;

/**
 * The text of a file the configuration names.
 *
 * @throws WaymarkError `configuration-invalid` when it cannot be read or is larger than 1 MiB.
 */
export function readTextFile(path: string): string {
  try {
    if (statSync(path).size > maxFileSizeBytes) throw new Error('too large');
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new WaymarkError('configuration-invalid', `${path} cannot be read`, { details: { path }, cause });
  }
}

/**
 * The text of a file that holds a secret. It must not be readable by everybody on the machine.
 *
 * @throws WaymarkError `configuration-invalid`
 */
export function readSecretFile(path: string): string {
  const text = readTextFile(path);
  if (process.platform !== 'win32' && (statSync(path).mode & 0o007) !== 0) {
    throw new WaymarkError(
      'configuration-invalid',
      `${path} is open to everybody; permit it to its owner (chmod 600)`,
      {
        details: { path },
      },
    );
  }
  return text;
}

/** Files of a TLS endpoint that asks its peers for certificates. */
export interface TlsFiles {
  readonly certificateFile: string;
  readonly privateKeyFile: string;
  /** CAs whose certificates peers may show. */
  readonly clientCaFiles: readonly string[];
}

/** What the files hold, as PEM text. */
export interface TlsMaterial {
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
  readonly clientCaPems: readonly string[];
}

/** Reads them. @throws WaymarkError `configuration-invalid` */
export function readTlsFiles({ certificateFile, privateKeyFile, clientCaFiles }: TlsFiles): TlsMaterial {
  return {
    certificateChainPem: readTextFile(certificateFile),
    privateKeyPem: readSecretFile(privateKeyFile),
    clientCaPems: clientCaFiles.map(readTextFile),
  };
}
