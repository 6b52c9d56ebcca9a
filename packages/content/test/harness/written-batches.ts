import type { Block } from '@waymark/content';
import { linkingBlock, sampleBlocks } from '@waymark/testing/content-compliance';

/** The blocks of a numbered batch: some payloads and a block that links to them. */
export function batchOf(number: number): { blocks: Block[]; root: Block } {
  const leaves = sampleBlocks(`batch ${number}`, 1 + (number % 20), 200 + (number % 7) * 300);
  const root = linkingBlock(
    leaves.map((leaf) => leaf.cid),
    `batch ${number}`,
  );
  return { blocks: [...leaves, root], root };
}
