import { createHash, randomBytes, type KeyObject } from 'node:crypto';
import { WaymarkError } from '@waymark/protocol';
import { secretKey } from '../derivation/hkdf.ts';
import {
  exportEncryptionKeyPair,
  generateEncryptionKeyPair,
  parseEncryptionKeyPair,
  type EncryptionKeyPair,
} from '../keys/encryption-key.ts';
import type { Curve } from '../keys/jwk.ts';
import type { StoredTransportKey, TransportKeyStorage } from '../submission/transport-key-ring.ts';
import { parseContent, type StoredContent } from './content.ts';
import { localWrap, type LocalWrap } from './local-wrap.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';
import {
  defaultScryptCost,
  newDocumentKey,
  openDocument,
  sealDocument,
  type DocumentKey,
  type ScryptCost,
} from './sealed-document.ts';

/**
 * The secrets of one service, in one file sealed under a passphrase. One process at a time uses a file: a write that finds the file
 * changed by somebody else is refused.
 */
export interface KeyStore {
  /** The newest encryption key pair: the one others seal for. */
  readonly encryptionKey: EncryptionKeyPair;
  /**
   * A current or former pair; former ones still open what was sealed for them.
   * @throws WaymarkError key-unknown
   */
  encryptionKeyById(kid: string): EncryptionKeyPair;
  /** Adds a pair and makes it the current one. */
  rotateEncryptionKey(curve: Curve, nowMs: number): Promise<EncryptionKeyPair>;
  /** Root of record oids and content tags of this outlet. */
  readonly outletSecret: KeyObject;
  /** Root of the firm's look-up tokens: the same at every node of the firm, known to nobody else. */
  readonly indexRoot: KeyObject;
  /** Wraps keys for tables of this service. */
  readonly localWrap: LocalWrap;
  readonly transportKeys: TransportKeyStorage;
  changePassphrase(passphrase: Uint8Array): Promise<void>;
}

/** What a new key store starts with. */
export interface KeyStoreOptions {
  readonly file: string;
  /** See `readPassphrase`. */
  readonly passphrase: Uint8Array;
  readonly nowMs: number;
  readonly curve?: Curve;
  /** The firm's index root, 32 bytes; drawn when absent. */
  readonly indexRoot?: Uint8Array;
  /** What keys are wrapped under, 32 bytes: the same for nodes that stand in for each other; drawn when absent. */
  readonly localRoot?: Uint8Array;
  readonly cost?: ScryptCost;
}

/**
 * Creates a key store file, mode 0600.
 * @throws WaymarkError conflict: there is a file already; key-invalid: an index root or a local root of another size
 */
export async function createKeyStore(options: KeyStoreOptions): Promise<KeyStore> {
  const {
    file,
    passphrase,
    nowMs,
    curve = 'X25519',
    indexRoot = randomBytes(32),
    localRoot = randomBytes(32),
  } = options;
  if (indexRoot.length !== 32) throw new WaymarkError('key-invalid', 'An index root has 32 bytes.');
  if (localRoot.length !== 32) throw new WaymarkError('key-invalid', 'A local root has 32 bytes.');
  if ((await readPrivateFile(file)) !== null) {
    throw new WaymarkError('conflict', 'There is a key store at this place already.', { details: { file } });
  }
  const content: StoredContent = {
    encryptionKeys: [{ ...exportEncryptionKeyPair(generateEncryptionKeyPair(curve)), createdAtMs: nowMs }],
    outletSecret: randomBytes(32).toString('base64url'),
    indexRoot: Buffer.from(indexRoot).toString('base64url'),
    localRoot: Buffer.from(localRoot).toString('base64url'),
    transportKeys: [],
  };
  const documentKey = await newDocumentKey(passphrase, options.cost ?? defaultScryptCost);
  const sealed = sealDocument(JSON.stringify(content), documentKey);
  await writePrivateFile(file, sealed);
  return fileKeyStore({ file, documentKey, content, sealed });
}

/**
 * Opens a key store file.
 * @throws WaymarkError configuration-invalid: no file, or others may touch it; decryption-failed: other passphrase; data-abnormal
 */
export async function openKeyStore(options: {
  readonly file: string;
  readonly passphrase: Uint8Array;
}): Promise<KeyStore> {
  const { file, passphrase } = options;
  const sealed = await readPrivateFile(file);
  if (sealed === null) {
    throw new WaymarkError('configuration-invalid', 'There is no key store at this place.', { details: { file } });
  }
  const { text, documentKey } = await openDocument(sealed, passphrase);
  return fileKeyStore({ file, documentKey, content: parseContent(text), sealed });
}

interface State {
  readonly file: string;
  documentKey: DocumentKey;
  content: StoredContent;
  sealed: Uint8Array;
}

function fileKeyStore(initial: State): KeyStore {
  const state: State = { ...initial };
  let pairs = state.content.encryptionKeys.map((stored) => parseEncryptionKeyPair(stored));
  let writing: Promise<unknown> = Promise.resolve();

  /** One change at a time; nothing is believed before it is on disk. */
  const change = (next: () => Promise<Pick<State, 'content' | 'documentKey'>>): Promise<void> => {
    const done = writing.then(async () => {
      const { content, documentKey } = await next();
      const found = await readPrivateFile(state.file);
      if (found === null || digest(found) !== digest(state.sealed)) {
        throw new WaymarkError('conflict', 'The key store was changed by another process.', {
          details: { file: state.file },
        });
      }
      const sealed = sealDocument(JSON.stringify(content), documentKey);
      await writePrivateFile(state.file, sealed);
      Object.assign(state, { content, documentKey, sealed });
    });
    writing = done.catch(() => undefined);
    return done;
  };
  const update = (next: (content: StoredContent) => StoredContent): Promise<void> =>
    change(() => Promise.resolve({ content: next(state.content), documentKey: state.documentKey }));

  const outletSecret = secretKey(Buffer.from(state.content.outletSecret, 'base64url'));
  const indexRoot = secretKey(Buffer.from(state.content.indexRoot, 'base64url'));
  return {
    get encryptionKey() {
      return pairs.at(-1) as EncryptionKeyPair;
    },
    encryptionKeyById(kid) {
      const pair = pairs.find((candidate) => candidate.kid === kid);
      if (pair === undefined)
        throw new WaymarkError('key-unknown', 'No such encryption key is held.', { details: { kid } });
      return pair;
    },
    async rotateEncryptionKey(curve, nowMs) {
      const pair = generateEncryptionKeyPair(curve);
      const stored = { ...exportEncryptionKeyPair(pair), createdAtMs: nowMs };
      await update((content) => ({ ...content, encryptionKeys: [...content.encryptionKeys, stored] }));
      pairs = [...pairs, pair];
      return pair;
    },
    outletSecret,
    indexRoot,
    localWrap: localWrap(secretKey(Buffer.from(state.content.localRoot, 'base64url'))),
    transportKeys: {
      load: () => Promise.resolve(state.content.transportKeys),
      save: (transportKeys: readonly StoredTransportKey[]) => update((content) => ({ ...content, transportKeys })),
    },
    changePassphrase: (passphrase) =>
      change(async () => ({
        content: state.content,
        documentKey: await newDocumentKey(passphrase, state.documentKey.cost),
      })),
  };
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
