import type { ContentStore } from '@waymark/content';
import { type Evidence, isWaymarkError, parseCid, WaymarkError } from '@waymark/protocol';
import type { Keeper } from './keeper.ts';
import type { OwnLedger } from './own-ledger.ts';
import type { KeptUnit, PinStore } from './pin-store.ts';
import { anchoredBatchCheck, bodyCheck, type RootCheck } from './root-check.ts';

/** Keeps what the channel has, each kind as it must be: a batch, or the body of a block with the block's header beside it. */
export interface UnitKeeper {
  /**
   * Makes sure that it is here, whole and pinned.
   * @param options.isDoubted read all of it, although it is pinned
   * @throws as `Keeper.keep`
   */
  keep(unit: KeptUnit, options: { readonly isDoubted: boolean }): Promise<void>;
  /** How its root is judged; undefined while the index does not have the evidence of a batch. */
  checkOf(unit: KeptUnit): RootCheck | undefined;
}

/** Builds it. */
export function createUnitKeeper(parts: {
  readonly channel: string;
  readonly replica: { evidence(evidenceId: string): Evidence | undefined };
  readonly store: Pick<PinStore, 'header'>;
  readonly content: Pick<ContentStore, 'isPinned' | 'putMany'>;
  readonly keeper: Pick<Keeper, 'keep'>;
  readonly ownLedger: () => OwnLedger | undefined;
}): UnitKeeper {
  const { channel, replica, store, content, keeper } = parts;

  function checkOf({ place, msp }: KeptUnit): RootCheck | undefined {
    if (place.kind === 'block') return bodyCheck(msp, channel);
    const evidence = replica.evidence(place.evidenceId);
    return evidence === undefined ? undefined : anchoredBatchCheck(evidence, channel);
  }

  /** Header bytes first: a pin on the header would hold the whole chain below it, so that nothing but its presence is seen to. */
  async function putHeader({ id, place }: KeptUnit): Promise<void> {
    const bytes = place.kind === 'block' ? store.header(id) : undefined;
    if (place.kind === 'block' && bytes !== undefined) await content.putMany([{ cid: parseCid(place.hash), bytes }]);
  }

  /** From the own chain. @returns whether it is here now */
  async function published({ place }: KeptUnit): Promise<boolean> {
    const ledger = parts.ownLedger();
    if (place.kind === 'batch' || ledger === undefined) return false;
    try {
      await ledger.publish(place.height, place.height);
      return true;
    } catch (error) {
      // The own chain is behind, or damaged: others have what the channel has.
      if (isWaymarkError(error)) return false;
      throw error;
    }
  }

  return {
    checkOf,
    async keep(unit, { isDoubted }) {
      const check = checkOf(unit);
      if (check === undefined) {
        throw new WaymarkError('unavailable', 'The evidence is not in the index.', { details: { reason: 'away' } });
      }
      await putHeader(unit);
      if (unit.own && unit.place.kind === 'block') {
        const isHere = (!isDoubted && (await content.isPinned(parseCid(unit.cid)))) || (await published(unit));
        if (isHere && !isDoubted) return;
      }
      await keeper.keep(unit.cid, unit.msp, check);
    },
  };
}
