import { createPublicKey } from 'node:crypto';
import { refuseInput } from '../errors.ts';
import { CborTagged, encodeCbor, type Cbor } from './cbor.ts';
import { decode, isLowS, verifyP256 } from './sign1.ts';

const sign1Tag = 18;
const algorithmLabel = 1;
const x5tLabel = 34;
const es256 = -7;
const sha256 = -16;

/** A signature that carries neither what it signs nor the certificate, only the certificate's digest. */
export interface DetachedSignature {
  /** SHA-256 of the signer's certificate, lower-case hex. */
  readonly certificate: string;
  readonly protectedBytes: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * Reads the signature of a statement of a private ledger (docs/formats.md, "Statements"): a COSE_Sign1 with detached payload, ES256, certificate by
 * x5t, nothing unprotected.
 *
 * @throws `input-invalid`
 */
export function readDetached(bytes: Uint8Array, place: string): DetachedSignature {
  const message = decode(bytes, place);
  const parts = message instanceof CborTagged && message.tag === sign1Tag ? message.value : undefined;
  if (!Array.isArray(parts) || parts.length !== 4) return refuseInput(place, 'is not a COSE_Sign1');
  const [protectedBytes, unprotected, payload, signature] = parts as readonly Cbor[];
  if (!(protectedBytes instanceof Uint8Array && signature instanceof Uint8Array))
    return refuseInput(place, 'is not a COSE_Sign1');
  if (!(unprotected instanceof Map) || unprotected.size > 0 || payload !== null)
    return refuseInput(place, 'carries more than a signature');
  const header = decode(protectedBytes, place);
  const x5t = header instanceof Map ? (header as ReadonlyMap<Cbor, Cbor>).get(x5tLabel) : undefined;
  const digest = Array.isArray(x5t) ? (x5t as readonly Cbor[])[1] : undefined;
  if (!(digest instanceof Uint8Array) || digest.length !== 32) return refuseInput(place, 'names no certificate');
  const expected = encodeCbor(
    new Map<Cbor, Cbor>([
      [algorithmLabel, es256],
      [x5tLabel, [sha256, digest]],
    ]),
  );
  if (Buffer.compare(expected, protectedBytes) !== 0)
    return refuseInput(place, 'does not name ES256 and its certificate');
  return { certificate: Buffer.from(digest).toString('hex'), protectedBytes, signature };
}

/** Whether this key (SubjectPublicKeyInfo, DER) made it over `payload`, for this type and channel, with low s. */
export function verifyDetached(
  message: DetachedSignature,
  context: { readonly type: string; readonly channel: string; readonly publicKey: Uint8Array },
  payload: Uint8Array,
): boolean {
  const aad = encodeCbor(['waymark/v1', context.type, context.channel]);
  const signed = encodeCbor(['Signature1', message.protectedBytes, aad, payload]);
  const key = createPublicKey({ key: Buffer.from(context.publicKey), format: 'der', type: 'spki' });
  return isLowS(message.signature) && verifyP256(key, signed, message.signature);
}
