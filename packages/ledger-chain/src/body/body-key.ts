import { createHmac } from 'node:crypto';
import { encodeCbor, WaymarkError } from '@waymark/protocol';

const keyBytes = 32;
const firstCounter = Uint8Array.of(1);

/** HKDF-Expand with SHA-256 for one block of output (RFC 5869 section 2.3). */
function expand(key: Uint8Array, info: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(info).update(firstCounter).digest();
}

/** What the bodies of one ledger are encrypted with. */
export interface BodyKey {
  /** Name of a plaintext: 32 bytes that tell nothing of it to who lacks the key. */
  nameOf(plaintext: Uint8Array): Uint8Array;
  /** The key for the one plaintext of this name. */
  contentKey(name: Uint8Array): Uint8Array;
}

/**
 * Keys of a ledger's bodies (docs/formats.md, "Body of a block"): all that the members need to make the same bytes of the same content.
 * @param indexRoot 32 bytes, shared by the nodes of one firm
 * @throws WaymarkError key-invalid
 */
export function deriveBodyKey(indexRoot: Uint8Array, ledger: string): BodyKey {
  if (indexRoot.length !== keyBytes)
    throw new WaymarkError('key-invalid', 'The root key of a firm has 32 bytes.', {
      details: { sizeBytes: indexRoot.length },
    });
  const root = expand(indexRoot, encodeCbor(['ledger-body', ledger]));
  const naming = expand(root, encodeCbor(['name']));
  return {
    nameOf: (plaintext) => createHmac('sha256', naming).update(plaintext).digest(),
    contentKey: (name) => expand(root, encodeCbor(['content', name])),
  };
}
