import type { HandOver, LogEnd, Vote, VoteCertificate } from '@waymark/rsl';
import type * as wire from '@waymark/transport/ledger';
import {
  blockHash,
  codecLimits,
  digestBytes,
  digestFrom,
  list,
  name,
  nullable,
  optional,
  present,
  signatureBytes,
  signatureFrom,
  whole,
} from './checks.ts';
import { sealFromWire, sealToWire } from './seals.ts';

export function logEndToWire({ sealed, candidate }: LogEnd): wire.LogEnd {
  return {
    height: whole(sealed.height, 'log end height'),
    term: whole(sealed.term, 'log end term'),
    hash: sealed.hash,
    candidate: optional(candidate, ({ height, term, prev, root, count }) => ({
      height: whole(height, 'log end height'),
      term: whole(term, 'log end term'),
      prev,
      root: digestBytes(root, 'log end root'),
      count: whole(count, 'log end count'),
    })),
  };
}

export function logEndFromWire({ height, term, hash, candidate }: wire.LogEnd): LogEnd {
  return {
    sealed: { height, term, hash: blockHash(hash, 'log end hash') },
    candidate: nullable(candidate, (place) => ({
      height: place.height,
      term: place.term,
      prev: blockHash(place.prev, 'log end prev'),
      root: digestFrom(place.root, 'log end root'),
      count: place.count,
    })),
  };
}

export function voteToWire(vote: Vote): wire.Vote {
  return {
    ...vote,
    epoch: whole(vote.epoch, 'vote epoch'),
    term: whole(vote.term, 'vote term'),
    logEnd: logEndToWire(vote.logEnd),
    signature: signatureBytes(vote.signature, 'vote signature'),
  };
}

export function voteFromWire(vote: wire.Vote): Vote {
  return {
    ledger: name(vote.ledger, 'vote ledger'),
    epoch: vote.epoch,
    term: vote.term,
    candidate: name(vote.candidate, 'vote candidate'),
    voter: name(vote.voter, 'vote voter'),
    logEnd: logEndFromWire(present(vote.logEnd, 'vote log end')),
    signature: signatureFrom(vote.signature, 'vote signature'),
  };
}

export function electionToWire({ epoch, term, center, base, votes }: VoteCertificate): wire.VoteCertificate {
  return {
    epoch: whole(epoch, 'election epoch'),
    term: whole(term, 'election term'),
    center,
    base: optional(base, sealToWire),
    votes: votes.map(voteToWire),
  };
}

export function electionFromWire({ epoch, term, center, base, votes }: wire.VoteCertificate): VoteCertificate {
  return {
    epoch,
    term,
    center: name(center, 'election center'),
    base: nullable(base, sealFromWire),
    votes: list(votes, codecLimits.maxMembers, 'votes', voteFromWire),
  };
}

export function handOverToWire(handOver: HandOver): wire.HandOver {
  return {
    ...handOver,
    term: whole(handOver.term, 'hand-over term'),
    signature: signatureBytes(handOver.signature, 'hand-over signature'),
  };
}

export function handOverFromWire({ ledger, term, from, to, signature }: wire.HandOver): HandOver {
  return {
    ledger: name(ledger, 'hand-over ledger'),
    term,
    from: name(from, 'hand-over from'),
    to: name(to, 'hand-over to'),
    signature: signatureFrom(signature, 'hand-over signature'),
  };
}
