import { CID } from 'multiformats/cid';
import { create as createDigest } from 'multiformats/hashes/digest';
import { WaymarkError } from '../errors.ts';
import { bytesEqual, sha256 } from '../hash.ts';

/** Multicodec codes of the blocks we make. */
export const rawCode = 0x55;
export const dagCborCode = 0x71;
const sha256Code = 0x12;
const digestBytes = 32;

/** CIDv1 of a raw block. */
export function cidOfRaw(bytes: Uint8Array): CID {
  return CID.createV1(rawCode, createDigest(sha256Code, sha256(bytes)));
}

/** CIDv1 of a dag-cbor block. */
export function cidOfDagCbor(bytes: Uint8Array): CID {
  return CID.createV1(dagCborCode, createDigest(sha256Code, sha256(bytes)));
}

/**
 * Checks that a CID is one of ours: version 1, raw or dag-cbor, SHA-256. Version 0, identity and other hashes would be
 * second names for the same bytes, or no check at all.
 * @throws WaymarkError input-invalid
 */
export function checkCid(cid: CID, codes: readonly number[] = [rawCode, dagCborCode]): CID {
  if (
    cid.version !== 1 ||
    cid.multihash.code !== sha256Code ||
    cid.multihash.digest.length !== digestBytes ||
    !codes.includes(cid.code)
  ) {
    throw new WaymarkError('input-invalid', 'The CID is not a version 1 SHA-256 CID of a kind that is used here.');
  }
  return cid;
}

/**
 * Reads a CID from its text (base32) form.
 * @throws WaymarkError input-invalid
 */
export function parseCid(text: string, codes?: readonly number[]): CID {
  let cid: CID;
  try {
    cid = CID.parse(text);
  } catch (cause) {
    throw new WaymarkError('input-invalid', 'The text is not a CID.', { cause });
  }
  if (cid.toString() !== text) throw new WaymarkError('input-invalid', 'The CID is not in its base32 form.');
  return checkCid(cid, codes);
}

/**
 * Reads a CID from its bytes.
 * @throws WaymarkError input-invalid
 */
export function decodeCid(bytes: Uint8Array, codes?: readonly number[]): CID {
  let cid: CID;
  try {
    cid = CID.decode(bytes);
  } catch (cause) {
    throw new WaymarkError('input-invalid', 'The bytes are not a CID.', { cause });
  }
  return checkCid(cid, codes);
}

/**
 * Checks that bytes are what their CID names.
 * @throws WaymarkError data-abnormal when they are not; input-invalid for a CID that is none of ours
 */
export function verifyBlock(cid: CID, bytes: Uint8Array): void {
  checkCid(cid);
  if (!bytesEqual(sha256(bytes), cid.multihash.digest)) {
    throw new WaymarkError('data-abnormal', 'The bytes are not those that their CID names.', {
      details: { cid: cid.toString() },
    });
  }
}
