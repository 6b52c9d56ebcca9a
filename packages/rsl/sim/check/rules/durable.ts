import type { PersistStep } from '../../../src/index.ts';
import type { CheckerFactory } from '../checker.ts';

/** Nothing is promised before it is durable: acknowledgements, votes and receipts leave a member after the sync that holds them. */
export const durability: CheckerFactory = ({ report }) => {
  const disks = new Map<string, Set<string>>();
  const onDisk = (member: string): Set<string> => {
    let disk = disks.get(member);
    if (disk === undefined) disks.set(member, (disk = new Set()));
    return disk;
  };
  const add = (disk: Set<string>, steps: readonly PersistStep[]): void => {
    for (const step of steps) {
      if (step.type === 'hard-state') disk.add(`term/${step.term}`).add(`vote/${step.term}/${step.votedFor ?? ''}`);
      else if (step.type === 'ack') disk.add(step.ack.signature);
      else if (step.type === 'submission') disk.add(step.submission.hash);
      else if (step.type === 'candidate') {
        disk.add(`candidate/${step.candidate.signature}`);
        if (step.ack !== null) disk.add(step.ack.signature);
        if (step.candidate.content.kind !== 'records') continue;
        for (const { submission } of step.candidate.content.audited) disk.add(submission.hash);
      }
    }
  };
  return {
    name: 'durability',
    synced: (member, steps) => add(onDisk(member), steps),
    replaced(member, steps) {
      onDisk(member).clear();
      add(onDisk(member), steps);
    },
    sent(member, message) {
      const disk = onDisk(member);
      if (message.type === 'append-reply' && message.ack !== null && !disk.has(message.ack.signature)) {
        report(`${member} acknowledged height ${message.ack.height} before it was durable`);
      }
      if (message.type === 'vote-reply' && message.vote !== null) {
        const { term, candidate } = message.vote;
        if (!disk.has(`vote/${term}/${candidate}`))
          report(`${member} voted in term ${term} before its vote was durable`);
      }
      if (message.type === 'vote-request' && !message.pre && !disk.has(`vote/${message.term}/${member}`)) {
        report(`${member} stood for election in term ${message.term} before that was durable`);
      }
    },
    receipt(center, { department, seq, hash }) {
      if (!onDisk(center).has(hash))
        report(`${center} gave a receipt for ${department}'s ${seq} before it was durable`);
    },
  };
};
