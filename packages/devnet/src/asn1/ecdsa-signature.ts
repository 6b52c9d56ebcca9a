import { derSequence, derUnsignedInteger, isDerSequence, readDerElement, readDerUnsignedInteger } from './der.ts';

const FIELD_BYTES = 32;
/** Order of the P-256 group (FIPS 186-4, D.1.2.3). */
const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
const HALF_ORDER_BYTES = toFieldBytes(ORDER >> 1n);

function toFieldBytes(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(FIELD_BYTES * 2, '0'), 'hex');
}

/** A P-256 signature as r ‖ s (IEEE P1363), with s replaced by n − s when it lies above half the order. */
export function normaliseLowS(rs: Uint8Array): Buffer {
  const result = Buffer.from(rs);
  const s = result.subarray(FIELD_BYTES);
  if (Buffer.compare(s, HALF_ORDER_BYTES) > 0) {
    toFieldBytes(ORDER - BigInt(`0x${s.toString('hex')}`)).copy(s);
  }
  return result;
}

/** DER `ECDSA-Sig-Value` of r ‖ s. */
export function signatureToDer(rs: Uint8Array): Uint8Array {
  return derSequence(derUnsignedInteger(rs.subarray(0, FIELD_BYTES)), derUnsignedInteger(rs.subarray(FIELD_BYTES)));
}

/**
 * r ‖ s of a DER signature, or undefined when it is not a sequence of two non-negative integers with a low s: Fabric refuses
 * high-S signatures.
 */
export function lowSFromDer(der: Uint8Array): Buffer | undefined {
  const rs = signatureFromDer(der);
  return rs === undefined || Buffer.compare(rs.subarray(FIELD_BYTES), HALF_ORDER_BYTES) > 0 ? undefined : rs;
}

/**
 * r ‖ s of a DER signature, or undefined when it is not a sequence of two non-negative integers. As in Fabric
 * (bccsp/utils/ecdsa.go reads with Go's asn1), anything after the two integers is ignored.
 */
export function signatureFromDer(der: Uint8Array): Buffer | undefined {
  const sequence = readDerElement(der);
  if (!isDerSequence(sequence)) return undefined;
  const first = readDerElement(sequence.content);
  const r = readDerUnsignedInteger(first);
  const s =
    first === undefined ? undefined : readDerUnsignedInteger(readDerElement(sequence.content, first.nextOffset));
  if (r === undefined || s === undefined || r.length > FIELD_BYTES || s.length > FIELD_BYTES) return undefined;
  const rs = Buffer.alloc(FIELD_BYTES * 2);
  rs.set(r, FIELD_BYTES - r.length);
  rs.set(s, FIELD_BYTES * 2 - s.length);
  return rs;
}
