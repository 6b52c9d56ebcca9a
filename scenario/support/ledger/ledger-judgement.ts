import { type AnchoredRange, type LedgerChain, verifyChain } from '@waymark/ledger-chain';
import { anchorMarker } from '../judgement.ts';
import type { Acknowledged } from '../load.ts';
import { connectLedger } from '../trusted-reading.ts';
import { isSettled, type LedgerConsortium, untilViews } from './ledger-firm.ts';
import { type MemberDisk, openMemberDisk } from './member-disk.ts';

/** An anchor as `anchors:list` gives it. */
export interface ListedAnchor extends AnchoredRange {
  readonly term: number;
  readonly center: string;
}

/** What came of the records that were acknowledged; all lists are empty when each is anchored exactly once. */
export interface LedgerJudgement {
  readonly acknowledged: number;
  readonly blocks: number;
  readonly anchors: number;
  /** Terms in which a center had something anchored. */
  readonly terms: number;
  /** Acknowledged, and accepted in no anchored block. */
  readonly lost: readonly string[];
  /** Accepted twice in the chain, or a block that two anchors cover. */
  readonly double: readonly string[];
  /** Other rules that are broken: gaps between anchors, unequal chains, what `verifyChain` finds, records that nobody sent. */
  readonly broken: readonly string[];
}

/** All anchors of the firm's ledger, in order, as the channel lists them. */
export async function listAnchors({ firm }: LedgerConsortium): Promise<ListedAnchor[]> {
  const channel = connectLedger(firm, await firm.identity('reader'));
  try {
    const anchors: ListedAnchor[] = [];
    for (let from: number | null = 1; from !== null;) {
      const page = await channel.evaluate('anchors', 'list', [firm.mspId, String(from), '100']);
      const { items, next } = JSON.parse(Buffer.from(page).toString('utf8')) as {
        items: ListedAnchor[];
        next: number | null;
      };
      anchors.push(...items);
      from = next;
    }
    return anchors;
  } finally {
    channel.close();
  }
}

/**
 * Ends a load's period with one more record, waits until all members have all of it anchored, stops them, and compares what the clients were told
 * with the chains on the members' disks and with the channel. The members stay stopped.
 */
export async function judgeLedger(
  ledger: LedgerConsortium,
  acknowledged: ReadonlyMap<string, Acknowledged>,
  { members = ledger.members, markers = 1 }: { members?: readonly string[]; markers?: number } = {},
): Promise<LedgerJudgement> {
  const { firm, running } = ledger;
  await anchorMarker(firm, `urn:scenario:${firm.mspId}:last`);
  await untilViews(ledger, 'everything to be anchored', isSettled(members), { members, timeoutMs: 90_000 });
  await Promise.all(ledger.members.map((member) => ledger.service(member).process.stop()));
  const anchors = await listAnchors(ledger);
  const broken: string[] = [];
  const double: string[] = [];
  let covered = 0;
  for (const { first, last } of anchors) {
    if (first <= covered) double.push(`blocks ${String(first)} to ${String(last)} are anchored twice`);
    if (first > covered + 1) broken.push(`blocks ${String(covered + 1)} to ${String(first - 1)} are not anchored`);
    covered = Math.max(covered, last);
  }
  const disks: MemberDisk[] = [];
  try {
    for (const member of members) disks.push(await openMemberDisk(running.consortium, firm, member));
    const tips = new Set(disks.map(({ chain }) => `${String(chain.height)} ${chain.hash}`));
    if (tips.size !== 1) broken.push(`the members have different chains: ${[...tips].join(', ')}`);
    const lost: string[] = [];
    for (const { member, chain, crypto, configuration } of disks) {
      const report = await verifyChain(chain, { configuration, crypto, anchors });
      broken.push(...report.problems.map(({ height, code }) => `${member}, block ${String(height)}: ${code}`));
      broken.push(...wrongTimes(chain, ledger.startedAtMs).map((text) => `${member}, ${text}`));
      const accepted = await acceptedIn(chain);
      for (const [oid, heights] of accepted)
        if (heights.length > 1) double.push(`${member}: record ${oid} is in blocks ${heights.join()}`);
      for (const [eventId, { recordOid }] of acknowledged) {
        const [height] = accepted.get(recordOid) ?? [];
        if (height === undefined || height > covered) lost.push(`${member}: ${eventId}`);
      }
      const sent = acknowledged.size + markers;
      if (accepted.size !== sent)
        broken.push(`${member} has ${String(accepted.size)} records, ${String(sent)} were acknowledged`);
    }
    const terms = new Set(anchors.map(({ term }) => term)).size;
    const blocks = disks[0]?.chain.height ?? 0;
    return { acknowledged: acknowledged.size, blocks, anchors: anchors.length, terms, lost, double, broken };
  } finally {
    for (const { chain } of disks) await chain.close();
  }
}

/** How far a clock of this machine is from another one: they are the same. */
const clockSlackMs = 1_000;

/** Blocks that say a time at which they were not made (D3). */
function wrongTimes(chain: LedgerChain, startedAtMs: number): string[] {
  const wrong: string[] = [];
  let before = startedAtMs - clockSlackMs;
  for (let height = 1; height <= chain.height; height += 1) {
    const timestampMs = chain.header(height)?.timestampMs ?? 0;
    if (timestampMs < before || timestampMs > Date.now() + clockSlackMs)
      wrong.push(`block ${String(height)}: the time is ${new Date(timestampMs).toISOString()}`);
    before = timestampMs;
  }
  return wrong;
}

/** Heights at which each record was accepted. */
async function acceptedIn(chain: LedgerChain): Promise<ReadonlyMap<string, readonly number[]>> {
  const found = new Map<string, number[]>();
  for (let height = 1; height <= chain.height; height += 1) {
    const { candidate } = await chain.block(height);
    if (candidate.content.kind !== 'records') continue;
    for (const { submission, rejected } of candidate.content.audited) {
      const out = new Set(rejected.map(({ index }) => index));
      for (const [index, { oid }] of submission.records.entries())
        if (!out.has(index)) found.set(oid, [...(found.get(oid) ?? []), height]);
    }
  }
  return found;
}
