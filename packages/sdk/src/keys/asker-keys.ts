import {
  type EncryptionKeyPair,
  exportEncryptionKeyPair,
  exportSigningKeyPair,
  generateEncryptionKeyPair,
  generateSigningKeyPair,
  parseEncryptionKeyPair,
  parseSigningKeyPair,
  type SigningKeyPair,
} from '@waymark/vault';
import { readKeyFile, storedKey, writeNewKeyFile } from './reader-key.ts';

const fileType = 'waymark-asker-keys';

/** The keys of somebody outside the consortium (S9). Allow-lists name the asker by `signing.kid`. */
export interface AskerKeys {
  /** Signs queries. */
  readonly signing: SigningKeyPair;
  /** Answers are encrypted for it. */
  readonly encryption: EncryptionKeyPair;
}

/** Makes an asker's keys, in memory. */
export function generateAskerKeys(): AskerKeys {
  return { signing: generateSigningKeyPair(), encryption: generateEncryptionKeyPair('P-256') };
}

/**
 * Makes an asker's keys and writes them, mode 0600.
 * @throws WaymarkError conflict when the file is there already
 */
export async function createAskerKeys(file: string): Promise<AskerKeys> {
  const keys = generateAskerKeys();
  await writeNewKeyFile(file, {
    type: fileType,
    signing: exportSigningKeyPair(keys.signing),
    encryption: exportEncryptionKeyPair(keys.encryption),
  });
  return keys;
}

/**
 * Reads what `createAskerKeys` wrote.
 * @throws WaymarkError key-unknown when there is no such file; key-invalid; configuration-invalid when others may read it
 */
export async function readAskerKeys(file: string): Promise<AskerKeys> {
  const { signing, encryption } = await readKeyFile(file, fileType);
  return { signing: parseSigningKeyPair(signing), encryption: parseEncryptionKeyPair(storedKey(encryption)) };
}
