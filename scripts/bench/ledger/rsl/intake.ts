import { submissionOfBatch } from '@waymark/ledger-member';
import { contentCounts, type MemberId, type SealedBlock, type Submission, type SubmissionReceipt } from '@waymark/rsl';
import { type MessageWriter, serveBidi, serveUnary } from '@waymark/transport';
import type { IntakeServer, Progress, SignedBatch } from '../generated/intake.ts';
import { columnBytes, leavesOf, partsOf } from './signed-batches.ts';

/** Where the outlet hands in, and what it hears. */
export interface Intake {
  readonly service: IntakeServer;
  sealed(blocks: readonly SealedBlock[]): void;
  confirmed(blocks: readonly SealedBlock[]): void;
  applied(blocks: readonly SealedBlock[]): void;
}

/** @param outlet whose numbers are told */
export function createIntake(
  propose: (submission: Submission) => Promise<SubmissionReceipt>,
  outlet: MemberId,
): Intake {
  const counts = { accepted: 0, rejected: 0, blocks: 0 };
  const progress = { sealed: 0, confirmed: 0 };
  const news = createNews<Progress>(progress);
  const submit = serveBidi<SignedBatch, Progress>(async (requests, responses, { signal }) => {
    const telling = news.tell(responses, signal);
    const refused = Promise.withResolvers<never>();
    const taking = (async () => {
      // Receipts come in their own time; the order of proposals is that of the stream.
      for await (const batch of requests) propose(submissionOf(batch)).catch(refused.reject);
    })();
    await Promise.race([taking, telling, refused.promise]);
  });
  return {
    service: { submit, count: serveUnary(() => Promise.resolve({ ...counts })) },
    sealed(blocks) {
      const seq = highest(blocks, outlet);
      if (seq <= progress.sealed) return;
      progress.sealed = seq;
      news.changed();
    },
    applied(blocks) {
      for (const { candidate } of blocks) {
        const { accepted, rejected } = contentCounts(candidate.content);
        counts.accepted += accepted;
        counts.rejected += rejected;
        counts.blocks += 1;
      }
    },
    confirmed(blocks) {
      const seq = highest(blocks, outlet);
      if (seq <= progress.confirmed) return;
      progress.confirmed = seq;
      news.changed();
    },
  };
}

function submissionOf({ statement, signature, oids, cids, tags, tokens }: SignedBatch): Submission {
  const leaves = leavesOf({ oids, cids });
  const ofRecord = partsOf(tokens, tokens.length / leaves.length);
  return submissionOfBatch({
    statement,
    signature,
    leaves,
    attached: {
      tags: partsOf(tags, columnBytes.tag),
      tokens: ofRecord.map((own) => partsOf(own, columnBytes.token)),
      keys: [],
    },
  });
}

/** The outlet's highest number in these blocks; 0 when none of it is there. */
function highest(blocks: readonly SealedBlock[], outlet: MemberId): number {
  let seq = 0;
  for (const { candidate } of blocks) {
    if (candidate.content.kind !== 'records') continue;
    for (const { submission } of candidate.content.audited)
      if (submission.department === outlet) seq = Math.max(seq, submission.seq);
  }
  return seq;
}

/** Tells whoever listens the latest state; what changed while a message was on its way is told with the next. */
function createNews<T extends object>(
  state: T,
): {
  changed(): void;
  tell(to: MessageWriter<T>, signal: AbortSignal): Promise<void>;
} {
  let change = Promise.withResolvers<null>();
  return {
    changed: () => change.resolve(null),
    async tell(to, signal) {
      while (!signal.aborted) {
        await change.promise;
        change = Promise.withResolvers();
        await to.write({ ...state });
      }
    },
  };
}
