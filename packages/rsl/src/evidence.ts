import { type Candidate, candidateStatement } from './block/candidate.ts';
import { type Header, type Seal, sealStatement } from './block/header.ts';
import type { Crypto } from './crypto.ts';
import type { MemberId, Signature } from './ids.ts';

/** Something a center signed for one height and term. */
export type CenterStatement =
  | {
      readonly kind: 'candidate';
      readonly candidate: Pick<
        Candidate,
        'ledger' | 'epoch' | 'height' | 'term' | 'center' | 'prev' | 'root' | 'count' | 'signature'
      >;
    }
  | { readonly kind: 'seal'; readonly seal: Pick<Seal, 'header' | 'hash' | 'center' | 'signature'> };

/** Portable proof that a center lied: it signed two things for one height of one term (rsl.md, "What must hold"). */
export interface Equivocation {
  readonly center: MemberId;
  readonly first: CenterStatement;
  readonly second: CenterStatement;
}

interface Claim {
  readonly ledger: string;
  readonly height: number;
  readonly term: number;
  readonly center: MemberId;
  readonly content: string;
  readonly hash: string | null;
}

/** A candidate as evidence: without its content. */
export function candidateEvidence(candidate: Candidate): CenterStatement {
  const { ledger, epoch, height, term, center, prev, root, count, signature } = candidate;
  return { kind: 'candidate', candidate: { ledger, epoch, height, term, center, prev, root, count, signature } };
}

/** A seal as evidence: without its certificate. */
export function sealEvidence({ header, hash, center, signature }: Seal): CenterStatement {
  return { kind: 'seal', seal: { header, hash, center, signature } };
}

/** Whether the two contradict each other. Their signatures are not looked at. */
export function contradict(first: CenterStatement, second: CenterStatement): boolean {
  const a = claimOf(first);
  const b = claimOf(second);
  if (a.ledger !== b.ledger || a.height !== b.height || a.term !== b.term || a.center !== b.center) return false;
  return a.content !== b.content || (a.hash !== null && b.hash !== null && a.hash !== b.hash);
}

/** Whether this proves what it says: contradiction, one center, both its signatures, each hash that of its header. */
export function verifyEquivocation(crypto: Crypto, { center, first, second }: Equivocation): boolean {
  return contradict(first, second) && [first, second].every((s) => claimOf(s).center === center && isSigned(crypto, s));
}

function claimOf(statement: CenterStatement): Claim {
  if (statement.kind === 'candidate') {
    const { ledger, height, term, center, epoch, prev, root, count } = statement.candidate;
    return { ledger, height, term, center, content: contentKey(epoch, prev, root, count), hash: null };
  }
  const { header, hash, center } = statement.seal;
  const { ledger, height, term } = header;
  return { ledger, height, term, center, content: headerKey(header), hash };
}

function headerKey({ epoch, prev, root, accepted, rejected }: Header): string {
  return contentKey(epoch, prev, root, accepted + rejected);
}

function contentKey(epoch: number, prev: string, root: string, count: number): string {
  return `${epoch}/${prev}/${root}/${count}`;
}

function isSigned(crypto: Crypto, statement: CenterStatement): boolean {
  if (statement.kind === 'candidate') {
    const { candidate } = statement;
    return crypto.verify(candidate.center, candidateStatement(candidate), candidate.signature);
  }
  const { seal } = statement;
  return crypto.headerHash(seal.header) === seal.hash && verified(crypto, seal.center, seal);
}

function verified(crypto: Crypto, center: MemberId, seal: Pick<Seal, 'header' | 'hash' | 'center' | 'signature'>) {
  const signature: Signature = seal.signature;
  return crypto.verify(center, sealStatement(seal), signature);
}
