import { isWaymarkError } from '@waymark/protocol';

/** The stable code of what `run` throws, or "done"; a failure without a code fails the test. */
export function codeOf(run: () => unknown): string {
  try {
    run();
    return 'done';
  } catch (error) {
    if (isWaymarkError(error)) return error.code;
    throw error;
  }
}

/** The same of a promise. */
export async function codeOfAsync(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return 'done';
  } catch (error) {
    if (isWaymarkError(error)) return error.code;
    throw error;
  }
}

/** A copy with one bit turned. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const altered = Buffer.from(bytes);
  altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return altered;
}

/** All spellings of a secret that a leak could have. */
export function spellings(secret: Uint8Array): readonly string[] {
  return (['hex', 'base64', 'base64url', 'latin1', 'utf16le'] as const).map((encoding) =>
    Buffer.from(secret).toString(encoding),
  );
}
