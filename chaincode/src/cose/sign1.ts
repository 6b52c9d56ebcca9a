import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { Refusal, refuseInput } from '../errors.ts';
import { CborTagged, decodeCbor, encodeCbor, type Cbor } from './cbor.ts';

const sign1Tag = 18;
const algorithmLabel = 1;
const x5chainLabel = 33;
const x5tLabel = 34;
const es256 = -7;
const sha256 = -16;

/** Half the order of P-256: a signature with a larger s has a twin of the same meaning, and is refused. */
const halfOrder = Buffer.from('7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8', 'hex');

/** Who must have signed, and what for. */
export interface Sign1Expectation {
  readonly type: string;
  readonly channel: string;
  /** SHA-256 of the signer's certificate, lower-case hex. */
  readonly certificate: string;
  /** SubjectPublicKeyInfo of the signer, DER. */
  readonly publicKey: Uint8Array;
}

/**
 * Verifies a COSE_Sign1 as docs/formats.md has it (ES256, certificate by x5t and x5chain, external_aad = ["waymark/v1", type, channel])
 * and returns its payload.
 *
 * @throws `input-invalid` when it is not that structure, `signature-invalid` when another signed it or other bytes
 */
export function openSign1(bytes: Uint8Array, place: string, expected: Sign1Expectation): Uint8Array {
  const { protectedBytes, certificate, payload, signature } = readSign1(bytes, place);
  if (createHash('sha256').update(certificate).digest('hex') !== expected.certificate) {
    throw new Refusal('signature-invalid', { reason: 'signer' });
  }
  const aad = encodeCbor(['waymark/v1', expected.type, expected.channel]);
  const signed = encodeCbor(['Signature1', protectedBytes, aad, payload]);
  const key = createPublicKey({ key: Buffer.from(expected.publicKey), format: 'der', type: 'spki' });
  if (!isLowS(signature) || !verifyP256(key, signed, signature))
    throw new Refusal('signature-invalid', { reason: 'bytes' });
  return payload;
}

/** Whether an r‖s signature over P-256 has its s in the lower half. */
export function isLowS(signature: Uint8Array): boolean {
  return Buffer.compare(signature.subarray(32), halfOrder) <= 0;
}

/** ECDSA over P-256 with SHA-256, r‖s. */
export function verifyP256(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  return (
    key.asymmetricKeyDetails?.namedCurve === 'prime256v1' &&
    signature.length === 64 &&
    verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature)
  );
}

function readSign1(bytes: Uint8Array, place: string) {
  const message = decode(bytes, place);
  const parts = message instanceof CborTagged && message.tag === sign1Tag ? message.value : undefined;
  if (!Array.isArray(parts) || parts.length !== 4) return refuseInput(place, 'is not a COSE_Sign1');
  const [protectedBytes, unprotected, payload, signature] = parts as readonly Cbor[];
  if (!(protectedBytes instanceof Uint8Array && payload instanceof Uint8Array && signature instanceof Uint8Array)) {
    return refuseInput(place, 'is not a COSE_Sign1');
  }
  const certificate =
    unprotected instanceof Map && unprotected.size === 1 ? (unprotected as CborMap).get(x5chainLabel) : undefined;
  if (!(certificate instanceof Uint8Array)) return refuseInput(place, 'does not carry one certificate');
  const x5t = createHash('sha256').update(certificate).digest();
  const header = encodeCbor(
    new Map<Cbor, Cbor>([
      [algorithmLabel, es256],
      [x5tLabel, [sha256, x5t]],
    ]),
  );
  if (Buffer.compare(header, protectedBytes) !== 0)
    return refuseInput(place, 'does not name ES256 and its certificate');
  return { protectedBytes, certificate, payload, signature };
}

type CborMap = ReadonlyMap<Cbor, Cbor>;

/** Decodes bytes of an argument. Throws `input-invalid`. */
export function decode(bytes: Uint8Array, place: string): Cbor {
  try {
    return decodeCbor(bytes);
  } catch {
    return refuseInput(place, 'is not deterministic CBOR');
  }
}
