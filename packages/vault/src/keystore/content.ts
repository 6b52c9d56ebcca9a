import { WaymarkError } from '@waymark/protocol';
import type { StoredEncryptionKey } from '../keys/encryption-key.ts';
import type { PrivateJwk } from '../keys/jwk.ts';
import type { StoredTransportKey } from '../submission/transport-key-ring.ts';

/** What lies inside a key store file. All of it is secret. */
export interface StoredContent {
  /** Oldest first; the last is the current one. */
  readonly encryptionKeys: readonly (StoredEncryptionKey & { readonly createdAtMs: number })[];
  /** 32 bytes each, base64url. */
  readonly outletSecret: string;
  readonly indexRoot: string;
  readonly localRoot: string;
  readonly transportKeys: readonly StoredTransportKey[];
}

function malformed(): WaymarkError {
  return new WaymarkError('data-abnormal', 'The content of the key store does not have the required form.');
}

function members(input: unknown): ReadonlyMap<string, unknown> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) throw malformed();
  return new Map<string, unknown>(Object.entries(input));
}

function list(input: unknown): readonly unknown[] {
  if (!Array.isArray(input)) throw malformed();
  return input;
}

function secret(input: unknown): string {
  if (typeof input !== 'string' || !/^[A-Za-z0-9_-]{43}$/.test(input)) throw malformed();
  return input;
}

function timeMs(input: unknown): number {
  if (typeof input !== 'number' || !Number.isSafeInteger(input)) throw malformed();
  return input;
}

function bytes(input: unknown): string {
  if (typeof input !== 'string' || !/^[A-Za-z0-9_-]+$/.test(input)) throw malformed();
  return input;
}

function encryptionKey(input: unknown): StoredContent['encryptionKeys'][number] {
  const stored = members(input);
  const seed = stored.get('seed');
  // The key itself is checked where it is imported.
  const jwk = Object.fromEntries(members(stored.get('jwk'))) as unknown as PrivateJwk;
  return { jwk, createdAtMs: timeMs(stored.get('createdAtMs')), ...(seed === undefined ? {} : { seed: secret(seed) }) };
}

function transportKey(input: unknown): StoredTransportKey {
  const stored = members(input);
  return {
    jwk: Object.fromEntries(members(stored.get('jwk'))) as unknown as PrivateJwk,
    notBeforeMs: timeMs(stored.get('notBeforeMs')),
    notAfterMs: timeMs(stored.get('notAfterMs')),
    announcement: bytes(stored.get('announcement')),
  };
}

/**
 * Reads the opened text of a key store.
 * @throws WaymarkError data-abnormal
 */
export function parseContent(text: string): StoredContent {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw malformed();
  }
  const content = members(parsed);
  const encryptionKeys = list(content.get('encryptionKeys')).map((entry) => encryptionKey(entry));
  if (encryptionKeys.length === 0) throw malformed();
  return {
    encryptionKeys,
    outletSecret: secret(content.get('outletSecret')),
    indexRoot: secret(content.get('indexRoot')),
    localRoot: secret(content.get('localRoot')),
    transportKeys: list(content.get('transportKeys')).map((entry) => transportKey(entry)),
  };
}
