import { WaymarkError } from '@waymark/protocol';
import type { Seal } from '@waymark/rsl';
import type { AnchoredRange, ChainBlock, RecordPlace } from '../store/ledger-chain.ts';
import { type AnchorProofs, type BlockProofs, proofsInAnchor, proofsInBlock } from './prove-record.ts';
import type { HeaderStanding, RecordProof } from './record-proof.ts';

/** Blocks, and ranges of them, whose trees are kept: who asks for many records asks for neighbours. */
const kept = 8;

/** What proofs are made from. */
export interface ProvingChain {
  readonly ledger: string;
  block(height: number): Promise<ChainBlock>;
  anchorOf(height: number): AnchoredRange | null;
  /** Hashes of all blocks of a range. @throws WaymarkError gone */
  hashes(first: number, last: number): readonly string[];
}

/** What confirms a block; null: nothing here. */
export type ConfirmingSeals = (height: number) => readonly Seal[] | null;

/** Makes record proofs. What is confirmed, and what is anchored, does not change: what was hashed once stays right. */
export interface RecordProver {
  /** @throws WaymarkError unavailable (`unconfirmed`), gone, data-abnormal */
  prove(place: RecordPlace, sealsOf: ConfirmingSeals): Promise<RecordProof>;
}

export function createRecordProver(chain: ProvingChain): RecordProver {
  const blocks = new Map<number, Promise<BlockProofs>>();
  const anchors = new Map<number, AnchorProofs>();

  const proofsOf = (height: number): Promise<BlockProofs> =>
    keep(blocks, height, () => {
      const proofs = chain.block(height).then(({ candidate, header }) => proofsInBlock(candidate.content, header));
      proofs.catch(() => blocks.delete(height));
      return proofs;
    });

  function standing(height: number, sealsOf: ConfirmingSeals): HeaderStanding {
    const range = chain.anchorOf(height);
    if (range !== null) {
      const { first, last } = range;
      return keep(anchors, last, () => proofsInAnchor(chain.ledger, range, chain.hashes(first, last)))(height);
    }
    const seals = sealsOf(height);
    if (seals === null)
      throw new WaymarkError('unavailable', 'The block of this record cannot be proven yet.', {
        details: { reason: 'unconfirmed', height },
      });
    return { kind: 'seals', seals };
  }

  return {
    async prove(place, sealsOf) {
      const proofs = await proofsOf(place.height);
      return { ...proofs(place), standing: standing(place.height, sealsOf) };
    },
  };
}

/** The value of a key; the one that was not asked for for longest makes room. */
function keep<Value>(known: Map<number, Value>, key: number, make: () => Value): Value {
  const value = known.get(key) ?? make();
  known.delete(key);
  known.set(key, value);
  if (known.size > kept) known.delete(known.keys().next().value ?? key);
  return value;
}
