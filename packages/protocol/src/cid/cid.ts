import { CID } from 'multiformats/cid';
import { Digest } from 'multiformats/hashes/digest';
import { WaymarkError } from '../errors.ts';
import { bytesEqual, sha256 } from '../hash.ts';

/** Multicodec codes of the blocks we make. */
export const rawCode = 0x55;
export const dagCborCode = 0x71;
/** Bytes of a CID of ours: version, codec, hash function, length of the digest, digest. */
export const cidBytes = 36;
const sha256Code = 0x12;
const digestBytes = 32;
const digestStart = cidBytes - digestBytes;
const multihashStart = 2;
/** Base32 of 36 bytes behind the multibase prefix; other texts of the same CID are second names. */
const cidText = /^b[a-z2-7]{58}$/;
const usedCodes: readonly number[] = [rawCode, dagCborCode];

/** CIDv1 of a raw block. */
export function cidOfRaw(bytes: Uint8Array): CID {
  return ofDigest(rawCode, sha256(bytes));
}

/** CIDv1 of a dag-cbor block. */
export function cidOfDagCbor(bytes: Uint8Array): CID {
  return ofDigest(dagCborCode, sha256(bytes));
}

function ofDigest(code: number, digest: Uint8Array): CID {
  const bytes = new Uint8Array(cidBytes);
  bytes.set([1, code, sha256Code, digestBytes]);
  bytes.set(digest, digestStart);
  return ofBytes(code, bytes);
}

/** A CID over its own bytes, whose form was checked. The library's factories encode version, codec and digest anew, at eight times the cost. */
function ofBytes(code: number, bytes: Uint8Array): CID {
  const digest = new Digest(sha256Code, digestBytes, bytes.subarray(digestStart), bytes.subarray(multihashStart));
  return new CID(1, code, digest, bytes);
}

function refuse(reason: string, cause?: unknown): never {
  throw new WaymarkError('input-invalid', `The CID ${reason}.`, { details: { reason }, cause });
}

/**
 * Checks that a CID is one of ours: version 1, raw or dag-cbor, SHA-256. Version 0, identity and other hashes would be
 * second names for the same bytes, or no check at all.
 * @throws WaymarkError input-invalid
 */
export function checkCid(cid: CID, codes: readonly number[] = usedCodes): CID {
  if (cid.version !== 1) refuse('is not of version 1');
  if (cid.multihash.code !== sha256Code || cid.multihash.digest.length !== digestBytes) refuse('is not over SHA-256');
  if (!codes.includes(cid.code)) refuse('names a kind of block that is not used here');
  if (cid.bytes.length !== cidBytes) refuse('is not in its shortest form');
  return cid;
}

/**
 * Reads a CID from its text (base32) form.
 * @throws WaymarkError input-invalid
 */
export function parseCid(text: string, codes?: readonly number[]): CID {
  if (!cidText.test(text)) refuse('is not a version 1 SHA-256 CID in base32');
  let cid: CID;
  try {
    cid = CID.parse(text);
  } catch (cause) {
    // Among others: bits at the end that no byte uses.
    refuse('is not one', cause);
  }
  return checkCid(cid, codes);
}

/**
 * Reads a CID from its bytes.
 * @throws WaymarkError input-invalid
 */
export function decodeCid(bytes: Uint8Array, codes: readonly number[] = usedCodes): CID {
  const [version, code = 0, hashCode, length] = bytes;
  if (bytes.length !== cidBytes || version !== 1 || hashCode !== sha256Code || length !== digestBytes)
    refuse('is not a version 1 SHA-256 CID');
  if (!codes.includes(code)) refuse('names a kind of block that is not used here');
  return ofBytes(code, new Uint8Array(bytes));
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
