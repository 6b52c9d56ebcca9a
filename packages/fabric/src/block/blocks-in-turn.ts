import type { common } from '@hyperledger/fabric-protos';
import { WaymarkError } from '@waymark/protocol';
import { decodeBlock } from './decode-block.ts';
import type { DecodedBlock } from './decoded-block.ts';

/**
 * Decodes a peer's blocks and sees to it that none is missing, and none comes twice.
 *
 * @param from number that the first block must have
 * @throws WaymarkError `data-abnormal` for a block out of turn or one that contradicts itself
 */
export async function* blocksInTurn(blocks: AsyncIterable<common.Block>, from: bigint): AsyncGenerator<DecodedBlock> {
  let expected = from;
  for await (const block of blocks) {
    const decoded = decodeBlock(block);
    if (decoded.number !== expected) {
      throw new WaymarkError('data-abnormal', 'the ledger sent a block out of turn', {
        details: { expected: String(expected), got: String(decoded.number) },
      });
    }
    expected += 1n;
    yield decoded;
  }
}
