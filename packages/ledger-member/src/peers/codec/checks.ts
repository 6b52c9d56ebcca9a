import { dagCborCode, parseCid, toHex, WaymarkError } from '@waymark/protocol';
import { type BlockHash, type Digest, maxMembers, noBlock, type Signature } from '@waymark/rsl';

/** What a message from another member may hold, beside its size. All counts are per list. */
export const codecLimits = {
  maxEntries: 1_024,
  /** Submissions of a block; each has a record. */
  maxSubmissions: 10_000,
  /** Records of a submission. */
  maxRecords: 10_000,
  /** Members of a ledger, and therefore acknowledgements and votes. */
  maxMembers,
  /** Sealed headers of one proof. */
  maxSeals: 1_024,
  maxConfigurations: 4_096,
  /** Departments that ever submitted. */
  maxCursors: 10_000,
  /** UTF-16 code units of any text. */
  maxTextLength: 1_024,
  maxSignatureSizeBytes: 4_096,
} as const;

const digestSizeBytes = 32;

/** @throws WaymarkError input-invalid */
export function refuseMessage(place: string, cause?: unknown): never {
  throw new WaymarkError('input-invalid', `A ledger message does not have the expected form: ${place}.`, {
    details: { place },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** What must be there. @throws WaymarkError input-invalid */
export function present<T>(value: T | undefined, place: string): T {
  return value ?? refuseMessage(place);
}

/** `undefined` on the wire is `null` in the core. */
export function nullable<T, U>(value: T | null | undefined, map: (value: T) => U): U | null {
  return value === null || value === undefined ? null : map(value);
}

/** `null` in the core is left out on the wire. */
export function optional<T, U>(value: T | null, map: (value: T) => U): U | undefined {
  return value === null ? undefined : map(value);
}

/** A list of at most so many. @throws WaymarkError input-invalid */
export function list<T, U>(values: readonly T[], max: number, place: string, map: (value: T) => U): U[] {
  if (values.length > max) refuseMessage(place);
  return values.map(map);
}

/** Any text that is not too long. @throws WaymarkError input-invalid */
export function text(value: string, place: string): string {
  return value.length <= codecLimits.maxTextLength ? value : refuseMessage(place);
}

/** The name of a member or a ledger. @throws WaymarkError input-invalid */
export function name(value: string, place: string): string {
  return value.length > 0 && value.length <= 256 ? value : refuseMessage(place);
}

/** A whole number from 0 on, as it goes onto the wire. @throws WaymarkError input-invalid */
export function whole(value: number, place: string): number {
  return Number.isSafeInteger(value) && value >= 0 ? value : refuseMessage(place);
}

/** A block hash, or none. It becomes a link in headers, so that it must be one. @throws WaymarkError input-invalid */
export function blockHash(value: string, place: string): BlockHash {
  return value === noBlock ? value : cid(value, place, [dagCborCode]);
}

/** The CID of something stored. @throws WaymarkError input-invalid */
export function cid(value: string, place: string, codes?: readonly number[]): string {
  try {
    parseCid(value, codes);
  } catch (cause) {
    refuseMessage(place, cause);
  }
  return value;
}

/** @throws WaymarkError input-invalid */
export function signatureFrom(bytes: Uint8Array, place: string): Signature {
  if (bytes.length > codecLimits.maxSignatureSizeBytes) refuseMessage(place);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url');
}

/** @throws WaymarkError input-invalid for anything but the one base64url text of some bytes */
export function signatureBytes(signature: Signature, place: string): Uint8Array {
  const bytes = Buffer.from(signature, 'base64url');
  return bytes.toString('base64url') === signature ? bytes : refuseMessage(place);
}

/** @throws WaymarkError input-invalid */
export function digestFrom(bytes: Uint8Array, place: string): Digest {
  return bytes.length === digestSizeBytes ? toHex(bytes) : refuseMessage(place);
}

/** A digest, or none. @throws WaymarkError input-invalid */
export function digestOrNoneFrom(bytes: Uint8Array, place: string): Digest {
  return bytes.length === 0 ? '' : digestFrom(bytes, place);
}

/** @throws WaymarkError input-invalid for anything but 64 lower-case hexadecimal digits or, where there may be none, the empty text */
export function digestBytes(digest: Digest, place: string): Uint8Array {
  return isHexDigest(digest) ? Buffer.from(digest, 'hex') : refuseMessage(place);
}

/** @throws WaymarkError input-invalid */
export function digestOrNoneBytes(digest: Digest, place: string): Uint8Array {
  return digest === '' ? new Uint8Array() : digestBytes(digest, place);
}

export function isHexDigest(value: string): boolean {
  return /^[0-9a-f]{64}$/.test(value);
}
