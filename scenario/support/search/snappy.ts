/**
 * Decompresses one Snappy block (raw format: a varint with the length, then literals and copies).
 * @throws Error when the bytes are not Snappy or would unpack to more than `maxBytes`
 */
export function decompressSnappy(input: Uint8Array, maxBytes = 64 * 1024 * 1024): Buffer {
  let at = 0;
  const byte = (): number => {
    const value = input[at];
    if (value === undefined) throw new Error('snappy: cut off');
    at += 1;
    return value;
  };
  const littleEndian = (count: number): number => {
    let value = 0;
    for (let index = 0; index < count; index += 1) value += byte() * 2 ** (8 * index);
    return value;
  };
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const value = byte();
    length += (value & 0x7f) * 2 ** shift;
    if (value < 0x80) break;
    if (shift > 28) throw new Error('snappy: bad length');
  }
  if (length > maxBytes) throw new Error('snappy: too large');
  const output = Buffer.alloc(length);
  let to = 0;
  while (at < input.length) {
    const tag = byte();
    const kind = tag & 3;
    if (kind === 0) {
      const short = tag >> 2;
      const count = (short < 60 ? short : littleEndian(short - 59)) + 1;
      if (at + count > input.length || to + count > length) throw new Error('snappy: bad literal');
      output.set(input.subarray(at, at + count), to);
      at += count;
      to += count;
      continue;
    }
    const count = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const offset = kind === 1 ? ((tag >> 5) << 8) + byte() : littleEndian(kind === 2 ? 2 : 4);
    if (offset === 0 || offset > to || to + count > length) throw new Error('snappy: bad copy');
    // Copies may overlap what they write.
    for (let index = 0; index < count; index += 1, to += 1) output[to] = output[to - offset] ?? 0;
  }
  if (to !== length) throw new Error('snappy: wrong length');
  return output;
}
