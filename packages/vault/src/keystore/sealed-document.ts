import { createCipheriv, createDecipheriv, randomBytes, scrypt, type BinaryLike } from 'node:crypto';
import { WaymarkError } from '@waymark/protocol';

/** Cost of deriving a key from a passphrase (RFC 7914). */
export interface ScryptCost {
  /** log2 of N; 17 = 128 MiB and about half a second. 14 is enough for a random passphrase of 128 bits or more. */
  readonly log2N: number;
}

export const defaultScryptCost: ScryptCost = { log2N: 17 };

const type = 'waymark/key-store';
const blockSize = 8;

/** A key that opens and reseals one document without asking for the passphrase again. */
export interface DocumentKey {
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
  readonly cost: ScryptCost;
}

interface Header {
  readonly v: 1;
  readonly type: string;
  readonly kdf: {
    readonly name: 'scrypt';
    readonly log2N: number;
    readonly r: 8;
    readonly p: 1;
    readonly salt: string;
  };
}

function headerOf({ salt, cost }: Pick<DocumentKey, 'salt' | 'cost'>): Header {
  const kdf = { name: 'scrypt', log2N: cost.log2N, r: blockSize, p: 1, salt: encode(salt) } as const;
  return { v: 1, type, kdf };
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function derive(passphrase: BinaryLike, salt: Uint8Array, cost: ScryptCost): Promise<Uint8Array> {
  const N = 2 ** cost.log2N;
  return new Promise((resolve, reject) => {
    scrypt(passphrase, salt, 32, { N, r: blockSize, p: 1, maxmem: 256 * N * blockSize }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

/** Derives a fresh document key from a passphrase. */
export async function newDocumentKey(passphrase: Uint8Array, cost: ScryptCost): Promise<DocumentKey> {
  checkCost(cost.log2N);
  const salt = randomBytes(32);
  return { key: await derive(passphrase, salt, cost), salt, cost };
}

function checkCost(log2N: number): void {
  if (!Number.isInteger(log2N) || log2N < 14 || log2N > 20) {
    throw new WaymarkError('configuration-invalid', 'The cost of the passphrase is out of bounds.', {
      details: { log2N, min: 14, max: 20 },
    });
  }
}

/** Seals text: JSON with the parameters in clear and A256GCM over the text, the parameters authenticated. */
export function sealDocument(text: string, documentKey: DocumentKey): Uint8Array {
  const header = headerOf(documentKey);
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', documentKey.key, iv).setAAD(Buffer.from(JSON.stringify(header)));
  const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return Buffer.from(`${JSON.stringify(documentOf(header, iv, ciphertext), null, 2)}\n`);
}

function documentOf(header: Header, iv: Uint8Array, ciphertext: Uint8Array): object {
  return { ...header, aead: { name: 'A256GCM', iv: encode(iv), ciphertext: encode(ciphertext) } };
}

function malformed(): WaymarkError {
  return new WaymarkError('data-abnormal', 'The key store file does not have the form of one.');
}

function decode(value: unknown): Buffer {
  if (typeof value !== 'string' || !/^[A-Za-z0-9_-]+$/.test(value)) throw malformed();
  return Buffer.from(value, 'base64url');
}

function member(input: unknown, name: string): unknown {
  if (typeof input !== 'object' || input === null) throw malformed();
  return new Map<string, unknown>(Object.entries(input)).get(name);
}

/**
 * Opens a sealed document.
 * @throws WaymarkError data-abnormal: not such a document; decryption-failed: other passphrase, or altered;
 *   configuration-invalid: cost out of bounds
 */
export async function openDocument(
  bytes: Uint8Array,
  passphrase: Uint8Array,
): Promise<{ readonly text: string; readonly documentKey: DocumentKey }> {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw malformed();
  }
  const log2N = member(member(document, 'kdf'), 'log2N');
  if (typeof log2N !== 'number') throw malformed();
  checkCost(log2N);
  const cost = { log2N };
  const salt = decode(member(member(document, 'kdf'), 'salt'));
  const iv = decode(member(member(document, 'aead'), 'iv'));
  const sealed = decode(member(member(document, 'aead'), 'ciphertext'));
  const canonical = documentOf(headerOf({ salt, cost }), iv, sealed);
  if (iv.length !== 12 || sealed.length < 16 || JSON.stringify(document) !== JSON.stringify(canonical))
    throw malformed();
  const key = await derive(passphrase, salt, cost);
  const documentKey = { key, salt, cost };
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv)
      .setAAD(Buffer.from(JSON.stringify(headerOf(documentKey))))
      .setAuthTag(sealed.subarray(-16));
    const text = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]).toString('utf8');
    return { text, documentKey };
  } catch {
    throw new WaymarkError('decryption-failed', 'The key store does not open with this passphrase, or was altered.');
  }
}
