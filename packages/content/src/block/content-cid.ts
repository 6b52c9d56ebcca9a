import { WaymarkError } from '@waymark/protocol';
import { CID } from 'multiformats/cid';
import { create as createDigest } from 'multiformats/hashes/digest';
import { sha256 } from './sha256.ts';

/** Multicodec codes of the blocks this product keeps. */
export const rawCode = 0x55;
export const dagPbCode = 0x70;
export const dagCborCode = 0x71;

export type ContentCodec = 'raw' | 'dag-cbor' | 'dag-pb';

const codecCodes: Readonly<Record<ContentCodec, number>> = {
  raw: rawCode,
  'dag-cbor': dagCborCode,
  'dag-pb': dagPbCode,
};
const acceptedCodes: ReadonlySet<number> = new Set(Object.values(codecCodes));
/** Multicodec code of SHA-256. */
export const sha256Code = 0x12;

/** Bytes of every CID this product uses: version, codec, hash function, digest length, digest. */
export const contentCidSizeBytes = 36;

/**
 * Refuses CIDs that are not CIDv1 over SHA-256 of a raw, dag-cbor or dag-pb block: identity CIDs carry their own bytes,
 * v0 CIDs are a second name of the same block, other hashes and codecs are not used by the formats.
 * @throws `input-invalid`
 */
export function requireContentCid(cid: CID): CID {
  const reason = refusalReason(cid);
  if (reason !== undefined)
    throw new WaymarkError('input-invalid', `This CID is not accepted: ${reason}.`, { details: { reason } });
  return cid;
}

function refusalReason(cid: CID): string | undefined {
  if (CID.asCID(cid) === null) return 'not a CID';
  if (cid.version !== 1) return 'CID version is not 1';
  if (cid.multihash.code !== sha256Code || cid.multihash.digest.length !== 32) return 'hash is not sha2-256';
  if (!acceptedCodes.has(cid.code)) return 'codec is not raw, dag-cbor or dag-pb';
  return undefined;
}

/**
 * Reads the text form of a CID from outside.
 * @throws `input-invalid`
 */
export function parseContentCid(text: string): CID {
  let cid: CID;
  try {
    if (text.length > 128) throw new Error('too long');
    cid = CID.parse(text);
  } catch (cause) {
    throw new WaymarkError('input-invalid', 'This is not a CID.', { cause });
  }
  return requireContentCid(cid);
}

/** The CID of these bytes. */
export function cidOf(codec: ContentCodec, bytes: Uint8Array): CID {
  return CID.createV1(codecCodes[codec], createDigest(sha256Code, sha256(bytes)));
}

/** The key under which a block is kept: two codecs over the same bytes name the same block, as in kubo. */
export function blockKey(cid: CID): Uint8Array {
  return cid.multihash.digest;
}
