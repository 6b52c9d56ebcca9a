import { createCipheriv, createDecipheriv } from 'node:crypto';
import { bytesEqual, cidOfDagCbor, cidOfRaw, encodeCbor, verifyBlock } from '@waymark/protocol';
import type { Block } from '@waymark/content';
import type { Candidate } from '@waymark/rsl';
import type { CID } from 'multiformats/cid';
import { abnormalBody } from './abnormal.ts';
import { type BodyContent, decodeBodyContent, encodeBodyContent, maxPlaintextBytes } from './body-content.ts';
import { deriveBodyKey } from './body-key.ts';
import { decodeBodyRoot, encodeBodyRoot } from './body-root.ts';
import { attachedEnvelopes, envelopeLinks, type EnvelopesOf } from './envelope-links.ts';

/** A body as it is stored: its root first, then the parts of the ciphertext. */
export interface EncodedBody {
  readonly cid: CID;
  readonly blocks: readonly Block[];
}

/** Makes and reads the bodies of one ledger: the same bytes at every member (docs/formats.md, "Body of a block"). */
export interface BodyCipher {
  readonly ledger: string;
  /** The body of a candidate. The same content object is encoded once. */
  encodeBody(candidate: BodyContent): EncodedBody;
  /** `Crypto.bodyId`: text of the body's CID. */
  readonly bodyId: (candidate: Candidate) => string;
  /** Lets go of an encoded body that is stored by now; its CID stays known as long as its content is. */
  release(candidate: BodyContent): void;
  /**
   * Reads a body. What it says is what its CID names; whether a block names that CID is for the caller.
   * @param parts the blocks that the root's `parts` name, in order
   * @throws WaymarkError data-abnormal: not a body of this ledger, or altered
   */
  decodeBody(root: Block, parts: readonly Uint8Array[]): BodyContent;
  /** CIDs of the blocks that `decodeBody` needs. @throws WaymarkError data-abnormal */
  partsOf(root: Block): readonly CID[];
}

export interface BodyCipherOptions {
  /** 32 bytes shared by the nodes of the firm. Secret. */
  readonly indexRoot: Uint8Array;
  readonly ledger: string;
  /** Default: as the attachment of a submission says. */
  readonly envelopesOf?: EnvelopesOf;
}

const nameBytes = 32;
const tagBytes = 16;
const partBytes = 1024 * 1024;
/** Every plaintext has a key of its own, so one nonce is enough (SP 800-38D section 8.3: no key and nonce twice). */
const nonce = new Uint8Array(12);
const algorithm = 'aes-256-gcm';

interface Known {
  readonly salt: string;
  readonly id: string;
  body: EncodedBody | null;
}

/** @throws WaymarkError key-invalid */
export function createBodyCipher({
  indexRoot,
  ledger,
  envelopesOf = attachedEnvelopes,
}: BodyCipherOptions): BodyCipher {
  const key = deriveBodyKey(indexRoot, ledger);
  const context = encodeCbor(['waymark/v1', 'ledger-body', ledger]);
  const known = new WeakMap<object, Known>();

  function encrypt(plaintext: Uint8Array): Uint8Array {
    const name = key.nameOf(plaintext);
    const cipher = createCipheriv(algorithm, key.contentKey(name), nonce, { authTagLength: tagBytes }).setAAD(context);
    return Buffer.concat([name, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  function decrypt(sealed: Uint8Array): Uint8Array {
    const name = sealed.subarray(0, nameBytes);
    const end = sealed.length - tagBytes;
    if (end < nameBytes) throw abnormalBody('ciphertext');
    let plaintext: Uint8Array;
    try {
      const cipher = createDecipheriv(algorithm, key.contentKey(name), nonce, { authTagLength: tagBytes })
        .setAAD(context)
        .setAuthTag(sealed.subarray(end));
      plaintext = Buffer.concat([cipher.update(sealed.subarray(nameBytes, end)), cipher.final()]);
    } catch (cause) {
      throw abnormalBody('ciphertext', cause);
    }
    if (!bytesEqual(key.nameOf(plaintext), name)) throw abnormalBody('ciphertext');
    return plaintext;
  }

  function encodeAnew(candidate: BodyContent): EncodedBody {
    const sealed = encrypt(encodeBodyContent(candidate));
    const parts: Block[] = [];
    for (let at = 0; at < sealed.length; at += partBytes) {
      const bytes = sealed.subarray(at, at + partBytes);
      parts.push({ cid: cidOfRaw(bytes), bytes });
    }
    const bytes = encodeBodyRoot({
      ledger,
      parts: parts.map(({ cid }) => cid),
      links: envelopeLinks(candidate.content, envelopesOf),
    });
    const cid = cidOfDagCbor(bytes);
    return { cid, blocks: [{ cid, bytes }, ...parts] };
  }

  function rootOf({ cid, bytes }: Block) {
    try {
      verifyBlock(cid, bytes);
    } catch (cause) {
      throw abnormalBody('root', cause);
    }
    const root = decodeBodyRoot(bytes);
    if (root.ledger !== ledger) throw abnormalBody('ledger');
    return root;
  }

  const cipher: BodyCipher = {
    ledger,
    encodeBody(candidate) {
      const found = known.get(candidate.content);
      if (found?.salt === candidate.salt && found.body !== null) return found.body;
      const body = encodeAnew(candidate);
      known.set(candidate.content, { salt: candidate.salt, id: body.cid.toString(), body });
      return body;
    },
    bodyId(candidate) {
      const found = known.get(candidate.content);
      return found?.salt === candidate.salt ? found.id : cipher.encodeBody(candidate).cid.toString();
    },
    release(candidate) {
      const found = known.get(candidate.content);
      if (found !== undefined) found.body = null;
    },
    partsOf: (root) => rootOf(root).parts,
    decodeBody(rootBlock, partBlocks) {
      const root = rootOf(rootBlock);
      const sizeBytes = partBlocks.reduce((sum, part) => sum + part.length, 0);
      if (partBlocks.length !== root.parts.length || sizeBytes > maxPlaintextBytes) throw abnormalBody('parts');
      for (const [index, cid] of root.parts.entries()) {
        const part = partBlocks[index] as Uint8Array;
        const isFull = index < partBlocks.length - 1 ? part.length === partBytes : part.length <= partBytes;
        if (!isFull || !cidOfRaw(part).equals(cid)) throw abnormalBody('parts');
      }
      const body = decodeBodyContent(ledger, decrypt(Buffer.concat(partBlocks)));
      const links = envelopeLinks(body.content, envelopesOf);
      const agrees =
        links.length === root.links.length && links.every((cid, at) => bytesEqual(cid, root.links[at] as Uint8Array));
      if (!agrees) throw abnormalBody('links');
      return body;
    },
  };
  return cipher;
}
