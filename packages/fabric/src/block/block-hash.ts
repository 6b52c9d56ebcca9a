import { createHash } from 'node:crypto';

/** Fabric's block data hash: SHA-256 over the envelopes, one after the other. */
export function blockDataHash(envelopes: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const envelope of envelopes) hash.update(envelope);
  return hash.digest();
}

/**
 * Fabric's block header hash: SHA-256 over the DER of SEQUENCE { INTEGER number, OCTET STRING previousHash, OCTET STRING
 * dataHash }.
 */
export function blockHeaderHash(number: bigint, previousHash: Uint8Array, dataHash: Uint8Array): Uint8Array {
  const body = Buffer.concat([
    element(0x02, integerBytes(number)),
    element(0x04, previousHash),
    element(0x04, dataHash),
  ]);
  return createHash('sha256').update(element(0x30, body)).digest();
}

function integerBytes(value: bigint): Uint8Array {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
}

/** A DER element; header fields are 64 bytes at most, so that the length always takes one byte. */
function element(tag: number, content: Uint8Array): Uint8Array {
  if (content.length > 127) throw new RangeError('a block header field is too long');
  return Buffer.concat([Buffer.of(tag, content.length), content]);
}
