import { verify as verifySignature, type KeyObject } from 'node:crypto';
import { lowSFromDer, signatureToDer } from '../asn1/ecdsa-signature.ts';
import { sha256 } from '../sha256.ts';
import { BoundedCache } from './bounded-cache.ts';

/** Enough for the blocks that peers are busy with: what is kept for longer only makes garbage collection dear. */
const CACHED_VERDICTS = 8_000;

/**
 * Verdicts by certificate, signature and message digest. The peers of a devnet run in one process and all check the same
 * signatures of the same blocks; a verdict depends on nothing else, so one computation serves them all.
 */
const verdicts = new BoundedCache<boolean>(CACHED_VERDICTS);

/** Checks an ECDSA P-256/SHA-256 signature in DER; a high s is refused, as Fabric does (bccsp/sw/ecdsa.go). */
export function verifyLowS(
  publicKey: KeyObject,
  fingerprint: string,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const rs = lowSFromDer(signature);
  if (rs === undefined) return false;
  const key = verdictKey(fingerprint, rs, message);
  const known = verdicts.get(key);
  if (known !== undefined) return known;
  // The key by itself: wrapped in options it costs Node two exceptions inside.
  const verdict = verifySignature('sha256', message, publicKey, signatureToDer(rs));
  verdicts.set(key, verdict);
  return verdict;
}

/**
 * A signature that this process made with the certificate's own key is right: whoever checks it needs no second computation.
 * Any other message, signature or certificate has its own verdict.
 */
export function rememberOwnSignature(fingerprint: string, message: Uint8Array, rs: Buffer): void {
  verdicts.set(verdictKey(fingerprint, rs, message), true);
}

function verdictKey(fingerprint: string, rs: Buffer, message: Uint8Array): string {
  return fingerprint + rs.toString('latin1') + sha256(message).toString('latin1');
}
