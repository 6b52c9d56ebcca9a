/**
 * The only source of chance in a simulation: sfc32, a published small generator in 32-bit integer arithmetic, so that a
 * seed means the same run on any machine.
 */
export interface Random {
  /** The next 32-bit unsigned integer. */
  next(): number;
  /** An integer from 0 to `limit` − 1. */
  below(limit: number): number;
  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number;
  /** True in `perMille` of a thousand cases. */
  chance(perMille: number): boolean;
  pick<T>(choices: readonly T[]): T;
  /** The choices in another order; the list given is left alone. */
  shuffled<T>(choices: readonly T[]): T[];
  /** A generator of its own, so that one part of the world drawing more does not move what another draws. */
  fork(label: number): Random;
}

/** @param seed any safe integer ≥ 0 */
export function seededRandom(seed: number): Random {
  return fromState(seed >>> 0, Math.floor(seed / 0x1_0000_0000) >>> 0, 0x9e3779b9);
}

function fromState(first: number, second: number, third: number): Random {
  let a = first | 0;
  let b = second | 0;
  let c = third | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round += 1) next();
  const random: Random = {
    next,
    below: (limit) => next() % limit,
    between: (low, high) => low + (next() % (high - low + 1)),
    chance: (perMille) => next() % 1000 < perMille,
    pick: (choices) => {
      const chosen = choices[next() % choices.length];
      if (chosen === undefined) throw new RangeError('nothing to pick from');
      return chosen;
    },
    shuffled: (choices) => {
      const order = [...choices];
      for (let last = order.length - 1; last > 0; last -= 1) {
        const other = next() % (last + 1);
        const kept = order[last];
        const moved = order[other];
        if (kept === undefined || moved === undefined) continue;
        order[last] = moved;
        order[other] = kept;
      }
      return order;
    },
    fork: (label) => fromState(next(), next(), label),
  };
  return random;
}
