import { createPrivateKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { exportEncryptionKeyPair, openKeyStore, readPassphrase, type StoredEncryptionKey } from '@waymark/vault';
import type { Consortium } from '@waymark/network';
import type { Firm } from './running-consortium.ts';
import { type Canary, textCanary } from './search/canary.ts';

/** Every secret that the nodes of a firm hold, by name, as canaries. */
export async function secretsOf({ layout }: Consortium, firm: Firm): Promise<Canary[]> {
  const secrets: Canary[] = [];
  for (const node of ['center', firm.outletName, 'reader', 'client']) {
    const files = layout.node(firm.organisation, node);
    const name = (what: string): string => `${firm.mspId} ${node} ${what}`;
    secrets.push({ name: name('private key'), bytes: scalarOf(files.privateKey) });
    if (existsSync(files.tlsPrivateKey)) {
      secrets.push({ name: name('TLS private key'), bytes: scalarOf(files.tlsPrivateKey) });
    }
    if (existsSync(files.encryptionKey)) {
      const { encryption } = JSON.parse(readFileSync(files.encryptionKey, 'utf8')) as {
        encryption: StoredEncryptionKey;
      };
      secrets.push(...encryptionSecrets(name('encryption key'), encryption));
    }
    if (!existsSync(files.keyStore)) continue;
    secrets.push(textCanary(name('passphrase'), readFileSync(files.passphrase, 'utf8').trim()));
    const store = await openKeyStore({ file: files.keyStore, passphrase: readPassphrase({ file: files.passphrase }) });
    secrets.push(
      { name: name('outlet secret'), bytes: store.outletSecret.export() },
      { name: name('index root'), bytes: store.indexRoot.export() },
      ...encryptionSecrets(name('encryption key'), exportEncryptionKeyPair(store.encryptionKey)),
    );
  }
  return secrets;
}

function scalarOf(pemFile: string): Uint8Array {
  const { d } = createPrivateKey(readFileSync(pemFile)).export({ format: 'jwk' });
  if (d === undefined) throw new Error(`${pemFile} holds no private key`);
  return Buffer.from(d, 'base64url');
}

function encryptionSecrets(name: string, { jwk, seed }: StoredEncryptionKey): Canary[] {
  return [
    { name, bytes: Buffer.from(jwk.d, 'base64url') },
    ...(seed === undefined ? [] : [{ name: `${name} seed`, bytes: Buffer.from(seed, 'base64url') }]),
  ];
}
