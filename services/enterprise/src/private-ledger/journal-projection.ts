import type { LedgerChain } from '@waymark/ledger-chain';
import type { SealedBlock } from '@waymark/rsl';
import type { Component, Replica } from '@waymark/service-kit';
import type { ConfirmedBatch, Journal } from '../journal/journal.ts';
import { confirmedBatches } from './confirmed-batches.ts';

/** Blocks taken into the journal in one transaction while catching up. */
const blocksAtOnce = 32;

/** Keeps the center's journal, its index, up with the confirmed chain and with what of it is anchored. */
export interface JournalProjection extends Component {
  /** Blocks that were applied just now. */
  applied(blocks: readonly SealedBlock[]): void;
}

/** What a projection is made of. */
export interface JournalProjectionParts {
  readonly msp: string;
  readonly journal: Journal;
  readonly chain: Pick<LedgerChain, 'height' | 'block'>;
  readonly replica: Pick<Replica, 'anchorCovering' | 'onAnchor'>;
  readonly onConfirmed: (batches: readonly ConfirmedBatch[]) => void;
  readonly onAnchored: (batches: readonly { outlet: string; seq: number }[]) => void;
  readonly onFault: (error: unknown) => void;
}

export function createJournalProjection(parts: JournalProjectionParts): JournalProjection {
  const { msp, journal, chain, replica } = parts;
  let forget: (() => void) | undefined;
  /** Blocks that were applied while the journal was catching up. */
  let isBehind = true;
  let catching: Promise<void> = Promise.resolve();

  function take(blocks: readonly SealedBlock[], height: number): void {
    const batches = blocks.flatMap(confirmedBatches);
    journal.project(batches, height);
    if (batches.length > 0) parts.onConfirmed(batches);
  }

  async function catchUp(): Promise<void> {
    while (journal.projectedHeight() < chain.height) {
      const first = journal.projectedHeight() + 1;
      const last = Math.min(chain.height, first + blocksAtOnce - 1);
      const blocks: SealedBlock[] = [];
      for (let height = first; height <= last; height += 1) blocks.push(await chain.block(height));
      take(blocks, last);
    }
    isBehind = false;
    settleAnchors();
  }

  function settleAnchors(): void {
    for (let height = journal.lowestUnanchored(); height !== undefined; height = journal.lowestUnanchored()) {
      const anchor = replica.anchorCovering(msp, height);
      if (anchor === undefined) return;
      parts.onAnchored(journal.markAnchoredBlocks(anchor.first, anchor.last, anchor.txId));
    }
  }

  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      parts.onFault(error);
    }
  };

  return {
    name: 'ledger-journal',
    start() {
      forget = replica.onAnchor((anchor) => {
        if (anchor.msp === msp && !isBehind) guarded(settleAnchors);
      });
      catching = catchUp().catch(parts.onFault);
    },
    async stop() {
      forget?.();
      await catching;
    },
    applied(blocks) {
      if (isBehind) return;
      guarded(() => {
        const height = journal.projectedHeight();
        const next = blocks.filter(({ candidate }) => candidate.height > height);
        const [first] = next;
        if (first === undefined) return;
        // A snapshot has skipped some: they come when they are filled in.
        if (first.candidate.height !== height + 1) {
          isBehind = true;
          catching = catchUp().catch(parts.onFault);
          return;
        }
        take(next, next.at(-1)?.candidate.height ?? height);
        settleAnchors();
      });
    },
  };
}
