import type { Ack, Candidate, CertificateAck, Content, Header, Seal, Submission } from '../../src/index.ts';
import { LEDGER } from '../member/submitter.ts';
import { digestOf, leafHashOf, merkleRootOf, type SimKeys } from '../world/keys.ts';

/** Where a liar's chain stands: what its next block is built on. */
export interface Tip {
  readonly height: number;
  readonly hash: string;
  readonly timestampMs: number;
  readonly cursors: ReadonlyMap<string, { readonly seq: number; readonly hash: string }>;
}

/** What a liar states in a candidate; whatever is left out is made as an honest center would. */
export interface CandidateDraft {
  readonly center: string;
  readonly term: number;
  readonly epoch: number;
  readonly tip: Tip;
  readonly content: Content;
  readonly salt: string;
  readonly root?: string;
  readonly prev?: string;
  readonly height?: number;
  readonly count?: number;
}

/** Makes and signs a candidate. A liar has its own key: what it signs is signed well. */
export function forgeCandidate(keys: SimKeys, draft: CandidateDraft): Candidate {
  const { center, term, epoch, tip, content, salt } = draft;
  const height = draft.height ?? tip.height + 1;
  const prev = draft.prev ?? tip.hash;
  const root = draft.root ?? rootOf(content);
  const count = draft.count ?? countOf(content);
  const statement = ['waymark/rsl/candidate/v1', LEDGER, epoch, height, term, center, prev, root, count];
  const signature = keys.sign(center, statement);
  return { ledger: LEDGER, epoch, height, term, center, prev, content, salt, root, count, signature };
}

/** What is different in a forged seal. */
export interface SealTwist {
  readonly timestampMs?: number;
  readonly timestampShiftMs?: number;
}

/** Makes the header that follows from a certificate, and signs it. */
export function forgeSeal(
  keys: SimKeys,
  tip: Tip,
  candidate: Candidate,
  acks: readonly CertificateAck[],
  twist: SealTwist = {},
): Seal {
  const certificate = [...acks].sort((a, b) => (a.member < b.member ? -1 : a.member > b.member ? 1 : 0));
  const times = certificate.map(({ ackTimeMs }) => ackTimeMs).sort((a, b) => a - b);
  const median = Math.max(times[(times.length - 1) >> 1] ?? 0, tip.timestampMs);
  const timestampMs = twist.timestampMs ?? median + (twist.timestampShiftMs ?? 0);
  const { ledger, epoch, height, term, prev, root, salt, content, center } = candidate;
  const rejected = content.kind === 'records' ? content.audited.reduce((sum, one) => sum + one.rejected.length, 0) : 0;
  const header: Header = {
    version: 1,
    ledger,
    epoch,
    height,
    term,
    prev,
    departments: departmentsOf(salt, cursorsWith(tip, content)),
    root,
    accepted: candidate.count - rejected,
    rejected,
    timestampMs,
    body: digestOf(['body', height, salt, rootOf(content)]),
  };
  const hash = digestOf(headerStatement(header));
  const signature = keys.sign(center, ['waymark/rsl/seal/v1', ledger, epoch, height, term, center, hash]);
  return { header, hash, center, certificate, signature };
}

/** An acknowledgement by somebody whose key the liar has: its own, or a department's in league with it. */
export function forgeAck(keys: SimKeys, member: string, candidate: Candidate, ackTimeMs: number): Ack {
  const { ledger, epoch, height, term, prev, root, count } = candidate;
  const statement = ['waymark/rsl/ack/v1', ledger, epoch, height, term, prev, root, count, ackTimeMs];
  return { ledger, epoch, height, term, prev, root, count, ackTimeMs, member, signature: keys.sign(member, statement) };
}

export function tipAfter(tip: Tip, candidate: Candidate, seal: Seal): Tip {
  const { height, timestampMs } = seal.header;
  return { height, hash: seal.hash, timestampMs, cursors: cursorsWith(tip, candidate.content) };
}

function cursorsWith(tip: Tip, content: Content): Tip['cursors'] {
  if (content.kind !== 'records') return tip.cursors;
  const cursors = new Map(tip.cursors);
  for (const { submission } of content.audited) {
    cursors.set(submission.department, { seq: submission.seq, hash: submission.hash });
  }
  return cursors;
}

function departmentsOf(salt: string, cursors: Tip['cursors']): string {
  const places = [...cursors]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([department, { seq, hash }]) => [department, seq, hash]);
  return digestOf(['waymark/rsl/departments/v1', salt, ...places]);
}

function headerStatement(header: Header) {
  const { version, ledger, epoch, height, term, prev, departments, root, accepted, rejected, timestampMs, body } =
    header;
  const place = [version, ledger, epoch, height, term, prev];
  return ['waymark/rsl/header/v1', ...place, departments, root, accepted, rejected, timestampMs, body];
}

function countOf(content: Content): number {
  if (content.kind !== 'records') return 0;
  return content.audited.reduce((sum, { submission }) => sum + submission.records.length, 0);
}

function rootOf(content: Content): string {
  if (content.kind !== 'records') return merkleRootOf([]);
  return merkleRootOf(content.audited.map(({ submission, rejected }) => leafHashOf(leafOf(submission, rejected))));
}

function leafOf(
  { department, seq, hash, root, records }: Submission,
  rejected: readonly { index: number; reason: string }[],
) {
  const refusals = rejected.map(({ index, reason }) => [index, reason]);
  return ['waymark/rsl/leaf/v1', department, seq, hash, root, records.length, refusals];
}
