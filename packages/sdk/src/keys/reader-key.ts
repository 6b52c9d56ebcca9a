import { WaymarkError, parseJsonStrict } from '@waymark/protocol';
import {
  type EncryptionKeyPair,
  exportEncryptionKeyPair,
  generateEncryptionKeyPair,
  parseEncryptionKeyPair,
  readPrivateFile,
  writePrivateFile,
} from '@waymark/vault';

const maxFileSizeBytes = 64 * 1024;

/**
 * Makes a reader's encryption key and writes it, mode 0600.
 * @throws WaymarkError conflict when the file is there already
 */
export async function createReaderKey(file: string): Promise<EncryptionKeyPair> {
  const pair = generateEncryptionKeyPair('P-256');
  await writeNewKeyFile(file, { type: 'waymark-reader-key', encryption: exportEncryptionKeyPair(pair) });
  return pair;
}

/**
 * Reads what `createReaderKey` wrote.
 * @throws WaymarkError key-unknown when there is no such file; key-invalid; configuration-invalid when others may read it
 */
export async function readReaderKey(file: string): Promise<EncryptionKeyPair> {
  const { encryption } = await readKeyFile(file, 'waymark-reader-key');
  return parseEncryptionKeyPair(storedKey(encryption));
}

/** A stored encryption key, its form not yet judged. */
export function storedKey(value: unknown): { jwk: unknown; seed?: string | undefined } {
  const { jwk, seed } = (typeof value === 'object' && value !== null ? value : {}) as {
    readonly jwk?: unknown;
    readonly seed?: unknown;
  };
  return { jwk, ...(typeof seed === 'string' ? { seed } : {}) };
}

/** Writes a file with secrets that must not be there yet. */
export async function writeNewKeyFile(file: string, content: object): Promise<void> {
  if ((await readPrivateFile(file)) !== null) {
    throw new WaymarkError('conflict', `${file}: there is a key already; it is not overwritten`, { details: { file } });
  }
  try {
    await writePrivateFile(file, Buffer.from(`${JSON.stringify(content, undefined, 2)}\n`, 'utf8'));
  } catch (cause) {
    throw new WaymarkError('configuration-invalid', `${file}: cannot be written`, { details: { file }, cause });
  }
}

/** Reads a key file of one kind. */
export async function readKeyFile(file: string, type: string): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await readPrivateFile(file);
  if (bytes === null) {
    throw new WaymarkError('key-unknown', `${file}: there is no such key file; "waymark keygen" makes one`, {
      details: { file },
    });
  }
  let value: unknown;
  try {
    value = parseJsonStrict(bytes, { maxBytes: maxFileSizeBytes });
  } catch {
    // The cause could quote a key.
    value = undefined;
  }
  if (typeof value === 'object' && value !== null && 'type' in value && value.type === type) {
    return value;
  }
  throw new WaymarkError('key-invalid', `${file}: is not a file of the kind ${type}`, { details: { file } });
}
