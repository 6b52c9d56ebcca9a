import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createKeyStore } from '@waymark/vault';

/** Files with one identity's certificate and key. */
export interface IdentityFiles {
  readonly certificateFile: string;
  readonly privateKeyFile: string;
}

/** Low enough that a key store opens in milliseconds: never for production. */
const testCost = { log2N: 14 } as const;
const passphrase = 'a passphrase for tests only';

/** Writes certificate and key (mode 0600) into a folder. */
export async function writeIdentity(
  folder: string,
  identity: { readonly certificatePem: string; readonly privateKeyPem: string },
): Promise<IdentityFiles> {
  await mkdir(folder, { recursive: true });
  const files = { certificateFile: join(folder, 'certificate.pem'), privateKeyFile: join(folder, 'key.pem') };
  await writeFile(files.certificateFile, identity.certificatePem);
  await writeFile(files.privateKeyFile, identity.privateKeyPem, { mode: 0o600 });
  return files;
}

/** Makes a key store with its passphrase file. */
export async function writeKeyStore(
  folder: string,
  indexRoot: Uint8Array,
): Promise<{ readonly file: string; readonly passphraseFile: string }> {
  await mkdir(folder, { recursive: true });
  const passphraseFile = join(folder, 'passphrase');
  await writeFile(passphraseFile, `${passphrase}\n`, { mode: 0o600 });
  const file = join(folder, 'keystore');
  await createKeyStore({ file, passphrase: Buffer.from(passphrase), nowMs: Date.now(), indexRoot, cost: testCost });
  return { file, passphraseFile };
}
