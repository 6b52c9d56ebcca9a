import { toLowS } from '@waymark/protocol';

/** An ECDSA signature of r and s (64 bytes) as DER, with the smaller of the two possible s: Fabric refuses the other. */
export function derSignature(raw: Uint8Array): Uint8Array {
  const low = toLowS(raw);
  const body = Buffer.concat([integer(low.subarray(0, 32)), integer(low.subarray(32))]);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}

/** INTEGER: no needless leading zeros, one where the number would else be negative. */
function integer(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.of(0) : bytes.subarray(first);
  const positive = (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits;
  return Buffer.concat([Buffer.of(2, positive.length), positive]);
}
