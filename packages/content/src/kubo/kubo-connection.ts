import { readFile } from 'node:fs/promises';
import { WaymarkError } from '@waymark/protocol';

export interface KuboAuthorization {
  /** As in kubo's `API.Authorizations`: `basic` for "user:password", `bearer` for a token. */
  readonly scheme: 'basic' | 'bearer';
  /** A file that holds the secret alone; space around it is ignored. */
  readonly secretFile: string;
}

/** Where kubo's RPC API is and what opens it. */
export interface KuboConnection {
  /** Ends in `/api/v0`, without a slash behind. */
  readonly apiUrl: string;
  readonly headers: Readonly<Record<string, string>>;
}

const maxSecretSizeBytes = 4096;

/** @throws `configuration-invalid` */
export async function connectionTo(url: string, authorization: KuboAuthorization | undefined): Promise<KuboConnection> {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (cause) {
    throw invalid('The address of kubo is not a URL.', cause);
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')
    throw invalid('The address of kubo is not an http or https URL.');
  if (parsed.username !== '' || parsed.password !== '')
    throw invalid('The address of kubo must not hold credentials; name a secret file.');
  const headers = authorization === undefined ? {} : { authorization: await authorizationHeader(authorization) };
  return { apiUrl: `${parsed.origin}/api/v0`, headers };
}

async function authorizationHeader({ scheme, secretFile }: KuboAuthorization): Promise<string> {
  let secret: string;
  try {
    secret = (await readFile(secretFile, 'utf8')).trim();
  } catch (cause) {
    throw invalid('The secret file for kubo cannot be read.', cause);
  }
  if (secret === '' || secret.length > maxSecretSizeBytes || /[^\x20-\x7e]/.test(secret)) {
    throw invalid('The secret file for kubo does not hold one line of text.');
  }
  return scheme === 'basic' ? `Basic ${Buffer.from(secret, 'utf8').toString('base64')}` : `Bearer ${secret}`;
}

function invalid(message: string, cause?: unknown): WaymarkError {
  return new WaymarkError('configuration-invalid', message, { cause });
}
