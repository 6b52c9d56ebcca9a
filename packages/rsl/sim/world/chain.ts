import type { SealedBlock, VoteCertificate } from '../../src/index.ts';
import type { AnchorFact, BlockFact, MembershipFact } from '../check/facts.ts';
import { acksNeeded, type BlockReader, votesNeeded } from '../check/recompute.ts';
import type { SimKeys } from './keys.ts';

/**
 * An anchor transaction: a range of blocks by its last one, the blocks above that confirm it, the term of the center that sends it, and its
 * election when that term is higher than the chain has seen.
 */
export interface AnchorTransaction {
  readonly first: number;
  readonly term: number;
  readonly last: SealedBlock;
  readonly above: readonly SealedBlock[];
  readonly election: VoteCertificate | null;
}

/** The anchors of one ledger on the channel, as a chaincode that checks `isConfirmedBySeals` would take and refuse them. */
export interface AnchorChain {
  /** Takes the members of the next epoch, as a confirmed block has them. Null when they were taken, else why not. */
  register(change: SealedBlock, above: readonly SealedBlock[]): string | null;
  /** Null when it was taken, else why not. */
  submit(transaction: AnchorTransaction): string | null;
  /** Height up to which the ledger is anchored. */
  height(): number;
  /** Latest epoch whose members are registered. */
  epoch(): number;
  readonly taken: readonly AnchorFact[];
}

export interface AnchorChainOptions {
  readonly keys: SimKeys;
  readonly reader: BlockReader;
  readonly first: MembershipFact;
  readonly onAnchor: (anchor: AnchorFact) => void;
}

export function createAnchorChain({ keys, reader, first, onAnchor }: AnchorChainOptions): AnchorChain {
  const registered = new Map<number, MembershipFact>([[first.epoch, first]]);
  const taken: AnchorFact[] = [];
  let height = 0;
  let term = 0;
  let latest = first;

  const certified = (block: BlockFact): boolean => {
    const membership = registered.get(block.epoch);
    if (membership === undefined || block.own.hash !== block.hash || !block.centerSigned) return false;
    const signers = new Set(block.acks.filter(({ signed }) => signed).map(({ signer }) => signer));
    const counted = membership.members.filter(
      (member) => signers.has(member) && !(membership.lyingCenter && member === block.center),
    );
    return counted.length >= acksNeeded(membership);
  };
  // Where the center may lie, two certificates of one term stand above a block that is final; else one does.
  const confirmed = (block: BlockFact, above: readonly BlockFact[]): boolean => {
    let below = block;
    for (const [index, next] of above.entries()) {
      if (next.height !== below.height + 1 || next.prev !== below.hash || !certified(next)) return false;
      const lying = registered.get(next.epoch)?.lyingCenter === true;
      if (!lying || (index > 0 && next.term === below.term)) return true;
      below = next;
    }
    return false;
  };
  const elected = (certificate: VoteCertificate | null, wanted: number): boolean => {
    const membership = certificate === null ? undefined : registered.get(certificate.epoch);
    if (certificate === null || membership === undefined || certificate.term !== wanted) return false;
    const voters = new Set<string>();
    for (const vote of certificate.votes) {
      const { sealed, candidate } = vote.logEnd;
      const statement = [
        'waymark/rsl/vote/v1',
        vote.ledger,
        vote.epoch,
        vote.term,
        vote.candidate,
        vote.voter,
        [sealed.height, sealed.term, sealed.hash],
        candidate === null ? null : [candidate.height, candidate.term, candidate.prev, candidate.root, candidate.count],
      ];
      if (vote.term !== wanted || vote.candidate !== certificate.center) continue;
      if (membership.members.includes(vote.voter) && keys.verify(vote.voter, statement, vote.signature))
        voters.add(vote.voter);
    }
    return voters.size >= votesNeeded(membership);
  };

  return {
    register(changeBlock, blocksAbove) {
      const block = reader.read(changeBlock);
      const change = block.configuration;
      if (change?.epoch !== latest.epoch + 1) return 'epoch-not-next';
      if (!certified(block)) return 'certificate-invalid';
      // Blocks above may be of the new epoch already.
      registered.set(change.epoch, change);
      const isFinal = confirmed(
        block,
        blocksAbove.map((one) => reader.read(one)),
      );
      if (!isFinal) registered.delete(change.epoch);
      else latest = change;
      return isFinal ? null : 'not-confirmed';
    },
    taken,
    height: () => height,
    epoch: () => latest.epoch,
    submit(transaction) {
      const last = reader.read(transaction.last);
      const above = transaction.above.map((block) => reader.read(block));
      const change = last.configuration;
      if (change !== null && !registered.has(change.epoch)) return 'members-not-registered';
      if (transaction.first !== height + 1 || last.height < transaction.first) return 'anchor-not-continuous';
      if (transaction.term < term || last.term > transaction.term) return 'term-stale';
      if (!certified(last)) return 'certificate-invalid';
      if (transaction.term > term && !elected(transaction.election, transaction.term))
        return 'vote-certificate-missing';
      if (!confirmed(last, above)) return 'not-confirmed';
      height = last.height;
      term = transaction.term;
      const anchor = { first: transaction.first, last: height, hash: last.hash, term, epoch: last.epoch };
      taken.push(anchor);
      onAnchor(anchor);
      return null;
    },
  };
}
