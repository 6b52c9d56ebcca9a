import { isWaymarkError, readPinReceipt, WaymarkError } from '@waymark/protocol';
import type { HeldAnswer, PinAnswer } from '../members/member-client.ts';
import type { Members } from '../members/members.ts';
import type { Keeper } from './keeper.ts';
import { offeredCheck, type RootCheck } from './root-check.ts';
import type { PinStore, ReplicaFacts } from './pin-store.ts';
import type { PinReceipts } from './receipts.ts';
import type { UnitKeeper } from './unit-keeper.ts';

const concurrency = 4;
/** What is not done by then goes on, and is answered when it is asked for again. */
const answerWithinMs = 20_000;

/** What is known of a batch or body: who keeps it, by whose word. */
export interface PinFacts {
  readonly cid: string;
  readonly anchored: boolean;
  /** Organisations that hold it, by receipt or by the last check. */
  readonly replicated: number;
  readonly receipts: readonly ReplicaFacts[];
}

/** What a pin service is made of. */
export interface PinServiceParts {
  readonly channel: string;
  /** Whether an organisation has a private ledger on the channel. */
  readonly hasLedger: (mspId: string) => boolean;
  readonly units: Pick<UnitKeeper, 'checkOf'>;
  readonly store: PinStore;
  readonly keeper: Pick<Keeper, 'keep' | 'isHeld'>;
  readonly receipts: PinReceipts;
  readonly members: Members;
  readonly maxOffersPerMember: number;
  readonly nowMs: () => number;
}

/** What other centers ask of this one. */
export interface PinService {
  /** Pins batches and bodies of the organisation that asks, and gives receipts. Repeated, it gives the same ones. */
  pin(mspId: string, cids: readonly string[]): Promise<PinAnswer[]>;
  /** Reads what is here from the own disk. */
  check(cids: readonly string[]): Promise<HeldAnswer[]>;
  /** @throws WaymarkError refused when nothing is known of it */
  facts(cid: string): PinFacts;
}

/** Builds the service. */
export function createPinService(parts: PinServiceParts): PinService {
  const { store, keeper, receipts } = parts;

  async function pinOne(mspId: string, cid: string): Promise<Uint8Array> {
    const { check, offered } = admit(mspId, cid);
    await keeper.keep(cid, mspId, check);
    const known = store.kept(cid);
    if (known !== undefined) return known;
    const { receipt } = receipts.sign(cid);
    store.keep(cid, receipt, offered ? { msp: mspId, atMs: parts.nowMs() } : undefined);
    return store.kept(cid) ?? receipt;
  }

  /** Whether this organisation may have this batch kept here. */
  function admit(mspId: string, cid: string): { check: RootCheck; offered: boolean } {
    const member = parts.members.member(mspId);
    if (member === undefined) throw new WaymarkError('role-not-permitted', 'The caller is no member.');
    const anchored = store.anchored(cid);
    const check = anchored?.msp === mspId ? parts.units.checkOf(anchored) : undefined;
    if (check !== undefined) return { check, offered: false };
    const known = store.offeredBy(cid);
    if (known !== mspId && store.offers(mspId) >= parts.maxOffersPerMember) {
      throw new WaymarkError('limit-exceeded', 'Too many batches of this organisation wait for the channel.', {
        details: { limit: parts.maxOffersPerMember },
      });
    }
    return { check: offeredCheck(cid, member, parts.channel, parts.hasLedger(mspId)), offered: true };
  }

  /** The receipt this center gave for a batch of another organisation. */
  function keptHere(cid: string): ReplicaFacts[] {
    const bytes = store.kept(cid);
    if (bytes === undefined) return [];
    const { msp, node, pinnedAtMs } = readPinReceipt(bytes, parts.channel).receipt;
    return [{ msp, node, pinnedAtMs, receipt: bytes, state: 'held' }];
  }

  const answerOne = async (mspId: string, cid: string): Promise<PinAnswer> => {
    try {
      return { cid, receipt: Buffer.from(await pinOne(mspId, cid)).toString('base64') };
    } catch (error) {
      return { cid, code: isWaymarkError(error) ? error.code : 'internal' };
    }
  };

  return {
    async pin(mspId, cids) {
      const late = Promise.withResolvers<'late'>();
      const timer = setTimeout(() => late.resolve('late'), answerWithinMs);
      try {
        return await mapConcurrently([...new Set(cids)], async (cid) => {
          const answer = await Promise.race([answerOne(mspId, cid), late.promise]);
          return answer === 'late' ? { cid, code: 'unavailable' } : answer;
        });
      } finally {
        clearTimeout(timer);
      }
    },
    check: (cids) => mapConcurrently([...new Set(cids)], async (cid) => ({ cid, held: await keeper.isHeld(cid) })),
    facts(cid) {
      const anchored = store.anchored(cid);
      const known = [...store.replicas(cid), ...keptHere(cid)];
      if (anchored === undefined && known.length === 0) {
        throw new WaymarkError('refused', 'There is no such batch, or it is not yours to see.');
      }
      const replicated = known.filter(({ state }) => state === 'held').length;
      return { cid, anchored: anchored !== undefined, replicated, receipts: known };
    },
  };
}

async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at] as Item);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  return results;
}
