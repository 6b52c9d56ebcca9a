import type { Needle } from './canary.ts';

/** Looks for many needles in one pass. */
export interface Scanner {
  readonly needleCount: number;
  readonly longestBytes: number;
  /** The needles that occur in `haystack`. */
  scan(haystack: Uint8Array): Needle[];
}

/** Builds a scanner; needles of fewer than eight bytes would be found by chance and are refused. */
export function createScanner(needles: readonly Needle[]): Scanner {
  const firstTwo = new Uint8Array(0x10000);
  const byFirstFour = new Map<number, Needle[]>();
  for (const needle of needles) {
    if (needle.bytes.length < 8) throw new Error(`${needle.canary} is too short to be searched for`);
    firstTwo[needle.bytes.readUInt16BE(0)] = 1;
    const key = needle.bytes.readUInt32BE(0);
    byFirstFour.set(key, [...(byFirstFour.get(key) ?? []), needle]);
  }
  return {
    needleCount: needles.length,
    longestBytes: Math.max(0, ...needles.map(({ bytes }) => bytes.length)),
    scan(haystack) {
      const found = new Set<Needle>();
      const buffer = Buffer.from(haystack.buffer, haystack.byteOffset, haystack.byteLength);
      const bytes = new Uint8Array(haystack.buffer, haystack.byteOffset, haystack.byteLength);
      const last = bytes.length - 4;
      for (let index = 0; index <= last; index += 1) {
        // This loop sees every byte of everything: it looks at two, and at no more unless some needle starts so.
        if (firstTwo[((bytes[index] as number) << 8) | (bytes[index + 1] as number)] === 0) continue;
        const candidates = byFirstFour.get(buffer.readUInt32BE(index));
        if (candidates === undefined) continue;
        for (const needle of candidates) {
          const end = index + needle.bytes.length;
          if (end <= buffer.length && buffer.compare(needle.bytes, 0, needle.bytes.length, index, end) === 0) {
            found.add(needle);
          }
        }
      }
      return [...found];
    },
  };
}
