import type { AuditedSubmission, Content, Submission } from '../../src/index.ts';
import { signSubmission, verdictOf } from '../member/submitter.ts';
import type { SimKeys } from '../world/keys.ts';
import type { Random } from '../world/random.ts';

/** What a center may lie about. Each is told to departments as if it were true, signed with the liar's own key. */
export const LIES = {
  equivocate: 'proposes different blocks to disjoint departments, and seals whichever gets a quorum',
  'twin-headers': 'seals one candidate twice, with different acknowledgements and so another timestamp',
  'reuse-acks': "seals another candidate with a candidate's acknowledgements",
  'rewrite-block': 'proposes other content for a height that it has sealed',
  'change-candidate': 'proposes another candidate for a place before the first one is sealed',
  'rewrite-history': 'begins its term far below the top, and proposes other blocks for heights that are final',
  'forget-candidate': 'begins its term without the candidate that departments acknowledged before',
  'drop-sequence': "leaves a submission out and takes the department's next one",
  'drop-submission': 'gives a receipt and leaves the submission out for good',
  'invent-record': 'puts in a submission that its department never signed, in its name',
  'alter-record': 'puts in a signed submission with another record in it',
  'reorder-records': "swaps a department's submissions, or the records in one",
  'repeat-record': 'puts in a submission a second time',
  'false-rejection': 'rejects what is compliant',
  'false-acceptance': 'accepts what is not compliant',
  'wrong-root': 'states another Merkle root than the content has',
  'wrong-count': 'states another number of records than the content has',
  'wrong-link': 'names another block as the one below',
  'skip-height': 'leaves a height out',
  'old-epoch': 'proposes under the configuration epoch before, and seals with its acknowledgements',
  'false-timestamp': 'seals with a timestamp that the acknowledgements do not give',
  'short-certificate': 'seals with one acknowledgement less than it takes',
  'own-acknowledgement': "counts its own acknowledgement as a department's",
  'foreign-acknowledgement': 'counts an acknowledgement by somebody who is no member',
  'forged-acknowledgement': "signs a department's acknowledgement itself",
  'repeated-acknowledgement': "counts one department's acknowledgement twice",
  'stale-center': 'goes on when another center was elected',
  'unelected-term': 'claims a term that it was not elected for',
  'false-catch-up': 'answers catch-up with blocks that no quorum acknowledged',
  'false-snapshot': 'sends a snapshot with other sequences',
  'anchor-unsealed': 'anchors what it has not sealed',
  'anchor-twin': 'anchors another header than departments hold',
} as const satisfies Record<string, string>;

export type Lie = keyof typeof LIES;

/** An honest center's verdicts on a submission. */
export function auditTruly(
  submission: Submission,
  recorded: (oid: string) => boolean,
  seen: Set<string>,
): AuditedSubmission {
  const rejected: { index: number; reason: string }[] = [];
  submission.records.forEach(({ oid }, index) => {
    const reason = verdictOf(oid) ?? (recorded(oid) || seen.has(oid) ? 'duplicate-oid' : null);
    if (reason === null) seen.add(oid);
    else rejected.push({ index, reason });
  });
  return { submission, rejected };
}

/** Turns true content into a lie, where the lie is about content. Null when there is nothing in it to lie about. */
export function twistContent(
  lie: Lie,
  honest: readonly AuditedSubmission[],
  liar: {
    readonly name: string;
    readonly keys: SimKeys;
    readonly random: Random;
    readonly earlier: readonly AuditedSubmission[];
  },
): Content | null {
  const { name, keys, random, earlier } = liar;
  if (lie === 'repeat-record' && earlier.length > 0) return records([...honest, random.pick(earlier)]);
  if (honest.length === 0) return null;
  const at = random.below(honest.length);
  const chosen = honest[at];
  if (chosen === undefined) return null;
  const { submission } = chosen;
  const others = honest.filter((_, index) => index !== at);
  const swap = (changed: AuditedSubmission): Content =>
    records(honest.map((one, index) => (index === at ? changed : one)));
  switch (lie) {
    case 'drop-sequence': {
      const hasNext = honest.some(
        (one) => one.submission.department === submission.department && one.submission.seq > submission.seq,
      );
      return hasNext ? records(others) : null;
    }
    case 'invent-record': {
      const { department, seq, hash: prev } = submission;
      const invented = signSubmission(keys, name, {
        department,
        seq: seq + 1,
        prev,
        oids: [`invented-${seq}-${random.below(1e6)}`],
      });
      const isLast = !honest.some((one) => one.submission.department === department && one.submission.seq > seq);
      return isLast ? records([...honest, { submission: invented, rejected: [] }]) : null;
    }
    case 'alter-record': {
      const { department, seq, prev } = submission;
      const oids = submission.records.map(({ oid }, index) => (index === 0 ? `altered-${oid}` : oid));
      const altered = signSubmission(keys, name, { department, seq, prev, oids });
      // Either everything fits but the signature, or the department's signature stands and the records do not fit it.
      const kept = random.chance(500) ? altered : { ...submission, records: altered.records };
      return swap({ submission: kept, rejected: [] });
    }
    case 'reorder-records': {
      if (honest.length > 1 && random.chance(600)) return records([...honest].reverse());
      if (submission.records.length < 2) return null;
      return swap({
        submission: { ...submission, records: [...submission.records].reverse() },
        rejected: chosen.rejected,
      });
    }
    case 'false-rejection': {
      const index = submission.records.findIndex((_, place) => !chosen.rejected.some((one) => one.index === place));
      if (index < 0) return null;
      const reason = random.pick(['schema', 'future', 'duplicate-oid']);
      return swap({ submission, rejected: [...chosen.rejected, { index, reason }].sort((a, b) => a.index - b.index) });
    }
    case 'false-acceptance': {
      const reason = chosen.rejected.find((one) => one.reason !== 'sealed');
      return reason === undefined
        ? null
        : swap({ submission, rejected: chosen.rejected.filter((one) => one !== reason) });
    }
    case 'wrong-root':
    case 'wrong-count':
    case 'wrong-link':
    case 'skip-height':
    case 'old-epoch':
      return records(honest);
    default:
      return null;
  }
}

export function records(audited: readonly AuditedSubmission[]): Content {
  return audited.length === 0 ? { kind: 'empty' } : { kind: 'records', audited };
}
