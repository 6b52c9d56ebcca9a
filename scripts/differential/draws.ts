/** Draws that a seed decides (mulberry32), the same on every machine. */
export class Draws {
  #state: number;
  readonly #left = new Map<readonly unknown[], unknown[]>();

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  of<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError('nothing to draw from');
    return value;
  }

  /** One of them, none a second time before all were drawn: what is rare otherwise comes often enough. */
  inTurn<T>(values: readonly T[]): T {
    const left = this.#left.get(values)?.length ? (this.#left.get(values) as T[]) : this.shuffled(values);
    const drawn = left.pop();
    if (drawn === undefined) throw new RangeError('nothing to draw from');
    this.#left.set(values, left);
    return drawn;
  }

  shuffled<T>(values: readonly T[]): T[] {
    const left = [...values];
    return values.map(() => {
      const [drawn] = left.splice(this.below(left.length), 1);
      if (drawn === undefined) throw new RangeError('nothing to draw from');
      return drawn;
    });
  }
}
