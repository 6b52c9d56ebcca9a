import type { CertificateAck } from '../block/ack.ts';
import { type Candidate, contentCounts } from '../block/candidate.ts';
import type { Header, Seal } from '../block/header.ts';
import { sealTimestamp } from '../block/timestamp.ts';
import { confirmedBy } from '../confirm.ts';
import type { Crypto } from '../crypto.ts';
import { type BlockRef, type Digest, type MemberId, noBlock } from '../ids.ts';
import type { Configuration } from '../membership/configuration.ts';
import { type Epochs, inForce, nextEpochs } from '../membership/epochs.ts';
import type { DepartmentCursor } from '../snapshot/snapshot.ts';
import type { PlantedFaults } from '../testing-seams/faults.ts';

/** Where one department's sequence stands. */
export type Cursor = Pick<DepartmentCursor, 'seq' | 'hash'>;
export type Cursors = ReadonlyMap<MemberId, Cursor>;

/** What follows from the sealed blocks up to one height, and from nothing else: every member has the same. */
export interface ChainState extends BlockRef {
  readonly timestampMs: number;
  /** Last block that the chain up to here confirms. */
  readonly confirmed: number;
  readonly cursors: Cursors;
  readonly epochs: Epochs;
}

/** The state before the first block. */
export function genesis(configuration: Configuration): ChainState {
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

/** Sequences after a candidate. */
export function cursorsAfter(cursors: Cursors, { content }: Candidate): Cursors {
  if (content.kind !== 'records') return cursors;
  const next = new Map(cursors);
  for (const { submission } of content.audited) {
    next.set(submission.department, { seq: submission.seq, hash: submission.hash });
  }
  return next;
}

/** Digest over all departments' sequences; salted, so that a header does not tell who submitted (D3). */
export function departmentsDigest(crypto: Crypto, salt: string, cursors: Cursors): Digest {
  return crypto.digest([
    'waymark/rsl/departments/v1',
    salt,
    ...cursorList(cursors).map((c) => [c.department, c.seq, c.hash]),
  ]);
}

/** In byte order of the departments. */
export function cursorList(cursors: Cursors): DepartmentCursor[] {
  return [...cursors]
    .map(([department, { seq, hash }]) => ({ department, seq, hash }))
    .sort((a, b) => (a.department < b.department ? -1 : 1));
}

/** The header that a candidate gets with this certificate: the only one that members accept (D3). */
export function headerFor(
  crypto: Crypto,
  below: ChainState,
  candidate: Candidate,
  certificate: readonly CertificateAck[],
): Header {
  const counts = contentCounts(candidate.content);
  return {
    version: 1,
    ledger: candidate.ledger,
    epoch: candidate.epoch,
    height: candidate.height,
    term: candidate.term,
    prev: candidate.prev,
    departments: departmentsDigest(crypto, candidate.salt, cursorsAfter(below.cursors, candidate)),
    root: candidate.root,
    accepted: counts.accepted,
    rejected: counts.rejected,
    timestampMs: sealTimestamp(certificate, below.timestampMs),
    body: crypto.bodyId(candidate),
  };
}

/** The state after one more sealed block. */
export function extend(below: ChainState, candidate: Candidate, seal: Seal, faults: PlantedFaults): ChainState {
  const { height, term, timestampMs } = seal.header;
  const lying = inForce(below.epochs).some(({ profile }) => profile.center === 'lying');
  const confirmed = confirmedBy(below, { height, term }, lying, faults);
  return {
    height,
    term,
    hash: seal.hash,
    timestampMs,
    confirmed,
    cursors: cursorsAfter(below.cursors, candidate),
    epochs: nextEpochs(below.epochs, height, candidate.content, confirmed, faults),
  };
}
