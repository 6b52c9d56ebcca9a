/**
 * Consensus bugs that a simulation plants one at a time, to show that its checkers find them (rsl.md, "What must hold"). Each names a decision
 * that the core then makes wrongly. Nothing outside tests and the simulator passes any of them (a test looks).
 */
export const plantedFaults = {
  voteTwicePerTerm: 'A member grants its vote to every candidate of a term, not to the first only.',
  voteForStaleLog: 'A member votes for a candidate whose log ends below its own.',
  preVoteIgnoresLog: 'A member says yes to a pre-vote whatever the log of the asker, or the life of its center.',
  forgetTerm: 'The term is not persisted.',
  forgetVote: 'The vote is not persisted.',
  forgetAck: 'A candidate is acknowledged without being handed out to persist.',
  ackBeforePersist: 'Acknowledgements leave before the candidate is durable.',
  ackTwicePerHeight: 'A second candidate of one height and term replaces the first, and is acknowledged too.',
  commitOldTerm: 'A block is confirmed by blocks of different terms.',
  confirmTooEarly: 'A block is confirmed by one certificate less than it takes.',
  confirmOnSeal: 'A block is confirmed by its own certificate.',
  countCenterAck: "The lying-center profile counts the center's own acknowledgement.",
  countDuplicateAcks: 'One department that acknowledges twice is counted twice.',
  countForeignAcks: 'Acknowledgements of members outside the configuration are counted.',
  countLearners: 'Learners are counted in the quorum.',
  ackQuorumShort: 'One acknowledgement less makes a block.',
  voteQuorumShort: 'One vote less makes a center.',
  reuseAcksAcrossEpochs: 'Acknowledgements of an earlier configuration epoch are counted.',
  reuseCertificate: 'One set of acknowledgements is taken for another block: what they say is not compared.',
  skipAckSignatures: 'Signatures of acknowledgements are not verified.',
  acceptStaleCenter: 'Messages of a center of an earlier term are followed.',
  skipElectionCheck: 'A sender is taken for the center without a vote certificate.',
  leaveBase: 'Departments let a new center propose on another block than the one it was elected with.',
  skipReaudit: 'Departments acknowledge whatever the center pushes (D6).',
  skipSequenceGap: "Departments do not look for gaps in a department's sequence.",
  skipOwnSubmissions: 'A department does not miss its own submissions.',
  skipSubmissionSignature: 'Departments do not verify that a submission was signed by its department.',
  skipRootCheck: 'Departments do not recompute Merkle roots.',
  skipPreviousHash: 'Departments do not look at what a candidate names as its predecessor.',
  acceptDuplicateOid: 'An oid is accepted a second time.',
  skipRejectionReason: 'Departments believe a rejection without checking its reason.',
  stampBeforeVerification: "The timestamp is the center's clock before the departments verified.",
  skipTimestampCheck: 'Departments do not recompute the timestamp.',
  dropRejected: 'The center leaves rejected submissions out of the block.',
  newCenterForgets: 'A new center does not re-propose the highest candidate that voters acknowledged.',
  resumeTruncated: 'A member that restarts comes back without the last blocks it acknowledged.',
  twoMembershipChanges: 'A membership change is taken while another one is not confirmed.',
  configurationAtOnce: 'A new configuration counts alone as soon as it is proposed.',
  snapshotLosesSequences: "A snapshot forgets the departments' sequences.",
  snapshotUnverified: 'A snapshot is installed without being checked.',
  catchUpUnverified: 'Blocks of a catch-up are taken without checking their certificates.',
  handOverWithoutFencing:
    'A standby that is told to take over does so in the same term, without an election, and the old center goes on.',
  ignoreEvidence: 'A center that is proven to lie is followed and elected all the same.',
  receiptBeforePersist: 'A submission receipt leaves before the submission is durable.',
} as const satisfies Record<string, string>;

/** Name of a planted bug. */
export type PlantedFault = keyof typeof plantedFaults;

/** Which bugs are planted. */
export type PlantedFaults = Readonly<Partial<Record<PlantedFault, boolean>>>;

/** What production runs with. */
export const noFaults: PlantedFaults = Object.freeze({});
