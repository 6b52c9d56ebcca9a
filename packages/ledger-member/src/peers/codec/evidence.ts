import type { CenterStatement, Equivocation } from '@waymark/rsl';
import type * as wire from '@waymark/transport/ledger';
import { blockHash, digestBytes, digestFrom, name, present, signatureBytes, signatureFrom, whole } from './checks.ts';
import { signedHeaderFromWire, signedHeaderToWire } from './seals.ts';

type CandidateStatement = Extract<CenterStatement, { kind: 'candidate' }>['candidate'];

export function evidenceToWire({ center, first, second }: Equivocation): wire.Equivocation {
  return { center, first: statementToWire(first), second: statementToWire(second) };
}

export function evidenceFromWire({ center, first, second }: wire.Equivocation): Equivocation {
  return {
    center: name(center, 'evidence center'),
    first: statementFromWire(present(first, 'evidence first')),
    second: statementFromWire(present(second, 'evidence second')),
  };
}

function statementToWire(statement: CenterStatement): wire.CenterStatement {
  return {
    statement:
      statement.kind === 'candidate'
        ? { $case: 'candidate', candidate: candidateToWire(statement.candidate) }
        : { $case: 'seal', seal: signedHeaderToWire(statement.seal) },
  };
}

function statementFromWire({ statement }: wire.CenterStatement): CenterStatement {
  const said = present(statement, 'evidence statement');
  return said.$case === 'candidate'
    ? { kind: 'candidate', candidate: candidateFromWire(said.candidate) }
    : { kind: 'seal', seal: signedHeaderFromWire(said.seal) };
}

function candidateToWire(candidate: CandidateStatement): wire.CandidateStatement {
  return {
    ...candidate,
    epoch: whole(candidate.epoch, 'evidence epoch'),
    height: whole(candidate.height, 'evidence height'),
    term: whole(candidate.term, 'evidence term'),
    count: whole(candidate.count, 'evidence count'),
    root: digestBytes(candidate.root, 'evidence root'),
    signature: signatureBytes(candidate.signature, 'evidence signature'),
  };
}

function candidateFromWire(candidate: wire.CandidateStatement): CandidateStatement {
  return {
    ledger: name(candidate.ledger, 'evidence ledger'),
    epoch: candidate.epoch,
    height: candidate.height,
    term: candidate.term,
    center: name(candidate.center, 'evidence center'),
    prev: blockHash(candidate.prev, 'evidence prev'),
    root: digestFrom(candidate.root, 'evidence root'),
    count: candidate.count,
    signature: signatureFrom(candidate.signature, 'evidence signature'),
  };
}
