import { setTimeout as sleep } from 'node:timers/promises';
import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import { encodeConfiguration, type Seal, type VoteCertificate } from '@waymark/rsl';
import { anchorRefusal, type ChannelHead } from '@waymark/service-kit';
import { createBacklogCounter } from './backlog.ts';
import {
  defaultRelayLimits,
  type AnchorRelay,
  type AnchorRelayParts,
  type ElectionNeed,
  type RelayLimits,
  type RelayPhase,
} from './ports.ts';
import { rangeEnd, readHeaders, signedRange } from './range.ts';

/** What a look at the chain and the channel came to. `wait`: for that long, or until woken. */
type Step =
  { readonly did: 'nothing' } | { readonly did: 'anchored' } | { readonly did: 'wait'; readonly delayMs: number };

const nothing: Step = { did: 'nothing' };
/** However fast a channel answers. */
const leastIntervalMs = 250;

/**
 * One anchor in flight. The relay keeps nothing on disk: what is anchored is what the channel says, ranges begin behind it, and the channel takes each
 * block once. So a crash at any point, a lost outcome or a second relay can only repeat a call that the channel then refuses.
 */
export function createAnchorRelay(parts: AnchorRelayParts): AnchorRelay {
  const { mspId, chain, member, channel, replica, publish, onAlert, onRetry } = parts;
  const { delay = timer } = parts;
  const { nowMs = () => performance.now(), mayAnchor = (_first: number, last: number) => last } = parts;
  const limits: RelayLimits = { ...defaultRelayLimits, ...parts.limits };
  const counter = createBacklogCounter(limits);
  const abort = new AbortController();
  let woken = new AbortController();
  let running: Promise<void> | undefined;
  let phase: RelayPhase = 'stopped';
  /** What the channel said last, in this term; undefined: ask. */
  let head: ChannelHead | undefined;
  let headTerm = 0;
  let anchoredAtMs = -Infinity;
  /** How long the channel took with the last one. */
  let tookMs = Infinity;
  let emptySinceMs: number | undefined;
  let aheadSinceMs: number | undefined;
  /** A range has to end at this block at least: with a lower end a certificate under it was revoked. */
  let minLast = 0;
  let asked: { readonly what: string; readonly atMs: number } | undefined;
  /** The head that was found to be a block of the own chain. */
  let agreed: ChannelHead | undefined;

  const stopped = (): boolean => abort.signal.aborted;

  async function run(): Promise<void> {
    for (let retryMs = limits.firstRetryMs; !stopped();) {
      woken = new AbortController();
      const waiting = AbortSignal.any([abort.signal, woken.signal]);
      try {
        const step = await advance();
        if (isHalted()) return;
        retryMs = limits.firstRetryMs;
        if (step.did === 'anchored') continue;
        phase = 'idle';
        await delay(step.did === 'wait' ? Math.min(step.delayMs, limits.pollMs) : limits.pollMs, waiting);
      } catch (error) {
        if (stopped()) return;
        phase = 'retrying';
        head = undefined;
        alertOfDamage(error);
        onRetry(error, retryMs);
        await delay(retryMs, abort.signal);
        retryMs = Math.min(retryMs * 2, limits.longestRetryMs);
      }
    }
  }

  const isHalted = (): boolean => phase === 'mismatch';

  /** Anchors the next range, if there is one and this member may. */
  async function advance(): Promise<Step> {
    if (!member.isCenter()) {
      head = undefined;
      return nothing;
    }
    const term = member.term();
    if (term !== headTerm) head = undefined;
    headTerm = term;
    // Somebody else has anchored: another relay, or this one in a call whose outcome was lost.
    if (head !== undefined && head.last < (replica.ledgerHead(mspId)?.last ?? 0)) head = undefined;
    let at = (head ??= await askHead());
    if (!(await agrees(at))) return nothing;
    // At once: a certificate under its proof may be revoked later, and nothing can stand for it.
    at = head = await configureUpTo(at, null);
    agreed = at;
    // Somebody else is in office, and this member will learn it.
    if (at.term > term || (at.term === term && at.center !== member.id)) {
      head = undefined;
      return nothing;
    }
    const first = at.last + 1;
    const height = chain.height();
    if (height < first) return nothing;
    await countUpTo(first, height);
    const wait = waitMs(first, height);
    if (wait > 0) return { did: 'wait', delayMs: wait };
    const permitted = Math.min(height, mayAnchor(first, height));
    if (permitted < Math.max(first, minLast)) return nothing;
    const wanted = minLast > 0 ? permitted : Math.min(permitted, first + limits.maxRangeBlocks - 1);
    const end = await rangeEnd(member, { first: Math.max(first, minLast), wanted, height: permitted });
    if (end === null)
      throw new WaymarkError('unavailable', 'Nothing confirms the blocks that are to be anchored.', {
        details: { first, height: wanted },
      });
    const election = at.term < term ? member.election() : null;
    if (at.term < term && election === null) {
      ask('lost', term);
      return nothing;
    }
    return anchor(at, first, end.last, end.seals, { term, election });
  }

  async function askHead(): Promise<ChannelHead> {
    const answer = await channel.head();
    if (answer === undefined)
      throw new WaymarkError('unavailable', 'The private ledger is not registered on the channel.', {
        details: { mspId },
      });
    return answer;
  }

  async function anchor(
    at: ChannelHead,
    first: number,
    last: number,
    seals: readonly Seal[],
    { term, election }: { readonly term: number; readonly election: VoteCertificate | null },
  ): Promise<Step> {
    phase = 'anchoring';
    const headers = await readHeaders(chain, first, last);
    const epochs = [...seals.map(({ header }) => header.epoch), election?.epoch ?? 1];
    const { configuredEpoch } = await configureUpTo(at, Math.max(...epochs));
    const bytes = signedRange(member, { headers, seals, term, election });
    await publish(first, last);
    if (stopped() || !member.isCenter() || member.term() !== term) return nothing;
    anchoredAtMs = nowMs();
    try {
      const outcome = await channel.anchor(bytes);
      tookMs = nowMs() - anchoredAtMs;
      const { anchor: stored } = outcome;
      head = { last: stored.last, hash: stored.hash, term: stored.term, center: stored.center, configuredEpoch };
      minLast = 0;
      emptySinceMs = undefined;
      parts.onAnchored?.(outcome);
      return { did: 'anchored' };
    } catch (error) {
      return afterRefusal(error, { last, term, hadElection: election !== null });
    }
  }

  /** What to do about a range that the channel did not take; throws what is to be tried again. */
  function afterRefusal(
    error: unknown,
    { last, term, hadElection }: { readonly last: number; readonly term: number; readonly hadElection: boolean },
  ): Step {
    switch (anchorRefusal(error)) {
      case 'certificate-revoked':
        // Blocks further up were acknowledged without that certificate, once there are some; so is the next election.
        minLast = last + 1;
        if (last >= chain.height()) ask('not-taken', term);
        break;
      case 'not-elected':
        if (hadElection) ask('not-taken', term);
        break;
      default:
    }
    throw error;
  }

  /**
   * Takes the members of each epoch to the channel before anything of it, each by itself.
   * @param epoch the last one that is needed; null: as many as there are
   */
  async function configureUpTo(at: ChannelHead, epoch: number | null): Promise<ChannelHead> {
    let { configuredEpoch } = at;
    while (epoch === null || configuredEpoch < epoch) {
      const block = await chain.configuration(configuredEpoch + 1);
      if (block === null && epoch === null) break;
      const seals = block === null ? null : await member.confirmation(block.height);
      const ledger = seals?.[0]?.header.ledger;
      if (block === null || seals === null || ledger === undefined)
        throw new WaymarkError('unavailable', 'Nothing proves the members of an epoch.', {
          details: { epoch: configuredEpoch + 1 },
        });
      await channel.configure(encodeConfiguration({ ledger, configuration: block.configuration, seals }));
      configuredEpoch += 1;
    }
    return configuredEpoch === at.configuredEpoch ? at : { ...at, configuredEpoch };
  }

  /** Whether the channel's last anchor is a block of the own chain; if it can never be, the relay ends (D12). */
  async function agrees(at: ChannelHead): Promise<boolean> {
    if (at === agreed || at.last === 0 || at.hash === null) return true;
    if (at.last > chain.height()) {
      head = undefined;
      aheadSinceMs ??= nowMs();
      if (nowMs() - aheadSinceMs >= limits.aheadGraceMs) halt(at.last, at.hash, '');
      return false;
    }
    aheadSinceMs = undefined;
    const held = member.crypto.headerHash(await chain.header(at.last));
    if (held === at.hash) return true;
    halt(at.last, at.hash, held);
    return false;
  }

  function halt(height: number, anchored: string, held: string): void {
    phase = 'mismatch';
    const anchor = replica.anchorCovering(mspId, height) ?? null;
    onAlert({ kind: 'anchor-mismatch', height, anchored, held, anchor, seals: null, headers: [] });
  }

  function alertOfDamage(error: unknown): void {
    if (!isWaymarkError(error, 'data-abnormal')) return;
    const { height } = error.details;
    if (typeof height === 'number') onAlert({ kind: 'chain-damaged', height, reason: error.code });
  }

  function ask(why: ElectionNeed, term: number): void {
    const what = `${String(term)}/${why}`;
    if (asked?.what === what && nowMs() - asked.atMs < limits.askAgainMs) return;
    asked = { what, atMs: nowMs() };
    parts.needsElection(why);
  }

  /** Time until the next anchor may go: blocks without records are in no hurry. */
  function waitMs(first: number, height: number): number {
    // A channel that answers fast is asked more often; half of the time it is left to others.
    const restMs = Math.min(limits.minIntervalMs, Math.max(leastIntervalMs, 2 * tookMs));
    const paced = anchoredAtMs + restMs - nowMs();
    if (counter.count(first - 1, height).records > 0 || height - first + 1 >= limits.maxRangeBlocks) return paced;
    emptySinceMs ??= nowMs();
    return Math.max(paced, emptySinceMs + limits.emptyBlocksWaitMs - nowMs());
  }

  async function countUpTo(first: number, height: number): Promise<void> {
    const top = Math.min(height, first + limits.maxBacklogBlocks - 1);
    for (let at = first; at <= top; at += 1) if (!counter.hasSeen(at)) counter.seen(await chain.header(at));
  }

  return {
    name: 'anchor-relay',
    get phase() {
      return phase;
    },
    start() {
      if (running !== undefined) return;
      phase = 'idle';
      running = run();
    },
    wake: () => woken.abort(),
    async stop() {
      abort.abort();
      await running;
      phase = 'stopped';
    },
    backlog() {
      const anchored = Math.max(head?.last ?? 0, replica.ledgerHead(mspId)?.last ?? 0);
      return counter.count(anchored, chain.height());
    },
  };
}

function timer(delayMs: number, signal: AbortSignal): Promise<void> {
  return sleep(delayMs, undefined, { signal }).catch(() => undefined);
}
