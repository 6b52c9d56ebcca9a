import type { Message } from '../../../src/index.ts';
import type { CheckerFactory } from '../checker.ts';
import type { MembershipFact } from '../facts.ts';
import { membershipOf, votesNeeded } from '../recompute.ts';

/**
 * One vote per member and term (Raft section 5.2), across restarts. Standing for election is a vote for oneself, and whoever follows a center has
 * no vote left for another.
 */
export const oneVote: CheckerFactory = ({ report }) => {
  const votes = new Map<string, string>();
  return {
    name: 'one-vote',
    sent(member, message) {
      const vote = voteIn(member, message);
      if (vote === null) return;
      const key = `${member}/${vote.term}`;
      const before = votes.get(key);
      // Whoever voted in vain may follow the center that was elected: only a vote is held against what was before.
      if (vote.isVote && before !== undefined && before !== vote.candidate) {
        report(`${member} voted for or followed ${before} and voted for ${vote.candidate} in term ${vote.term}`);
      }
      votes.set(key, vote.candidate);
    },
  };
};

function voteIn(member: string, message: Message): { term: number; candidate: string; isVote: boolean } | null {
  const { type, term } = message;
  if (type === 'vote-request' && !message.pre) return { term, candidate: member, isVote: true };
  if (type === 'vote-reply' && message.vote !== null) return { ...message.vote, isVote: true };
  if (type === 'append-reply' && message.ack !== null) return { term, candidate: message.to, isVote: false };
  return null;
}

/** A center that was proven to lie is neither followed nor voted for by whoever has seen the proof. */
export const provenLiars: CheckerFactory = ({ report }) => {
  const known = new Set<string>();
  return {
    name: 'proven-liars',
    proven: (member, liar) => void known.add(`${member}/${liar}`),
    sent(member, message) {
      if (message.type === 'append-reply' && message.ack !== null && known.has(`${member}/${message.to}`)) {
        report(`${member} acknowledged a candidate of ${message.to}, which it knows for a liar`);
      }
      if (message.type === 'vote-reply' && message.granted && known.has(`${member}/${message.to}`)) {
        report(`${member} gave its vote to ${message.to}, which it knows for a liar`);
      }
    },
  };
};

/** Terms never go back, and an acknowledgement is never followed by another one for the same place, or by one of an earlier term. */
export const noRegress: CheckerFactory = ({ report }) => {
  const terms = new Map<string, number>();
  const ackTerms = new Map<string, number>();
  const acks = new Map<string, string>();
  return {
    name: 'no-regress',
    sent(member, message) {
      if (isOwnTerm(message)) {
        const before = terms.get(member) ?? 0;
        if (message.term < before) report(`${member} went back from term ${before} to ${message.term}`);
        terms.set(member, Math.max(before, message.term));
      }
      const ack = message.type === 'append-reply' ? message.ack : null;
      if (ack === null) return;
      const { height, term, prev, root, count, epoch } = ack;
      const place = `${member}/${height}/${term}/${epoch}`;
      const content = `${prev}/${root}/${count}`;
      const before = acks.get(place);
      if (before !== undefined && before !== content) {
        report(`${member} acknowledged two candidates at height ${height} of term ${term}`);
      }
      acks.set(place, content);
      const last = ackTerms.get(member) ?? 0;
      if (term < last) report(`${member} acknowledged in term ${term} after term ${last}`);
      ackTerms.set(member, Math.max(last, term));
    },
  };
};

/** Whether the term in a message is the sender's own: not the one it asks about, nor the one it was asked in. */
function isOwnTerm(message: Message): boolean {
  if (message.type === 'append-reply') return message.ack !== null || message.result === 'stale';
  return (
    message.type === 'append' || message.type === 'vote-reply' || (message.type === 'vote-request' && !message.pre)
  );
}

/** At most one center seals in a term, and an honest one signs one candidate and one seal per height of its term. */
export const oneCenter: CheckerFactory = ({ report, isHonest }) => {
  const centers = new Map<number, string>();
  const candidates = new Map<string, string>();
  const seals = new Map<string, string>();
  const claim = (term: number, center: string): void => {
    const before = centers.get(term);
    if (before === undefined) centers.set(term, center);
    else if (before !== center) report(`${before} and ${center} were both center of term ${term}`);
  };
  return {
    name: 'one-center',
    sent(member, message) {
      if (message.type !== 'append' || message.from !== member) return;
      claim(message.term, member);
      for (const { candidate } of message.entries) {
        if (candidate.center !== member) continue;
        const place = `${member}/${candidate.height}/${candidate.term}`;
        const before = candidates.get(place);
        if (before !== undefined && before !== candidate.signature) {
          report(`${member} proposed two candidates at height ${candidate.height} of term ${candidate.term}`);
        }
        candidates.set(place, candidate.signature);
      }
    },
    sealed(_member, { height, term, center, hash }) {
      claim(term, center);
      if (!isHonest(center)) return;
      const place = `${center}/${height}/${term}`;
      const before = seals.get(place);
      if (before !== undefined && before !== hash) report(`${center} sealed height ${height} of term ${term} twice`);
      seals.set(place, hash);
    },
  };
};

/** A center was elected: as many members as its configuration asks for voted for it, counted from what went over the wire. */
export const election: CheckerFactory = ({ report, first, isHonest }) => {
  const known = new Map<number, MembershipFact>([[first.epoch, first]]);
  const votes = new Map<string, Set<string>>();
  const judged = new Set<string>();
  const judge = (center: string, term: number): void => {
    const key = `${center}/${term}`;
    if (judged.has(key)) return;
    judged.add(key);
    const voters = votes.get(key) ?? new Set();
    // Those that break the protocol may have voted unseen.
    const isVoter = (one: string): boolean => one === center || voters.has(one) || !isHonest(one);
    const isElected = [...known.values()].some(
      (membership) => membership.members.filter(isVoter).length >= votesNeeded(membership),
    );
    if (!isElected) report(`${center} is center of term ${term} with the votes of ${[...voters].join() || 'nobody'}`);
  };
  return {
    name: 'election',
    sealed: (_member, { center, term }) => judge(center, term),
    confirmed(_member, { configuration, center, term }) {
      if (configuration !== null) known.set(configuration.epoch, configuration);
      judge(center, term);
    },
    sent(member, message) {
      if (message.type === 'vote-reply' && message.vote !== null) {
        const { term, candidate } = message.vote;
        const voters = votes.get(`${candidate}/${term}`) ?? new Set();
        votes.set(`${candidate}/${term}`, voters.add(member));
      }
      if (message.type !== 'append') return;
      for (const { candidate } of message.entries) {
        if (candidate.content.kind !== 'configuration') continue;
        known.set(candidate.content.configuration.epoch, membershipOf(candidate.content.configuration));
      }
      judge(member, message.term);
    },
  };
};
