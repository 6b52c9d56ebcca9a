import type { Candidate } from '@waymark/rsl';
import { encodeCandidate } from '../codec/envelope.ts';

/** Remembers the bytes of the last candidates: the same one goes to every member. */
export function createEncodedCandidates(maxBytes = 8 * 1024 * 1024): (candidate: Candidate) => Uint8Array {
  const encoded = new Map<Candidate, Uint8Array>();
  let sizeBytes = 0;
  return (candidate) => {
    const known = encoded.get(candidate);
    if (known !== undefined) return known;
    const bytes = encodeCandidate(candidate);
    encoded.set(candidate, bytes);
    sizeBytes += bytes.length;
    for (const [oldest, { length }] of encoded) {
      if (sizeBytes <= maxBytes) break;
      encoded.delete(oldest);
      sizeBytes -= length;
    }
    return bytes;
  };
}
