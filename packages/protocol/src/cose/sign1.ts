import { type KeyObject, X509Certificate } from 'node:crypto';
import { cborTag, type CborValue, encodeCbor } from '../encoding/cbor.ts';
import { WaymarkError } from '../errors.ts';
import { bytesEqual, sha256 } from '../hash.ts';
import { es256, toLowS } from './algorithms.ts';
import {
  bytesOf,
  decodeProtected,
  decodeStructure,
  type DecodedHeader,
  encodeProtected,
  externalAad,
  headerOf,
  label,
  malformed,
  structureTag,
} from './structure.ts';

const maxSignedBytes = 4 * 1024 * 1024;
/** COSE algorithm id of SHA-256, in x5t. */
const sha256Id = -16;

/** Who signs: a P-256 key and the certificate that goes with it. */
export interface CoseSigner {
  /** ECDSA P-256 over SHA-256 of the message, as r‖s. */
  sign(message: Uint8Array): Uint8Array;
  readonly certificateDer: Uint8Array;
}

/** What a signature is for; both are part of what is signed. */
export interface SignatureContext {
  readonly type: string;
  readonly channel: string;
}

/** A COSE_Sign1 as read; nothing in it is proven yet. */
export interface Sign1 {
  /** Null when the payload is detached. */
  readonly payload: Uint8Array | null;
  /** The certificate it carries. */
  readonly certificateDer: Uint8Array;
  /** SHA-256 of the certificate, from the protected header. */
  readonly certificateDigest: Uint8Array;
  readonly protectedBytes: Uint8Array;
  readonly signature: Uint8Array;
}

function toBeSigned(protectedBytes: Uint8Array, context: SignatureContext, payload: Uint8Array): Uint8Array {
  return encodeCbor(['Signature1', protectedBytes, externalAad(context.type, context.channel), payload]);
}

/**
 * Signs as COSE_Sign1 (RFC 9052 section 4.2): ES256, certificate by x5t and x5chain (RFC 9360).
 * @param detached leaves the payload out of the message
 */
export function signCose(
  signer: CoseSigner,
  context: SignatureContext,
  payload: Uint8Array,
  detached = false,
): Uint8Array {
  const header = new Map<number, CborValue>([
    [label.alg, es256.id],
    [label.x5t, [sha256Id, sha256(signer.certificateDer)]],
  ]);
  const protectedBytes = encodeProtected(header);
  const signature = toLowS(signer.sign(toBeSigned(protectedBytes, context, payload)));
  const unprotected = new Map([[label.x5chain, signer.certificateDer]]);
  return encodeCbor(cborTag(structureTag.sign1, [protectedBytes, unprotected, detached ? null : payload, signature]));
}

/**
 * Reads a COSE_Sign1 of ours. The certificate is the one that the protected header names; whether it is to be trusted, and
 * whether the signature holds, is for the caller.
 * @throws WaymarkError input-invalid, limit-exceeded
 */
export function readSign1(bytes: Uint8Array): Sign1 {
  const [first, second, payload, last] = decodeStructure(bytes, structureTag.sign1, 4, maxSignedBytes);
  const protectedBytes = bytesOf(first);
  const header = decodeProtected(protectedBytes);
  if (header.get(label.alg) !== es256.id || header.size !== 2) throw malformed('its algorithm is not ES256');
  const certificateDigest = thumbprintOf(header);
  const unprotected = headerOf(second);
  const certificateDer = bytesOf(unprotected.get(label.x5chain));
  if (unprotected.size !== 1) throw malformed('it has unknown headers');
  if (!bytesEqual(sha256(certificateDer), certificateDigest))
    throw malformed('it carries another certificate than it names');
  return {
    payload: payload === null ? null : bytesOf(payload),
    certificateDer,
    certificateDigest,
    protectedBytes,
    signature: bytesOf(last),
  };
}

function thumbprintOf(header: DecodedHeader): Uint8Array {
  const value = header.get(label.x5t);
  if (!Array.isArray(value) || value.length !== 2 || value[0] !== sha256Id) throw malformed('it names no certificate');
  return bytesOf(value[1] as Uint8Array);
}

/**
 * Checks the signature of a `readSign1`, by a key or by the certificate it carries.
 * @param payload needed when it is detached
 * @returns the payload
 * @throws WaymarkError signature-invalid
 */
export function verifySign1(
  message: Sign1,
  context: SignatureContext,
  { payload, publicKey }: { payload?: Uint8Array; publicKey?: KeyObject } = {},
): Uint8Array {
  const invalid = (cause?: unknown): WaymarkError =>
    new WaymarkError('signature-invalid', 'The signature does not cover these bytes or was not made by this key.', {
      cause,
    });
  const content = message.payload ?? payload;
  if (
    content === undefined ||
    (message.payload !== null && payload !== undefined && !bytesEqual(message.payload, payload))
  ) {
    throw invalid();
  }
  let key = publicKey;
  try {
    key ??= new X509Certificate(message.certificateDer).publicKey;
  } catch (cause) {
    throw invalid(cause);
  }
  if (!es256.verify(key, toBeSigned(message.protectedBytes, context, content), message.signature)) throw invalid();
  return content;
}
