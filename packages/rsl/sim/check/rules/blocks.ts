import type { CheckerFactory, Judged } from '../checker.ts';
import type { BlockFact, MembershipFact } from '../facts.ts';
import { acksNeeded } from '../recompute.ts';

/** What a header states of its block is what the simulator works out itself: block hash, Merkle root, counts, center's signature. */
export const contentHashes: CheckerFactory = ({ report }) => {
  const judged = new Set<string>();
  const judge = (member: string, block: BlockFact): void => {
    if (judged.has(block.hash)) return;
    judged.add(block.hash);
    const { own, height } = block;
    if (own.hash !== block.hash) report(`${member}'s block ${height} is not hashed as its header says`);
    if (own.root !== block.root) report(`${member}'s block ${height} states another Merkle root than its content has`);
    if (own.accepted !== block.accepted || own.rejected !== block.rejected) {
      report(`${member}'s block ${height} states other counts than its content has`);
    }
    if (!block.centerSigned) report(`${member}'s block ${height} is not signed by its center`);
  };
  return { name: 'content-hashes', sealed: judge, confirmed: judge };
};

/**
 * Every certificate is a quorum, recounted: distinct members of the epoch that the block states, each over just this block, the center not
 * counted where it is not trusted. A block that changes the members has a quorum of the new ones too.
 */
export const certificates: CheckerFactory = ({ report, first }) => {
  const known = new Map<number, MembershipFact>([[first.epoch, first]]);
  // By block hash: the change that is in the chain up to there and does not count alone yet.
  const unsettled = new Map<string, MembershipFact | null>([['', null]]);
  const judged = new Set<string>();
  const judge = (member: string, block: BlockFact): void => {
    const { hash, prev, height, epoch, configuration } = block;
    if (configuration !== null) known.set(configuration.epoch, configuration);
    const below = unsettled.get(prev) ?? null;
    const open = below !== null && below.epoch > epoch ? below : null;
    unsettled.set(hash, configuration ?? open);
    const key = `${hash}/${block.acks.map(({ signer }) => signer).join()}`;
    if (judged.has(key)) return;
    judged.add(key);
    const stated = known.get(epoch);
    if (stated === undefined) {
      report(`${member}'s block ${height} states an epoch that is in no block`);
      return;
    }
    for (const membership of [stated, open, configuration]) {
      if (membership === null) continue;
      const counted = countedSigners(block, membership);
      if (counted >= acksNeeded(membership)) continue;
      report(
        `${member}'s block ${height} has ${counted} of ${acksNeeded(membership)} acknowledgements that count in epoch ${membership.epoch}`,
      );
    }
  };
  return { name: 'certificate', sealed: judge, confirmed: judge };
};

function countedSigners({ acks, center }: BlockFact, { members, lyingCenter }: MembershipFact): number {
  const counted = new Set<string>();
  for (const { signer, signed } of acks) {
    if (signed && members.includes(signer) && !(lyingCenter && signer === center)) counted.add(signer);
  }
  return counted.size;
}

/** The timestamp is the median of the acknowledgements' times, worked out again, and never goes back (D3). */
export const timestamps: CheckerFactory = ({ report }: Judged) => {
  const judged = new Set<string>();
  const stamps = new Map<string, number>([['', 0]]);
  const judge = (member: string, block: BlockFact): void => {
    if (judged.has(block.hash)) return;
    judged.add(block.hash);
    stamps.set(block.hash, block.timestampMs);
    const below = stamps.get(block.prev);
    if (below === undefined) return;
    const times = block.acks.map(({ ackTimeMs }) => ackTimeMs).sort((a, b) => a - b);
    const median = times[(times.length - 1) >> 1] ?? 0;
    if (block.timestampMs !== Math.max(median, below)) {
      report(
        `${member}'s block ${block.height} is stamped ${block.timestampMs}; its acknowledgements say ${Math.max(median, below)}`,
      );
    }
  };
  return { name: 'timestamp', sealed: judge, confirmed: judge };
};

/**
 * The configuration changes one node at a time, each change making the next epoch; blocks are of the new epoch only when the change is confirmed
 * by the blocks between, and no change follows another that is not.
 */
export const membershipSteps: CheckerFactory = ({ report, first }) => {
  let latest = first;
  let changedAt = -9;
  let effective = first.epoch;
  let top = 0;
  return {
    name: 'membership',
    confirmed(member, { height, configuration, epoch }) {
      if (height !== top + 1) return;
      top = height;
      // A certificate on the next block confirms; where the center may lie it takes two.
      const settles = changedAt + (latest.lyingCenter ? 3 : 2);
      if (epoch < effective || epoch > latest.epoch || (epoch > effective && height < settles)) {
        report(`${member}'s block ${height} is of epoch ${epoch}; block ${changedAt} began epoch ${latest.epoch}`);
      }
      effective = epoch;
      if (configuration === null) return;
      if (epoch !== latest.epoch || configuration.epoch !== latest.epoch + 1) {
        report(`${member}'s block ${height} goes from epoch ${epoch} to ${configuration.epoch} after ${latest.epoch}`);
      }
      const moved = difference(latest.members, configuration.members);
      const seen = difference(
        [...latest.members, ...latest.learners],
        [...configuration.members, ...configuration.learners],
      );
      if (moved + seen > 2 || moved > 1 || seen > 1) report(`${member}'s block ${height} changes more than one node`);
      latest = configuration;
      changedAt = height;
    },
  };
};

function difference(a: readonly string[], b: readonly string[]): number {
  return a.filter((one) => !b.includes(one)).length + b.filter((one) => !a.includes(one)).length;
}

/** A snapshot that a member goes on from says of every department's sequence what the blocks below say. */
export const snapshots: CheckerFactory = ({ report, chain }) => ({
  name: 'snapshot',
  snapshot(member, { height, cursors, seals }) {
    const block = chain.get(height);
    if (block === undefined) {
      report(`${member} took a snapshot at height ${height}, which nobody confirmed`);
      return;
    }
    if (seals[0]?.hash !== block.hash) report(`${member} took a snapshot with another header at height ${height}`);
    const last = new Map<string, string>();
    for (let below = 1; below <= height; below += 1) {
      for (const { department, seq, hash } of chain.get(below)?.entries ?? []) last.set(department, `${seq}/${hash}`);
    }
    const stated = new Map(cursors.map(({ department, seq, hash }) => [department, `${seq}/${hash}`]));
    for (const [department, place] of last) {
      if (stated.get(department) !== place)
        report(`${member} took a snapshot that is wrong about ${department}'s sequence`);
    }
    if (stated.size > last.size) report(`${member} took a snapshot that invents a department's sequence`);
  },
});
