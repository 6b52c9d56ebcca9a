import type { Block, BlockStream } from './content-store.ts';
import { maxChunkBlocks, maxChunkSizeBytes } from './limits.ts';

/** Cuts a stream into pieces that are handed on as one write, each verified by `check` as it comes in. */
export async function* chunksOf<T>(
  blocks: BlockStream,
  check: (block: Block) => T,
): AsyncGenerator<{ items: T[]; sizeBytes: number }> {
  let items: T[] = [];
  let sizeBytes = 0;
  for await (const block of blocks) {
    items.push(check(block));
    sizeBytes += block.bytes.length;
    if (items.length < maxChunkBlocks && sizeBytes < maxChunkSizeBytes) continue;
    yield { items, sizeBytes };
    items = [];
    sizeBytes = 0;
  }
  if (items.length > 0) yield { items, sizeBytes };
}
