import type { Candidate, Position } from '../block/candidate.ts';
import type { Crypto } from '../crypto.ts';
import type { BlockRef } from '../ids.ts';
import { type Epochs, inForce } from '../membership/epochs.ts';
import { jointResult, tallyVotes } from '../quorum.ts';
import type { PlantedFaults } from '../testing-seams/faults.ts';
import { comparePlaces } from './log-end.ts';
import { type Vote, type VoteCertificate, voteStatement } from './vote.ts';

/** Whether a vote is what it should be: for this term and candidate, signed by its voter. */
export function isVote(
  crypto: Crypto,
  vote: Vote,
  expected: Pick<Vote, 'ledger' | 'epoch' | 'term' | 'candidate'>,
): boolean {
  return (
    vote.ledger === expected.ledger &&
    vote.epoch === expected.epoch &&
    vote.term === expected.term &&
    vote.candidate === expected.candidate &&
    crypto.verify(vote.voter, voteStatement(vote), vote.signature)
  );
}

/**
 * Checks that a member was elected: a vote quorum under every configuration in force after its base, and, when centers may lie, no voter whose
 * last sealed block is above the base (rsl.md, "Strong leadership").
 * @param base the block the center starts from, in the checker's own or checked chain
 * @param epochs in force after it
 * @returns reason code, or null when all is well
 */
export function electionProblem(
  crypto: Crypto,
  ledger: string,
  certificate: VoteCertificate,
  base: BlockRef,
  epochs: Epochs,
  faults: PlantedFaults,
): string | null {
  const { epoch, term, center, votes } = certificate;
  if (faults.skipElectionCheck === true) return null;
  if (faults.handOverWithoutFencing === true && votes.length === 0) return null;
  if (epoch !== epochs.current.epoch) return 'epoch-mismatch';
  const configurations = inForce(epochs);
  if (!configurations.some(({ eligible }) => eligible.includes(center))) return 'not-eligible';
  const lying = configurations.some(({ profile }) => profile.center === 'lying');
  const voters = new Set<string>();
  for (const vote of votes) {
    if (voters.has(vote.voter)) return 'vote-twice';
    if (!isVote(crypto, vote, { ledger, epoch, term, candidate: center })) return 'vote-invalid';
    if (lying && comparePlaces(vote.logEnd.sealed, base) > 0) return 'base-too-low';
    voters.add(vote.voter);
  }
  const short = faults.voteQuorumShort === true ? 1 : 0;
  const results = configurations.map((c) => tallyVotes(c, (member) => voters.has(member) || undefined, short));
  return jointResult(results) === 'won' ? null : 'no-quorum';
}

/** What the first candidate of a term has to repeat: the highest candidate on the base that a voter holds, or one of several of one term. */
export function requiredReproposals(certificate: VoteCertificate, base: BlockRef): readonly Position[] {
  let highest: Position[] = [];
  for (const { logEnd } of certificate.votes) {
    const { candidate } = logEnd;
    if (candidate?.height !== base.height + 1 || candidate.prev !== base.hash) continue;
    const term = highest[0]?.term ?? -1;
    if (candidate.term > term) highest = [candidate];
    else if (candidate.term === term) highest.push(candidate);
  }
  return highest;
}

/** Whether a term's first candidate repeats what it has to. */
export function repeatsRequired(candidate: Candidate, required: readonly Position[]): boolean {
  return (
    required.length === 0 || required.some(({ root, count }) => root === candidate.root && count === candidate.count)
  );
}
