import {
  type Candidate,
  candidateStatement,
  type Configuration,
  confirmedBy,
  contentCounts,
  contentRoot,
  type Crypto,
  departmentsDigest,
  type Epochs,
  inForce,
  nextEpochs,
  noBlock,
  noSubmission,
  type Seal,
  sealProblem,
  sealTimestamp,
} from '@waymark/rsl';

/** What follows from the blocks up to one height. */
export interface WalkState {
  readonly height: number;
  readonly term: number;
  readonly hash: string;
  readonly timestampMs: number;
  readonly confirmed: number;
  readonly cursors: ReadonlyMap<string, { readonly seq: number; readonly hash: string }>;
  readonly epochs: Epochs;
}

/** The state before the first block. */
export function walkFrom(configuration: Configuration): WalkState {
  return {
    height: 0,
    term: 0,
    hash: noBlock,
    timestampMs: 0,
    confirmed: 0,
    cursors: new Map(),
    epochs: { current: configuration, pending: null },
  };
}

/**
 * All that is wrong with a block on the chain below it. Nothing of the core's own checking is used but hashes, quorums and statements.
 * @returns reason codes; none when all is well
 */
export function blockProblems(crypto: Crypto, below: WalkState, candidate: Candidate, seal: Seal): readonly string[] {
  const { header } = seal;
  const { content } = candidate;
  const problems: string[] = [];
  const check = (holds: boolean, code: string): void => {
    if (!holds) problems.push(code);
  };
  check(header.height === below.height + 1, 'height-gap');
  check(header.prev === below.hash, 'previous-mismatch');
  check(header.term >= below.term, 'term-mismatch');
  check(header.epoch === below.epochs.current.epoch, 'epoch-mismatch');
  check(crypto.headerHash(header) === seal.hash, 'hash-mismatch');
  check(crypto.bodyId(candidate) === header.body, 'body-mismatch');
  check(contentRoot(crypto, content) === header.root, 'root-mismatch');
  const { accepted, rejected } = contentCounts(content);
  check(header.accepted === accepted && header.rejected === rejected, 'count-mismatch');
  check(header.timestampMs === sealTimestamp(seal.certificate, below.timestampMs), 'timestamp-mismatch');
  const cursors = cursorsAfter(below, candidate);
  check(departmentsDigest(crypto, candidate.salt, cursors) === header.departments, 'departments-mismatch');
  check(below.epochs.current.members.includes(seal.center), 'center-removed');
  check(
    crypto.verify(candidate.center, candidateStatement(candidate), candidate.signature),
    'candidate-signature-invalid',
  );
  const problem = sealProblem(crypto, seal, inForce(below.epochs, content), {});
  if (problem !== null) problems.push(problem);
  problems.push(...submissionProblems(crypto, below, candidate));
  return [...new Set(problems)];
}

/** The state after a block, whatever was wrong with it. */
export function walkOn(below: WalkState, candidate: Candidate, { header, hash }: Seal): WalkState {
  const { height, term, timestampMs } = header;
  const lying = inForce(below.epochs).some(({ profile }) => profile.center === 'lying');
  const confirmed = confirmedBy(below, { height, term }, lying);
  return {
    height,
    term,
    hash,
    timestampMs,
    confirmed,
    cursors: cursorsAfter(below, candidate),
    epochs: nextEpochs(below.epochs, height, candidate.content, confirmed),
  };
}

function submissionProblems(crypto: Crypto, below: WalkState, { content, ledger }: Candidate): string[] {
  if (content.kind !== 'records') return [];
  const problems: string[] = [];
  const cursors = new Map(below.cursors);
  for (const { submission, rejected } of content.audited) {
    const { department, seq, prev, hash, records } = submission;
    const last = cursors.get(department) ?? { seq: 0, hash: noSubmission };
    if (seq !== last.seq + 1 || prev !== last.hash) problems.push('sequence-gap');
    cursors.set(department, { seq, hash });
    if (submission.ledger !== ledger || crypto.submissionDigest(submission) !== hash)
      problems.push('submission-mismatch');
    else if (!crypto.verifySubmission(submission)) problems.push('submission-signature-invalid');
    if (crypto.merkleRoot(records.map(({ leaf }) => leaf)) !== submission.root) problems.push('submission-root');
    const places = rejected.map(({ index }) => index);
    if (places.some((place, at) => place >= records.length || place <= (places[at - 1] ?? -1)))
      problems.push('verdict-invalid');
  }
  return problems;
}

function cursorsAfter(below: WalkState, { content }: Candidate): WalkState['cursors'] {
  if (content.kind !== 'records') return below.cursors;
  const cursors = new Map(below.cursors);
  for (const { submission } of content.audited)
    cursors.set(submission.department, { seq: submission.seq, hash: submission.hash });
  return cursors;
}
