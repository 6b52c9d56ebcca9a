import { anchorProblem } from '@waymark/ledger-chain';
import { isWaymarkError, ledgerName, parseCid, WaymarkError } from '@waymark/protocol';
import { decodeHeader, type Header, headerHashOf } from '@waymark/rsl';
import type { CommittedAnchor, Component, LedgerReplica, Logger } from '@waymark/service-kit';
import type { Members } from '../members/members.ts';
import type { Keeper } from './keeper.ts';
import type { OwnLedger } from './own-ledger.ts';
import type { AnchoredBlock, PinStore } from './pin-store.ts';
import { createWakeable } from './wakeable.ts';

const firstRetryMs = 500;
const longestRetryMs = 10_000;
const longestAbnormalRetryMs = 3_600_000;
const longestSleepMs = 60_000;
/** Blocks of one anchor: no center may be configured for more (`privateLedger.anchor.maxRangeBlocks`). */
const maxRangeBlocks = 65_536;

/** What a follower of ledgers is made of. */
export interface LedgerFollowerParts {
  readonly channel: string;
  readonly mspId: string;
  readonly replica: Pick<LedgerReplica, 'anchors' | 'onAnchor'>;
  readonly store: Pick<PinStore, 'ledgerCursor' | 'rewindLedger' | 'anchorBlocks' | 'ledgers'>;
  readonly keeper: Pick<Keeper, 'fetchBlock'>;
  readonly members: Pick<Members, 'current' | 'onChange'>;
  readonly ownLedger: () => OwnLedger | undefined;
  readonly isPinned: (cid: string) => Promise<boolean>;
  /** Notes that an own body is pinned here. */
  readonly holdOwn: (cid: string) => void;
  /** Told of the bodies of own blocks that came under an anchor. */
  readonly onOwnAnchored: (cids: readonly string[]) => void;
  /** Bodies are to be pinned here. */
  readonly onWaiting: () => void;
  readonly logger: Logger;
}

/**
 * Takes the blocks under every organisation's anchors in, anchor by anchor from a cursor of its own for each ledger: what came while it was away is caught up with.
 * Headers come from the own chain, or from the owner's center; that they are what was anchored is proven before anything of them is kept (D2, S5).
 */
export function createLedgerFollower(parts: LedgerFollowerParts): Component {
  const { replica, store, mspId, logger } = parts;
  const following = createWakeable();
  const lanes = new Map<string, Promise<void>>();
  /** Whose anchors came and were not looked at yet: also of organisations that the members file does not name. */
  const heardOf = new Set<string>();
  let running: Promise<void> | undefined;
  let endListening = (): void => undefined;

  const organisations = (): Set<string> =>
    new Set([mspId, ...parts.members.current().map((member) => member.mspId), ...store.ledgers(), ...heardOf]);

  /** The anchor behind the cursor, if the channel has one. */
  function next(msp: string): CommittedAnchor | undefined {
    const { height, hash } = store.ledgerCursor(msp);
    const [at] = height === 0 ? [] : replica.anchors(msp, height, 1);
    if (at !== undefined && (at.last !== height || at.hash !== hash)) {
      logger.warn('a ledger has other anchors than it had; it is followed from its beginning', { mspId: msp });
      store.rewindLedger(msp);
      return next(msp);
    }
    const [anchor] = replica.anchors(msp, height + 1, 1);
    // An index that is being read again may lack some.
    return anchor?.first === height + 1 ? anchor : undefined;
  }

  async function take(anchor: CommittedAnchor): Promise<'taken' | 'later'> {
    const { msp } = anchor;
    const own = msp === mspId;
    const ledger = own ? parts.ownLedger() : undefined;
    const headers = ledger === undefined ? await fetchHeaders(anchor) : ledger.headers(anchor.first, anchor.last);
    // The own chain is behind the channel.
    if (headers === undefined) return 'later';
    const proven =
      provenBlocks(anchor, headers) ??
      (ledger === undefined ? undefined : provenBlocks(anchor, await fetchHeaders(anchor)));
    if (proven === undefined) {
      throw new WaymarkError('data-abnormal', 'The anchor is none of the blocks that it ends with.', {
        details: { msp, first: anchor.first, last: anchor.last },
      });
    }
    const blocks: AnchoredBlock[] = [];
    for (const block of proven) blocks.push({ ...block, pinned: own && (await parts.isPinned(block.cid)) });
    for (const { cid, pinned } of blocks) if (pinned) parts.holdOwn(cid);
    store.anchorBlocks(msp, own, blocks);
    if (own) parts.onOwnAnchored(blocks.map(({ cid }) => cid));
    parts.onWaiting();
    return 'taken';
  }

  /** From the last block down: each names the one before. The CID that was asked for proves what came. */
  async function fetchHeaders({ msp, first, last, hash }: CommittedAnchor): Promise<readonly Uint8Array[]> {
    if (last - first >= maxRangeBlocks) {
      throw new WaymarkError('limit-exceeded', 'The anchor covers too many blocks.', { details: { first, last } });
    }
    const headers: Uint8Array[] = [];
    let wanted = hash;
    for (let height = last; height >= first; height -= 1) {
      if (following.stopped()) throw new WaymarkError('unavailable', 'This center is stopping.');
      const bytes = await parts.keeper.fetchBlock(parseCid(wanted), msp);
      headers.push(bytes);
      if (height > first) wanted = decodeHeader(bytes).prev;
    }
    return headers.reverse();
  }

  function provenBlocks(
    anchor: CommittedAnchor,
    bytes: readonly Uint8Array[],
  ): Omit<AnchoredBlock, 'pinned'>[] | undefined {
    const headers = bytes.map((header): Header => decodeHeader(header));
    if (anchorProblem(ledgerName(anchor.msp, parts.channel), anchor, headers) !== null) return undefined;
    return bytes.map((header, index) => ({
      height: anchor.first + index,
      hash: headerHashOf(header),
      header,
      cid: headers[index]?.body ?? '',
    }));
  }

  async function lane(msp: string): Promise<void> {
    let pauseMs = firstRetryMs;
    while (!following.stopped()) {
      try {
        const anchor = next(msp);
        if (anchor === undefined) return;
        if ((await take(anchor)) === 'taken') {
          pauseMs = firstRetryMs;
          continue;
        }
        pauseMs = Math.min(pauseMs, longestRetryMs);
      } catch (error) {
        if (following.stopped()) return;
        pauseMs = Math.min(pauseMs, isWaymarkError(error, 'data-abnormal') ? longestAbnormalRetryMs : longestRetryMs);
        logger.warn('blocks under an anchor could not be taken in', { mspId: msp, delayMs: pauseMs, error });
      }
      await following.pause(pauseMs);
      pauseMs *= 2;
    }
  }

  async function run(): Promise<void> {
    while (!following.stopped()) {
      for (const msp of organisations()) {
        if (lanes.has(msp)) continue;
        heardOf.delete(msp);
        const work = lane(msp).finally(() => {
          lanes.delete(msp);
          // It may have looked before the anchor came that was heard of meanwhile.
          if (heardOf.has(msp)) following.wake();
        });
        lanes.set(msp, work);
      }
      await following.sleep(longestSleepMs);
    }
    await Promise.all(lanes.values());
  }

  return {
    name: 'ledger-pins',
    start() {
      endListening = replica.onAnchor(({ msp }) => {
        heardOf.add(msp);
        following.wake();
      });
      parts.members.onChange(() => following.wake());
      running ??= run();
    },
    async stop() {
      endListening();
      following.stop();
      await running;
    },
  };
}
