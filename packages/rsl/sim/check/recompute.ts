import type { Content, Configuration, Profile, SealedBlock } from '../../src/index.ts';
import { digestOf, leafHashOf, merkleRootOf, type Plain, type SimKeys } from '../world/keys.ts';
import type { BlockFact, EntryFact, MembershipFact } from './facts.ts';

/**
 * The simulator's own reading of blocks: hashes, roots, counts and signatures are worked out again from the layouts as documented, without
 * any of the core's code.
 */
export interface BlockReader {
  read(block: SealedBlock): BlockFact;
}

export function createBlockReader(keys: SimKeys): BlockReader {
  // Members of a simulation hand each other the same objects: what was read once need not be read again.
  const known = new WeakMap<object, { seal: object; fact: BlockFact }>();
  return {
    read(block) {
      const before = known.get(block.candidate);
      if (before?.seal === block.seal) return before.fact;
      const fact = readBlock(keys, block);
      known.set(block.candidate, { seal: block.seal, fact });
      return fact;
    },
  };
}

function readBlock(keys: SimKeys, { candidate, seal }: SealedBlock): BlockFact {
  const { header } = seal;
  const leaves = leavesOf(candidate.content);
  const entries = entriesOf(candidate.content);
  const records = entries.reduce((sum, { oids }) => sum + oids.length, 0);
  const rejected = entries.reduce((sum, entry) => sum + entry.rejected.length, 0);
  const { ledger, epoch, height, term, prev, root } = header;
  const ackStatement = (ackTimeMs: number): Plain => [
    'waymark/rsl/ack/v1',
    ledger,
    epoch,
    height,
    term,
    prev,
    root,
    header.accepted + header.rejected,
    ackTimeMs,
  ];
  return {
    height,
    term,
    epoch,
    prev,
    hash: seal.hash,
    root,
    accepted: header.accepted,
    rejected: header.rejected,
    timestampMs: header.timestampMs,
    departments: header.departments,
    salt: candidate.salt,
    own: {
      hash: digestOf([
        'waymark/rsl/header/v1',
        header.version,
        ledger,
        epoch,
        height,
        term,
        prev,
        header.departments,
        root,
        header.accepted,
        header.rejected,
        header.timestampMs,
        header.body,
      ]),
      root: merkleRootOf(leaves),
      accepted: records - rejected,
      rejected,
    },
    center: seal.center,
    centerSigned: keys.verify(
      seal.center,
      ['waymark/rsl/seal/v1', ledger, epoch, height, term, seal.center, seal.hash],
      seal.signature,
    ),
    entries,
    configuration: candidate.content.kind === 'configuration' ? membershipOf(candidate.content.configuration) : null,
    acks: seal.certificate.map(({ member, ackTimeMs, signature }) => ({
      signer: member,
      ackTimeMs,
      signed: keys.verify(member, ackStatement(ackTimeMs), signature),
    })),
  };
}

function leavesOf(content: Content): Uint8Array[] {
  if (content.kind === 'empty') return [];
  if (content.kind === 'records') {
    return content.audited.map(({ submission, rejected }) =>
      leafHashOf([
        'waymark/rsl/leaf/v1',
        submission.department,
        submission.seq,
        submission.hash,
        submission.root,
        submission.records.length,
        rejected.map(({ index, reason }) => [index, reason]),
      ]),
    );
  }
  const { epoch, members, learners, eligible, profile } = content.configuration;
  const tolerated = profile.center === 'lying' ? profile.colluding : null;
  return [leafHashOf(['waymark/rsl/configuration/v1', epoch, members, learners, eligible, profile.center, tolerated])];
}

function entriesOf(content: Content): EntryFact[] {
  if (content.kind !== 'records') return [];
  return content.audited.map(({ submission, rejected }) => ({
    department: submission.department,
    seq: submission.seq,
    hash: submission.hash,
    oids: submission.records.map(({ oid }) => oid),
    rejected,
  }));
}

export function membershipOf({ epoch, members, learners, profile }: Configuration): MembershipFact {
  return {
    epoch,
    members,
    learners,
    lyingCenter: isLying(profile),
    tolerated: profile.center === 'lying' ? profile.colluding : 0,
  };
}

function isLying(profile: Profile): boolean {
  return profile.center === 'lying';
}

/** Acknowledgements that a block needs, by rsl.md "Members and quorums": of the departments alone, or Raft's majority of all. */
export function acksNeeded(membership: MembershipFact): number {
  const { members, lyingCenter, tolerated } = membership;
  if (!lyingCenter) return (members.length >> 1) + 1;
  return ((members.length - 1 + tolerated) >> 1) + 1;
}

/** Votes that a center needs: the fewest for which q_ack + q_vote >= n + t + 1; Raft's majority for a trusted center. */
export function votesNeeded(membership: MembershipFact): number {
  const { members, lyingCenter, tolerated } = membership;
  return lyingCenter ? members.length + tolerated + 1 - acksNeeded(membership) : (members.length >> 1) + 1;
}
