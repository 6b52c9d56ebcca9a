import type { Submission } from '../../src/index.ts';
import { digestOf, leafHashOf, merkleRootOf, type SimKeys } from '../world/keys.ts';
import type { Random } from '../world/random.ts';

/** A department's own machine: signs its records batch by batch, keeps what is not confirmed, and sends it again until it is. */
export interface Submitter {
  readonly department: string;
  /** Signs the next batch. Null when enough is under way. */
  next(): Submission | null;
  /** What is not confirmed, oldest first, `limit` of it at most. */
  unconfirmed(limit: number): readonly Submission[];
  /** A block is final that holds everything up to `seq`. */
  confirmedUpTo(seq: number): void;
}

export const LEDGER = 'simulated-firm/channel';

/** Reasons for which records are not compliant, as they stand in the oid: `<reason>:...`. `sealed` can be seen by the center alone. */
export const AUDIT_REASONS = ['schema', 'future', 'sealed'] as const;

/** Why a record is not compliant, in truth; null when it is. */
export function verdictOf(oid: string): string | null {
  return AUDIT_REASONS.find((reason) => oid.startsWith(`${reason}:`)) ?? null;
}

/** Signs a batch as a department does. */
export function signSubmission(
  keys: SimKeys,
  signer: string,
  content: {
    readonly department: string;
    readonly seq: number;
    readonly prev: string;
    readonly oids: readonly string[];
  },
): Submission {
  const records = content.oids.map((oid) => ({ oid, leaf: leafHashOf(['record', oid]) }));
  const root = merkleRootOf(records.map(({ leaf }) => leaf));
  const { department, seq, prev } = content;
  const statement = ['waymark/rsl/submission/v1', LEDGER, department, seq, prev, root, records.length];
  return {
    ledger: LEDGER,
    department,
    seq,
    prev,
    root,
    records,
    attachment: new Uint8Array(0),
    hash: digestOf(statement),
    signature: keys.sign(signer, statement),
  };
}

export function createSubmitter(
  department: string,
  keys: SimKeys,
  random: Random,
  register: (submission: Submission) => void,
): Submitter {
  let seq = 0;
  let prev = '';
  let made = 0;
  let waiting: Submission[] = [];
  const used: string[] = [];
  const draw = (): string => {
    // Now and then an oid that was used before, which may not be accepted again.
    if (used.length > 0 && random.chance(40)) return random.pick(used);
    made += 1;
    const reason = random.chance(120) ? `${random.pick(AUDIT_REASONS)}:` : '';
    const oid = `${reason}${department}-${made}`;
    used.push(oid);
    return oid;
  };
  return {
    department,
    next() {
      if (waiting.length >= 6) return null;
      seq += 1;
      const oids = [...new Set(Array.from({ length: random.between(1, 3) }, draw))];
      const submission = signSubmission(keys, department, { department, seq, prev, oids });
      prev = submission.hash;
      waiting.push(submission);
      register(submission);
      return submission;
    },
    unconfirmed: (limit) => waiting.slice(0, limit),
    confirmedUpTo(last) {
      waiting = waiting.filter((submission) => submission.seq > last);
    },
  };
}
