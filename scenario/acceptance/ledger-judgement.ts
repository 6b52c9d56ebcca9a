import type { Acknowledged } from '../support/load.ts';
import { anchorMarker, type Judgement, otherReceipts, readBack, untilIndexed } from '../support/judgement.ts';
import type { Firm } from '../support/running-consortium.ts';
import { openTrustedReading } from '../support/trusted-reading.ts';
import { type Anchor, anchorsOf, blocksAbove, memberServices, untilSettled, verifiedBy } from './private-ledgers.ts';
import type { System } from './system.ts';

/** What is judged: everything that came into a firm's ledger above a height. */
export interface JudgedLedger {
  /** By event id: what its clients were told. */
  readonly acknowledged: ReadonlyMap<string, Acknowledged>;
  /** Height of the ledger before. */
  readonly above: number;
  /** Part of the id of the records that close the period. */
  readonly name: string;
}

/**
 * Compares what the clients of a firm with a private ledger were told with what its reader, its members and the channel say afterwards: each record is read
 * back equal and anchored, the blocks hold just these records, every member's chain is the same and whole, and every block is under one anchor.
 */
export async function judgePrivateLedger(
  system: System,
  firm: Firm,
  { acknowledged, above, name }: JudgedLedger,
): Promise<Judgement> {
  const marker = `urn:scenario:${firm.mspId}:${name}`;
  const asked = [...acknowledged.values()];
  await anchorMarker(firm, marker);
  const reading = await openTrustedReading(system.running, firm);
  try {
    await untilIndexed(reading, marker);
    const found = await readBack(reading, asked, false);
    const broken = await otherReceipts(firm, asked, false);
    await untilSettled(system, firm);
    const [member, ...others] = memberServices(system, firm);
    if (member === undefined) throw new Error(`${firm.mspId} keeps a private ledger`);
    const blocks = await blocksAbove(firm, member, above);
    const accepted = blocks.reduce((sum, block) => sum + block.accepted, 0);
    // One more: the marker.
    if (accepted !== asked.length + 1)
      broken.push(`${String(accepted)} records in blocks, ${String(asked.length + 1)} acknowledged`);
    const rejected = blocks.reduce((sum, block) => sum + block.rejected, 0);
    if (rejected > 0) broken.push(`${String(rejected)} records were rejected`);
    const heights = new Set<number>();
    for (const each of [member, ...others]) {
      const { height, valid, problems } = await verifiedBy(firm, each);
      heights.add(height);
      if (!valid) broken.push(`the chain of ${each.process.name}: ${JSON.stringify(problems)}`);
    }
    if (heights.size > 1) broken.push(`members have chains of heights ${[...heights].join(', ')}`);
    const { gaps, double } = anchorFaults(await anchorsOf(system, firm));
    return {
      acknowledged: asked.length,
      lost: found.lost,
      double: [...double, ...found.double],
      broken: [...broken, ...gaps],
    };
  } finally {
    await reading.close();
  }
}

/** Every block is under one anchor, and no later anchor is of an earlier term. */
export function anchorFaults(anchors: readonly Pick<Anchor, 'first' | 'last' | 'term'>[]): {
  readonly gaps: readonly string[];
  readonly double: readonly string[];
} {
  const gaps: string[] = [];
  const double: string[] = [];
  let covered = 0;
  let latest = 0;
  for (const { first, last, term } of anchors) {
    if (first <= covered) double.push(`blocks ${String(first)} to ${String(last)} are anchored twice`);
    if (first > covered + 1) gaps.push(`blocks ${String(covered + 1)} to ${String(first - 1)} are not anchored`);
    if (term < latest)
      gaps.push(`the anchor of block ${String(first)} is of term ${String(term)}, after ${String(latest)}`);
    covered = Math.max(covered, last);
    latest = Math.max(latest, term);
  }
  return { gaps, double };
}
