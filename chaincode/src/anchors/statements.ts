import { createHash } from 'node:crypto';
import { encodeCbor, type Cbor } from '../cose/cbor.ts';
import type { CenterStatement, Election, Header } from './input.ts';
import type { Configuration } from './model.ts';

/** What members of a ledger sign, as docs/formats.md lists it; the first item says what it is. */
export type Statement = readonly Cbor[];

export const acknowledgement = (header: Header, ackTimeMs: number): Statement => [
  'waymark/rsl/ack/v1',
  header.ledger,
  header.epoch,
  header.height,
  header.term,
  header.prev,
  header.root,
  header.accepted + header.rejected,
  ackTimeMs,
];

export const sealing = (header: Header, center: string): Statement => [
  'waymark/rsl/seal/v1',
  header.ledger,
  header.epoch,
  header.height,
  header.term,
  center,
  header.hash,
];

export const proposal = (ledger: string, candidate: Extract<CenterStatement, { kind: 'candidate' }>): Statement => [
  'waymark/rsl/candidate/v1',
  ledger,
  candidate.epoch,
  candidate.height,
  candidate.term,
  candidate.center,
  candidate.prev,
  candidate.root,
  candidate.count,
];

export const voting = (
  ledger: string,
  { epoch, term, center }: Election,
  [voter, sealed, candidate]: Election['votes'][number],
): Statement => ['waymark/rsl/vote/v1', ledger, epoch, term, center, voter, sealed, candidate];

export const anchoring = (anchor: {
  readonly ledger: string;
  readonly epoch: number;
  readonly first: number;
  readonly last: number;
  readonly hash: string;
  readonly root: string;
  readonly term: number;
  readonly center: string;
}): Statement => [
  'waymark/rsl/anchor/v1',
  anchor.ledger,
  anchor.epoch,
  anchor.first,
  anchor.last,
  anchor.hash,
  anchor.root,
  anchor.term,
  anchor.center,
];

export const receiving = (
  ledger: string,
  receipt: {
    readonly department: string;
    readonly seq: number;
    readonly hash: string;
    readonly center: string;
    readonly term: number;
    readonly height: number;
    readonly accepted: number;
  },
): Statement => [
  'waymark/rsl/receipt/v1',
  ledger,
  receipt.department,
  receipt.seq,
  receipt.hash,
  receipt.center,
  receipt.term,
  receipt.height,
  receipt.accepted,
];

export const configuring = ({ epoch, members, learners, eligible, profile }: Configuration): Statement => [
  'waymark/rsl/configuration/v1',
  epoch,
  members,
  learners,
  eligible,
  profile.center,
  profile.center === 'lying' ? profile.colluding : null,
];

export const anchorLeaf = (ledger: string, height: number, hash: string): Statement => [
  'waymark/rsl/anchor-leaf/v1',
  ledger,
  height,
  hash,
];

/** Digest of a header's department sequences, lower-case hex. */
export function departmentsDigest(salt: string, cursors: readonly (readonly [string, number, string])[]): string {
  return createHash('sha256')
    .update(encodeCbor(['waymark/rsl/departments/v1', salt, ...cursors]))
    .digest('hex');
}
