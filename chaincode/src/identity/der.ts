/** One element of DER (X.690): its tag byte, its content, and all its bytes. */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Reads the element at the start of `bytes`; throws a RangeError when it is cut short or not DER. */
export function readElement(bytes: Uint8Array): DerElement {
  const tag = byteAt(bytes, 0);
  let length = byteAt(bytes, 1);
  let start = 2;
  if (length >= 0x80) {
    const lengthBytes = length & 0x7f;
    if (lengthBytes === 0 || lengthBytes > 4) throw new RangeError('DER length');
    length = 0;
    for (let index = 0; index < lengthBytes; index++) length = length * 256 + byteAt(bytes, start++);
  }
  if (bytes.length < start + length) throw new RangeError('DER cut short');
  return { tag, content: bytes.subarray(start, start + length), bytes: bytes.subarray(0, start + length) };
}

/** The elements that follow each other in `content`. */
export function readElements(content: Uint8Array): readonly DerElement[] {
  const elements: DerElement[] = [];
  for (let rest = content; rest.length > 0;) {
    const element = readElement(rest);
    elements.push(element);
    rest = rest.subarray(element.bytes.length);
  }
  return elements;
}

function byteAt(bytes: Uint8Array, index: number): number {
  const byte = bytes[index];
  if (byte === undefined) throw new RangeError('DER cut short');
  return byte;
}
