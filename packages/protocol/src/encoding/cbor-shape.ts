import { WaymarkError } from '../errors.ts';

/**
 * Reads the heads of a CBOR item and nothing else, before a decoder that recurses and allocates gets to see it: a kilobyte can nest a
 * thousand arrays, a megabyte can hold a million empty ones. What is malformed is left for the decoder to refuse; up to that point the
 * count is right.
 * @throws WaymarkError limit-exceeded
 */
export function checkCborShape(
  bytes: Uint8Array,
  limits: { readonly maxDepth: number; readonly maxItems: number },
): void {
  /** Items still to come in each container that is open. */
  const left: number[] = [];
  let items = 0;
  let offset = 0;
  while (offset < bytes.length) {
    const head = bytes[offset] ?? 0;
    const major = head >> 5;
    const info = head & 31;
    offset += 1;
    let argument = info;
    if (info >= 24 && info <= 27) {
      const width = 1 << (info - 24);
      argument = 0;
      for (let index = 0; index < width; index += 1) argument = argument * 256 + (bytes[offset + index] ?? 0);
      offset += width;
    }
    if (major === 2 || major === 3) offset += argument;
    items += 1;
    if (items > limits.maxItems) throw exceeded('has too many parts', { maxItems: limits.maxItems });
    let last = left.length - 1;
    if (last >= 0) left[last] = (left[last] ?? 0) - 1;
    if (major === 4) left.push(argument);
    else if (major === 5) left.push(argument * 2);
    else if (major === 6) left.push(1);
    if (left.length > limits.maxDepth) throw exceeded('is nested too deeply', { maxDepth: limits.maxDepth });
    for (last = left.length - 1; last >= 0 && (left[last] ?? 0) <= 0; last -= 1) left.pop();
  }
}

function exceeded(reason: string, details: Readonly<Record<string, number>>): WaymarkError {
  return new WaymarkError('limit-exceeded', `The CBOR item ${reason}.`, { details });
}
