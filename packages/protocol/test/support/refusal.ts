import { isWaymarkError, type ErrorDetails } from '../../src/index.ts';

/** Code and details of the typed error a call ends with; 'accepted' when it ends well. Any other error is a fault and comes through. */
export function refusal(run: () => unknown): { readonly code: string; readonly details: ErrorDetails } {
  try {
    run();
  } catch (error) {
    if (isWaymarkError(error)) return { code: error.code, details: error.details };
    throw error;
  }
  return { code: 'accepted', details: {} };
}

/** The code alone. */
export function codeOf(run: () => unknown): string {
  return refusal(run).code;
}

/** Bytes from hex. */
export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
}

/** The bytes with one bit of theirs changed. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  const index = Math.floor(bit / 8) % copy.length;
  copy[index] = (copy[index] ?? 0) ^ (1 << (bit % 8));
  return copy;
}
