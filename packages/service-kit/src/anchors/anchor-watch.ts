import { setTimeout as sleep } from 'node:timers/promises';
import { isWaymarkError } from '@waymark/protocol';
import type { Header, Seal } from '@waymark/rsl';
import { Gauge, type Registry } from 'prom-client';
import type { Component } from '../lifecycle/component.ts';
import type { Logger } from '../log/logger.ts';
import type { CommittedAnchor } from '../replica/ledger-facts.ts';
import type { LedgerReplica } from '../replica/replica.ts';
import { maxAlertHeaders } from './alert.ts';
import type { AlertBook } from './alert-book.ts';
import { differenceFrom, type AnchorDifference, type Hashing } from './anchor-check.ts';

/** A member's own chain, as it is on its disk. */
export interface StoredChain {
  /** The last applied block; 0 before the first. */
  height(): number;
  /**
   * Reads a header from the disk, past every cache; null for a block that this member does not hold, below a snapshot.
   * @throws WaymarkError `gone` as null; `unavailable` when it cannot be read now; any other code: what is there is not what was stored
   */
  header(height: number): Header | null | Promise<Header | null>;
}

/** What an anchor watch is made of. */
export interface AnchorWatchParts {
  readonly mspId: string;
  /** `<msp>/<channel>`. */
  readonly ledger: string;
  readonly replica: Pick<LedgerReplica, 'anchors' | 'ledgerHead' | 'onAnchor' | 'onReport'>;
  readonly chain: StoredChain;
  readonly hashing: Hashing;
  readonly member: {
    /** Tells the core what the channel holds (`RslCore.anchored`). */
    anchored(height: number, hash: string): void;
    /** What confirms an own block, if the member still has it (`RslCore.confirmation`). */
    confirmation(height: number): readonly Seal[] | null;
  };
  readonly alerts: Pick<AlertBook, 'raise'>;
  /**
   * Called for each anchor that the own chain has reached and agrees with, in order, from the one on that covers `fromHeight`; for blocks that were filled in
   * later, when a sweep has come to them.
   */
  readonly onAgreed?: (anchor: CommittedAnchor) => void;
  /** Anchors below are the sweep's alone. Default: those below the newest at the start. */
  readonly fromHeight?: number;
  readonly logger: Logger;
  readonly registry?: Registry;
  /** Between two old anchors, and between two sweeps over all of them. Default 250 and 600,000. */
  readonly sweep?: { readonly pauseMs: number; readonly intervalMs: number };
  /** Wait after a fault. Default 1,000. */
  readonly retryMs?: number;
}

/** How a watch stands. */
export interface AnchorWatchState {
  /** Last block of the newest anchor that was compared. */
  readonly checkedHeight: number;
  /** Sweeps over all anchors that came to their end. */
  readonly sweeps: number;
  /** Anchors that the own chain disagrees with, in the newest look at each. */
  readonly mismatches: number;
}

/**
 * Compares every anchor of the own ledger with the own chain (D12): new ones as they come, with each of them the end of an older one, and all of them again and
 * again from the disk, so that a chain that is rewritten afterwards is found out as well.
 */
export interface AnchorWatch extends Component {
  /** The own chain has grown. */
  applied(): void;
  /** Compares all anchors now, in the caller's time. @returns those that differ */
  sweepNow(signal?: AbortSignal): Promise<readonly AnchorDifference[]>;
  readonly state: AnchorWatchState;
}

/** See `AnchorWatch`. */
export function createAnchorWatch(parts: AnchorWatchParts): AnchorWatch {
  const { mspId, ledger, replica, chain, hashing, member, alerts, retryMs = 1_000 } = parts;
  const { sweep = { pauseMs: 250, intervalMs: 600_000 } } = parts;
  const logger = parts.logger.child({ component: 'anchor-watch', mspId });
  let stopping = new AbortController();
  let woken = new AbortController();
  let running: Promise<unknown> | undefined;
  let forget: (() => void)[] = [];
  let nextHeight = 1;
  let checkedHeight = 0;
  let sweeps = 0;
  const mismatched = new Set<number>();
  /** Anchors of blocks that were not here. */
  const skipped = new Set<number>();

  const pause = (delayMs: number, signal: AbortSignal): Promise<void> =>
    sleep(delayMs, undefined, { signal }).catch(() => undefined);

  async function check(anchor: CommittedAnchor, isNew: boolean): Promise<AnchorDifference | null> {
    const headers: Header[] = [];
    for (let height = anchor.first; height <= anchor.last; height += 1) {
      let header: Header | null;
      try {
        header = await chain.header(height);
      } catch (error) {
        if (!isWaymarkError(error) || error.code === 'unavailable') throw error;
        if (error.code === 'gone') return skip(anchor, isNew);
        mismatched.add(anchor.last);
        await alerts.raise({ kind: 'chain-damaged', height, reason: error.code });
        return { what: 'block', height, anchored: height === anchor.last ? anchor.hash : '', held: '' };
      }
      if (header === null) return skip(anchor, isNew);
      headers.push(header);
    }
    const difference = differenceFrom(anchor, ledger, headers, hashing);
    if (difference === null) {
      mismatched.delete(anchor.last);
      if (skipped.delete(anchor.last) || isNew) parts.onAgreed?.(anchor);
      return null;
    }
    mismatched.add(anchor.last);
    const { height, anchored, held } = difference;
    const seals = difference.what === 'block' ? member.confirmation(height) : null;
    const from = Math.max(0, height - anchor.first);
    await alerts.raise({
      kind: 'anchor-mismatch',
      height,
      anchored,
      held,
      anchor,
      seals,
      headers: headers.slice(difference.what === 'root' ? 0 : from).slice(0, maxAlertHeaders),
    });
    return difference;
  }

  function skip({ last }: CommittedAnchor, isNew: boolean): null {
    if (isNew && skipped.size < maxSkipped) skipped.add(last);
    return null;
  }

  /** Each new anchor, as soon as the own chain reaches it. */
  async function followNew(): Promise<void> {
    let told = 0;
    while (!stopping.signal.aborted) {
      woken = new AbortController();
      const waiting = AbortSignal.any([stopping.signal, woken.signal]);
      try {
        const [anchor] = replica.anchors(mspId, nextHeight, 1);
        if (anchor !== undefined && anchor.last > told) {
          member.anchored(anchor.last, anchor.hash);
          told = anchor.last;
        }
        if (anchor === undefined || anchor.last > chain.height()) {
          await pause(longestWaitMs, waiting);
          continue;
        }
        await check(anchor, true);
        checkedHeight = Math.max(checkedHeight, anchor.last);
        nextHeight = anchor.last + 1;
        await lookBack(anchor.first - 1);
      } catch (error) {
        logger.warn('anchors cannot be compared', { error });
        await pause(retryMs, stopping.signal);
      }
    }
  }

  /**
   * The last block of one earlier anchor, drawn at random: everything below it is under its hash, so that a chain that is rewritten while this member runs is found
   * out with the next anchors and not only when a sweep comes to it.
   */
  async function lookBack(height: number): Promise<void> {
    const [earlier] = height < 1 ? [] : replica.anchors(mspId, 1 + Math.floor(Math.random() * height), 1);
    if (earlier === undefined || earlier.last > height || mismatched.has(earlier.last)) return;
    if (!(await isHeld(earlier))) await check(earlier, false);
  }

  async function isHeld({ last, hash }: CommittedAnchor): Promise<boolean> {
    try {
      const header = await chain.header(last);
      return header === null || hashing.headerHash(header) === hash;
    } catch (error) {
      if (isWaymarkError(error, 'unavailable')) throw error;
      return isWaymarkError(error, 'gone');
    }
  }

  async function sweepAll(pauseMs: number, signal: AbortSignal): Promise<AnchorDifference[]> {
    const found: AnchorDifference[] = [];
    for (let from = 1; !signal.aborted;) {
      const [anchor] = replica.anchors(mspId, from, 1);
      if (anchor === undefined || anchor.last > chain.height()) break;
      const difference = await check(anchor, false);
      if (difference !== null) found.push(difference);
      from = anchor.last + 1;
      if (pauseMs > 0) await pause(pauseMs, signal);
    }
    if (!signal.aborted) sweeps += 1;
    return found;
  }

  async function sweepAgainAndAgain(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await sweepAll(sweep.pauseMs, stopping.signal);
        await pause(sweep.intervalMs, stopping.signal);
      } catch (error) {
        logger.warn('the own chain cannot be compared with its anchors', { error });
        await pause(Math.max(retryMs, sweep.pauseMs), stopping.signal);
      }
    }
  }

  registerMetrics(parts.registry, () => ({ checkedHeight, sweeps, mismatches: mismatched.size }));
  return {
    name: 'anchor-watch',
    start() {
      if (running !== undefined) return;
      stopping = new AbortController();
      forget = [
        replica.onAnchor(({ msp }) => {
          if (msp === mspId) woken.abort();
        }),
        replica.onReport(({ msp, kind, height, term, txId }) => {
          if (msp === mspId)
            logger.error('a report against this ledger is on the channel', { kind, height, term, txId });
        }),
      ];
      nextHeight = Math.max(nextHeight, parts.fromHeight ?? newest());
      running = Promise.all([followNew(), sweepAgainAndAgain()]);
    },
    async stop() {
      stopping.abort();
      for (const end of forget) end();
      await running;
      running = undefined;
    },
    applied: () => woken.abort(),
    sweepNow: (signal = stopping.signal) => sweepAll(0, signal),
    get state() {
      return { checkedHeight, sweeps, mismatches: mismatched.size };
    },
  };

  function newest(): number {
    try {
      return replica.ledgerHead(mspId)?.last ?? 0;
    } catch {
      return 0;
    }
  }
}

const longestWaitMs = 60_000;
const maxSkipped = 65_536;

function registerMetrics(registry: Registry | undefined, state: () => AnchorWatchState): void {
  if (registry === undefined) return;
  const gauge = (name: string, help: string, read: (state: AnchorWatchState) => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read(state()));
      },
    });
  };
  gauge('waymark_ledger_anchor_checked_height', 'Last block of the newest anchor that was compared with the own chain.', ({ checkedHeight }) => checkedHeight); // prettier-ignore
  gauge('waymark_ledger_anchor_sweeps', 'Comparisons of all anchors since the start.', ({ sweeps }) => sweeps);
  gauge('waymark_ledger_anchor_mismatches', 'Anchors that the own chain disagrees with.', ({ mismatches }) => mismatches); // prettier-ignore
}
