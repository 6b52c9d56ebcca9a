import type { Ledger } from '@waymark/fabric';
import { type Evidence, formatEvidenceId, parseEvidence } from '@waymark/protocol';

/** What the valid transactions of the channel wrote under evidence keys. */
export interface ChainEvidence {
  readonly blocks: number;
  /** In the order of the chain; a key that was written twice stands here twice. */
  readonly written: readonly Evidence[];
}

/**
 * Reads the channel from block 0 until every evidence of `until` was seen, and its block to the end. Nothing but blocks is believed.
 * @param until evidence ids that must come
 */
export async function readChain(ledger: Ledger, until: readonly string[]): Promise<ChainEvidence> {
  const missing = new Set(until);
  const written: Evidence[] = [];
  let blocks = 0;
  for await (const block of ledger.blockEvents({ from: 0n })) {
    if (block.number !== BigInt(blocks))
      throw new Error(`block ${String(block.number)} where ${String(blocks)} was due`);
    blocks += 1;
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
  return { blocks, written };
}
