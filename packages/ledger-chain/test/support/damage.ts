import { cp, rm } from 'node:fs/promises';
import { isWaymarkError } from '@waymark/protocol';
import { openLedgerChain, verifyChain } from '../../src/index.ts';
import { filesUnder, flipBit } from './flips.ts';
import { ledgerName, type TestLedger } from './test-ledger.ts';

/** What came of flipped bits, by the kind of file. */
export interface FlipCounts {
  readonly flips: number;
  /** The chain was found wrong, or could not be opened. */
  readonly noticed: number;
  /** The chain was found whole, and it was: all of it is as before. */
  readonly harmless: number;
}

/**
 * Flips bits of every file of a closed chain, one at a time on a copy, and asks what is found. A chain that is found whole and is not makes it throw.
 * @param flipsOfFile how many bits of each file, evenly spread
 */
export async function flipEverywhere(
  ledger: TestLedger,
  folder: string,
  copy: string,
  flipsOfFile: number,
): Promise<ReadonlyMap<'blocks' | 'index' | 'other', FlipCounts>> {
  const counts = new Map<'blocks' | 'index' | 'other', FlipCounts>();
  for (const { path, sizeBytes } of await filesUnder(folder)) {
    const kind = path.includes('segments') ? 'blocks' : path.endsWith('index.db') ? 'index' : 'other';
    const flips = Math.min(flipsOfFile, sizeBytes * 8);
    for (let at = 0; at < flips; at += 1) {
      const bit = Math.floor((sizeBytes * 8 * (at + 0.5)) / flips);
      await rm(copy, { recursive: true, force: true });
      await cp(folder, copy, { recursive: true });
      await flipBit(path.replace(folder, copy), bit);
      const isNoticed = await notices(ledger, copy, `${path.slice(folder.length)} bit ${bit}`);
      const { flips: done, noticed, harmless } = counts.get(kind) ?? { flips: 0, noticed: 0, harmless: 0 };
      counts.set(kind, {
        flips: done + 1,
        noticed: noticed + (isNoticed ? 1 : 0),
        harmless: harmless + (isNoticed ? 0 : 1),
      });
    }
  }
  return counts;
}

async function notices(ledger: TestLedger, folder: string, name: string): Promise<boolean> {
  try {
    const chain = await openLedgerChain({ folder, ledger: ledgerName, bodyCipher: ledger.bodyCipher });
    try {
      const { valid, height } = await verifyChain(chain, {
        configuration: ledger.first,
        crypto: ledger.crypto,
        anchors: [],
      });
      if (!valid) return true;
      const last = ledger.blocks.at(-1);
      if (height !== ledger.blocks.length || chain.hash !== last?.seal.hash) return true;
      for (const { candidate, seal } of ledger.blocks) {
        const block = await chain.block(candidate.height);
        expect([name, block.seal, block.candidate]).toEqual([name, seal, candidate]);
      }
      return false;
    } finally {
      await chain.close();
    }
  } catch (error) {
    if (isWaymarkError(error)) return true;
    throw error;
  }
}
