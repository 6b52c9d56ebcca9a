import { createHash } from 'node:crypto';
import * as dagCbor from '@ipld/dag-cbor';
import { type Block, cidOf } from '@waymark/content';
import type { CID } from 'multiformats/cid';

let salt = '';

/** Makes the sample blocks of this run differ from those of other runs, for stores that outlive a run. */
export function saltSamples(value: string): void {
  salt = value;
}

/** Bytes that are the same in every run, and different for every seed. */
export function sampleBytes(seed: string, sizeBytes: number): Uint8Array {
  if (sizeBytes === 0) return new Uint8Array(0);
  return createHash('shake256', { outputLength: sizeBytes }).update(seed).digest();
}

export function rawBlock(bytes: Uint8Array): Block {
  return { cid: cidOf('raw', bytes), bytes };
}

export function sampleBlock(seed: string, sizeBytes = 1024): Block {
  return rawBlock(sampleBytes(`${salt}${seed}`, sizeBytes));
}

/** As many different blocks as asked for. */
export function sampleBlocks(seed: string, count: number, sizeBytes = 1024): Block[] {
  return Array.from({ length: count }, (_none, at) => sampleBlock(`${seed}/${at}`, sizeBytes));
}

/** A dag-cbor block that links to others, as a batch block does to its envelopes. */
export function linkingBlock(links: readonly CID[], note = ''): Block {
  const bytes = dagCbor.encode({ links: [...links], note: `${salt}${note}` });
  return { cid: cidOf('dag-cbor', bytes), bytes };
}
