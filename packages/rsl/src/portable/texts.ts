import { dagCborCode, parseCid, toHex, WaymarkError } from '@waymark/protocol';
import { type BlockHash, type Digest, noBlock, type Signature } from '../ids.ts';

/** What the core holds as text and bytes carry as it is: signatures, digests. */

/** @throws WaymarkError input-invalid */
export function refusePortable(what: string, place: string): never {
  throw new WaymarkError('input-invalid', `${what}: ${place} does not have the expected form.`, { details: { place } });
}

/** A signature as the core holds it: base64url. */
export function signatureText(bytes: Uint8Array): Signature {
  return Buffer.from(bytes).toString('base64url');
}

/** @throws WaymarkError input-invalid for anything but the one base64url text of some bytes */
export function signatureBytes(signature: Signature): Uint8Array {
  const bytes = Buffer.from(signature, 'base64url');
  if (bytes.toString('base64url') !== signature) refusePortable('signature', 'the whole');
  return bytes;
}

/** @throws WaymarkError input-invalid for anything but 64 lower-case hexadecimal digits */
export function digestBytes(digest: Digest): Uint8Array {
  if (!/^[0-9a-f]{64}$/.test(digest)) refusePortable('digest', 'the whole');
  return Buffer.from(digest, 'hex');
}

/** A digest as the core holds it: lower-case hex. */
export function digestText(bytes: Uint8Array): Digest {
  return toHex(bytes);
}

/** The text of a block hash, or the empty one for no block. @throws WaymarkError input-invalid */
export function blockHash(text: string): BlockHash {
  return text === noBlock ? text : parseCid(text, [dagCborCode]).toString();
}
