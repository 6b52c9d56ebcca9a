import type { Ledger } from '@waymark/fabric';
import { type Evidence, formatEvidenceId, parseEvidence } from '@waymark/protocol';

/** What the valid transactions of the channel wrote under evidence keys. */
export interface ChainEvidence {
  /** Number of the block after the last that was read. */
  readonly nextBlock: number;
  /** In the order of the chain; a key that was written twice stands here twice. */
  readonly written: readonly Evidence[];
}

/**
 * Reads the channel from a block until every evidence of `until` was seen, and its block to the end. Nothing but blocks is believed.
 * @param until evidence ids that must come
 * @param fromBlock number of the first block that is read
 */
export async function readChain(ledger: Ledger, until: readonly string[], fromBlock = 0): Promise<ChainEvidence> {
  const missing = new Set(until);
  const written: Evidence[] = [];
  let nextBlock = fromBlock;
  for await (const block of ledger.blockEvents({ from: BigInt(fromBlock) })) {
    if (block.number !== BigInt(nextBlock))
      throw new Error(`block ${String(block.number)} where ${String(nextBlock)} was due`);
    nextBlock += 1;
    for (const { valid, writes } of block.transactions) {
      if (!valid) continue;
      for (const { key, value, namespace } of writes) {
        if (namespace !== ledger.chaincode || !key.startsWith('\u0000evidence\u0000')) continue;
        const evidence = parseEvidence(value);
        written.push(evidence);
        missing.delete(formatEvidenceId(evidence));
      }
    }
    if (missing.size === 0) break;
  }
  return { nextBlock, written };
}
