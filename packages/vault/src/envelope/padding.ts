import { WaymarkError } from '@waymark/protocol';

const lengthBytes = 4;

/**
 * Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PETS 2019, section 4): the
 * size that `length` bytes are padded to. At most 12 % more; what leaks is O(log log length) bits.
 */
export function padmeLength(length: number): number {
  if (length < 2) return length;
  const exponent = Math.floor(Math.log2(length));
  const kept = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** Math.max(0, exponent - kept);
  return Math.ceil(length / step) * step;
}

/** u32 length, big-endian ‖ content ‖ zeros up to the Padmé size. */
export function pad(content: Uint8Array): Uint8Array {
  const padded = Buffer.alloc(padmeLength(lengthBytes + content.length));
  padded.writeUInt32BE(content.length, 0);
  padded.set(content, lengthBytes);
  return padded;
}

/**
 * Takes padding off again; any other padding than `pad` makes is refused, so that one content has one plaintext.
 * @throws WaymarkError data-abnormal
 */
export function unpad(padded: Uint8Array): Uint8Array {
  const buffer = Buffer.from(padded.buffer, padded.byteOffset, padded.byteLength);
  const length = buffer.length < lengthBytes ? -1 : buffer.readUInt32BE(0);
  const end = lengthBytes + length;
  if (length < 0 || padmeLength(end) !== buffer.length || !buffer.subarray(end).every((byte) => byte === 0)) {
    throw new WaymarkError('data-abnormal', 'The opened envelope is not padded as it must be.');
  }
  return buffer.subarray(lengthBytes, end);
}
