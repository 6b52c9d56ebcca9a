import type { Ack, Candidate, PersistStep, Seal, Snapshot, Submission } from '@waymark/rsl';

/** Steps as a core hands them out, with made-up signatures: the log does not look at them. */

export function submission(seq: number, records = 3, department = 'dock'): Submission {
  return {
    ledger: 'firm/channel',
    department,
    seq,
    prev: seq === 1 ? '' : `hash-${seq - 1}`,
    root: 'ab'.repeat(32),
    records: Array.from({ length: records }, (_none, index) => ({
      oid: `oid-${department}-${seq}-${index}`,
      leaf: new Uint8Array(32).fill((seq + index) % 256),
    })),
    attachment: new Uint8Array(0),
    hash: `hash-${seq}`,
    signature: `signature of ${department}`,
  };
}

export function candidate(height: number, term = 1, records = 3): Candidate {
  return {
    ledger: 'firm/channel',
    epoch: 1,
    height,
    term,
    center: 'center',
    prev: height === 1 ? '' : `block-${height - 1}`,
    content: {
      kind: 'records',
      audited: [{ submission: submission(height, records), rejected: [{ index: 0, reason: 'schema' }] }],
    },
    salt: 'salt',
    root: 'cd'.repeat(32),
    count: records,
    signature: `signature of center in ${term}`,
  };
}

export function ack(height: number, term = 1): Ack {
  const { ledger, epoch, prev, root, count } = candidate(height, term);
  return {
    ledger,
    epoch,
    height,
    term,
    prev,
    root,
    count,
    ackTimeMs: 1_700_000_000_000,
    member: 'dock',
    signature: 'a',
  };
}

export function seal(height: number, term = 1): Seal {
  const { ledger, epoch, prev, root } = candidate(height, term);
  return {
    header: {
      version: 1,
      ledger,
      epoch,
      height,
      term,
      prev,
      departments: 'ef'.repeat(32),
      root,
      accepted: 2,
      rejected: 1,
      timestampMs: 1_700_000_000_000 + height,
      body: 'body',
    },
    hash: `block-${height}`,
    center: 'center',
    certificate: [{ member: 'dock', ackTimeMs: 1, signature: 'a' }],
    signature: 's',
  };
}

export function snapshot(height: number): Snapshot {
  const configuration = {
    epoch: 1,
    members: ['center', 'dock', 'lab', 'standby'],
    learners: [],
    eligible: ['center', 'standby'],
    profile: { center: 'lying', colluding: 0 },
  } as const;
  return {
    height,
    salt: 'salt',
    cursors: [{ department: 'dock', seq: height, hash: `hash-${height}` }],
    configuration,
    configurations: [],
    seals: [seal(height), seal(height + 1)],
  };
}

export const hardState = (term: number, votedFor: string | null = 'center'): PersistStep => ({
  type: 'hard-state',
  term,
  votedFor,
  center: votedFor,
});

export const candidateStep = (height: number, term = 1, records = 3): PersistStep => ({
  type: 'candidate',
  candidate: candidate(height, term, records),
  ack: ack(height, term),
});

export const sealStep = (height: number, term = 1): PersistStep => ({ type: 'seal', seal: seal(height, term) });

/** A block as a department persists it. */
export const block = (height: number, term = 1): PersistStep[] => [candidateStep(height, term), sealStep(height, term)];

/** One of every kind, in an order that is possible. */
export const everyKind: readonly PersistStep[] = [
  hardState(1, null),
  { type: 'submission', submission: submission(1), receipt: receipt(1) },
  { type: 'candidate', candidate: candidate(1), ack: null },
  { type: 'ack', ack: ack(1) },
  sealStep(1),
  ...block(2),
  { type: 'candidate', candidate: { ...candidate(3), content: { kind: 'empty' }, count: 0 }, ack: null },
  { type: 'truncate', height: 3 },
  { type: 'confirmed', height: 1 },
  { type: 'compact', snapshot: snapshot(1) },
  {
    type: 'evidence',
    evidence: {
      center: 'center',
      first: { kind: 'seal', seal: seal(2) },
      second: { kind: 'seal', seal: { ...seal(2), hash: 'another' } },
    },
  },
  { type: 'snapshot', snapshot: snapshot(9) },
  {
    type: 'candidate',
    candidate: { ...candidate(10), content: { kind: 'configuration', configuration: snapshot(9).configuration } },
    ack: ack(10),
  },
];

function receipt(seq: number) {
  const { ledger, department, hash } = submission(seq);
  return { ledger, department, seq, hash, center: 'center', term: 1, height: 0, acceptedMs: 1, signature: 'r' };
}
