import { WaymarkError } from '@waymark/protocol';

/** Pulls exact numbers of bytes from a stream, holding no more than was asked for and one piece of the stream. */
export class ByteSource {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#pieces = stream[Symbol.asyncIterator]();
  }

  /**
   * @returns exactly `sizeBytes` bytes, or undefined when the stream had ended before the first of them
   * @throws `input-invalid` when the stream ends within them
   */
  async take(sizeBytes: number): Promise<Uint8Array | undefined> {
    if (this.#rest.length >= sizeBytes) return this.#cut(sizeBytes);
    const parts: Uint8Array[] = [];
    let missing = sizeBytes;
    while (missing > 0) {
      if (this.#rest.length === 0) {
        const next = await this.#pieces.next();
        if (next.done === true) {
          if (missing === sizeBytes) return undefined;
          throw new WaymarkError('input-invalid', 'The CAR ends in the middle of a section.', {
            details: { reason: 'truncated' },
          });
        }
        this.#rest = next.value;
        continue;
      }
      const part = this.#cut(Math.min(missing, this.#rest.length));
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  #cut(sizeBytes: number): Uint8Array {
    const part = this.#rest.subarray(0, sizeBytes);
    this.#rest = this.#rest.subarray(sizeBytes);
    return part;
  }
}
