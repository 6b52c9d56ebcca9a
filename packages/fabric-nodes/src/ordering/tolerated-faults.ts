import type { OrderingType } from '../options.ts';

/** How many of `orderers` may fail and the channel goes on: ⌊(n−1)/2⌋ that stop with Raft, ⌊(n−1)/3⌋ that do anything with BFT. */
export function toleratedFaults(type: OrderingType, orderers: number): number {
  return Math.max(0, Math.floor((orderers - 1) / (type === 'raft' ? 2 : 3)));
}
