import { createHash, randomInt } from 'node:crypto';

/** Draws that a seed decides. */
export interface Draws {
  readonly seed: number;
  /** Uniform in [0, 1). */
  next(): number;
  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number;
  pick<T>(items: readonly T[]): T;
  shuffled<T>(items: readonly T[]): T[];
}

/** The seed that WAYMARK_SEED names, or a fresh one. */
export function seedOfRun(): number {
  const text = process.env['WAYMARK_SEED'];
  if (text === undefined || text === '') return randomInt(2 ** 31);
  if (!/^[0-9]{1,10}$/.test(text)) throw new Error('WAYMARK_SEED: expected a whole number');
  return Number(text);
}

/** A stream of draws: SHA-256 over seed and counter, so that it is the same on every machine. */
export function drawsFrom(seed: number): Draws {
  let counter = 0;
  const next = (): number => {
    counter += 1;
    const digest = createHash('sha256')
      .update(`${String(seed)}/${String(counter)}`)
      .digest();
    return digest.readUIntBE(0, 6) / 2 ** 48;
  };
  const between = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  const pick = <T>(items: readonly T[]): T => items[between(0, items.length - 1)] as T;
  return {
    seed,
    next,
    between,
    pick,
    shuffled: <T>(items: readonly T[]): T[] => {
      const left = [...items];
      const order: T[] = [];
      while (left.length > 0) order.push(...left.splice(between(0, left.length - 1), 1));
      return order;
    },
  };
}
