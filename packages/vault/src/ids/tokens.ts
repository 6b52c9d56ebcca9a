import type { KeyObject } from 'node:crypto';
import { encodeCbor, type BusinessId } from '@waymark/protocol';
import { hkdfExpand, hmacSha256, secretKey } from '../derivation/hkdf.ts';
import { normaliseBusinessId } from './business-id.ts';

/** Look-up tokens of one firm: what its index holds in place of order numbers and SSCCs. */
export interface Tokens {
  /**
   * HMAC(K_type, cbor[msp, type, normalised id]): 32 bytes, equal for all spellings of one id.
   * @throws WaymarkError input-invalid, limit-exceeded
   */
  token(id: BusinessId): Uint8Array;
  /** Tokens of all ids, without repetition, in byte order (which says nothing of the ids' order). */
  tokens(ids: readonly BusinessId[]): readonly Uint8Array[];
}

const maxTypes = 256;

/**
 * Tokens of one firm; K_type = Expand(indexRoot, cbor["token", type]).
 * @param indexRoot the firm's, 32 random bytes: never shared across firms, since it would be a dictionary oracle
 */
export function tokens(indexRoot: KeyObject, msp: string): Tokens {
  const typeKeys = new Map<string, KeyObject>();
  const keyOf = (type: string): KeyObject => {
    const known = typeKeys.get(type);
    if (known !== undefined) return known;
    const key = secretKey(hkdfExpand(indexRoot, encodeCbor(['token', type])));
    if (typeKeys.size < maxTypes) typeKeys.set(type, key);
    return key;
  };
  const token = (id: BusinessId): Uint8Array => {
    const { type, value } = normaliseBusinessId(id);
    return hmacSha256(keyOf(type), encodeCbor([msp, type, value]));
  };
  return {
    token,
    tokens(ids) {
      const sorted = ids.map((id) => token(id)).sort((a, b) => Buffer.compare(a, b));
      return sorted.filter((each, index) => index === 0 || Buffer.compare(each, sorted[index - 1] as Uint8Array) !== 0);
    },
  };
}
