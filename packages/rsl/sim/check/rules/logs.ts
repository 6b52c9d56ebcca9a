import type { PersistStep, VoteRequest } from '../../../src/index.ts';
import type { CheckerFactory } from '../checker.ts';

interface Place {
  readonly height: number;
  readonly term: number;
}

/**
 * Nobody votes, or says that it would, for a log that ends below its own (Raft section 5.4.1): judged on what the voter has on its disk and what the
 * candidate says it has.
 */
export const upToDate: CheckerFactory = ({ report, first, isHonest }) => {
  const logs = new Map<string, DiskLog>();
  const requests = new Map<string, VoteRequest>();
  const logOf = (member: string): DiskLog => {
    let log = logs.get(member);
    if (log === undefined) logs.set(member, (log = createDiskLog()));
    return log;
  };
  return {
    name: 'up-to-date',
    synced: (member, steps) => steps.forEach((step) => logOf(member).take(step)),
    replaced(member, steps) {
      logs.delete(member);
      steps.forEach((step) => logOf(member).take(step));
    },
    sent(member, message) {
      if (message.type === 'vote-request') {
        requests.set(`${member}/${message.term}/${message.pre}`, message);
      } else if (message.type === 'vote-reply' && message.granted) {
        const request = requests.get(`${message.to}/${message.asked}/${message.pre}`);
        // What one that breaks the protocol asks for is not seen.
        if (request === undefined || !isHonest(message.to)) return;
        const { sealed, candidate } = request.logEnd;
        const own = logOf(member).end();
        const isBelow = first.lyingCenter
          ? isLower(sealed, own.sealed)
          : isLower(candidate ?? sealed, own.candidate ?? own.sealed);
        if (!isBelow) return;
        report(`${member} said yes to ${message.to}, whose log ends below its own, in term ${message.asked}`);
      }
    },
  };
};

function isLower(a: Place, b: Place): boolean {
  return a.term < b.term || (a.term === b.term && a.height < b.height);
}

/** Where a log ends, as its disk says. */
interface DiskLog {
  take(step: PersistStep): void;
  end(): { readonly sealed: Place; readonly candidate: Place | null };
}

function createDiskLog(): DiskLog {
  let base: Place = { height: 0, term: 0 };
  let seals: Place[] = [];
  let candidate: Place | null = null;
  const cut = (height: number): void => {
    seals = seals.filter((seal) => seal.height < height);
    candidate = null;
  };
  return {
    take(step) {
      if (step.type === 'candidate') {
        const { height, term } = step.candidate;
        cut(height);
        candidate = { height, term };
      } else if (step.type === 'seal') {
        const { height, term } = step.seal.header;
        seals.push({ height, term });
        candidate = null;
      } else if (step.type === 'truncate') {
        cut(step.height);
      } else if (step.type === 'snapshot' || step.type === 'compact') {
        const header = step.snapshot.seals[0]?.header;
        if (header !== undefined) base = { height: header.height, term: header.term };
        if (step.type === 'snapshot') cut(0);
        seals = seals.filter(({ height }) => height > base.height);
      }
    },
    end: () => ({ sealed: seals.at(-1) ?? base, candidate }),
  };
}
