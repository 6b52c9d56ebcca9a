import { type ErrorCode, WaymarkError } from '@waymark/protocol';
import type { MemberId, ProposeResult, RefusalReason, SubmissionReceipt } from '@waymark/rsl';

/** Submitters that wait for their receipts. */
export interface Proposals {
  /** Resolves when the submission's receipt is handed out. */
  wait(department: MemberId, seq: number): Promise<SubmissionReceipt>;
  receipt(receipt: SubmissionReceipt): void;
  /** Nobody hands out receipts any more. */
  abandon(center: MemberId | null): void;
}

export function createProposals(): Proposals {
  const waiting = new Map<string, PromiseWithResolvers<SubmissionReceipt>>();
  return {
    wait(department, seq) {
      const name = `${department}/${String(seq)}`;
      const known = waiting.get(name) ?? Promise.withResolvers<SubmissionReceipt>();
      waiting.set(name, known);
      return known.promise;
    },
    receipt(receipt) {
      const name = `${receipt.department}/${String(receipt.seq)}`;
      waiting.get(name)?.resolve(receipt);
      waiting.delete(name);
    },
    abandon(center) {
      for (const { reject } of waiting.values()) reject(notInOffice(center));
      waiting.clear();
    },
  };
}

/** This member is not the ledger's center: `details.center` is who is, or empty. */
export function notInOffice(center: MemberId | null): WaymarkError {
  return new WaymarkError('unavailable', 'This member is not the center in office.', {
    details: { center: center ?? '' },
  });
}

const codes: Readonly<Record<Exclude<RefusalReason, 'not-center' | 'handing-over'>, ErrorCode>> = {
  busy: 'unavailable',
  'too-large': 'limit-exceeded',
  'recipient-mismatch': 'recipient-mismatch',
  'submission-malformed': 'input-invalid',
  'signature-invalid': 'signature-invalid',
  'sequence-gap': 'sequence-gap',
  'replay-conflict': 'replay-conflict',
  'already-recorded': 'conflict',
  'change-pending': 'unavailable',
  'change-impossible': 'input-invalid',
};

/** The typed error for a proposal that was not taken; `details.reason` is the core's. */
export function refusalOf(result: Extract<ProposeResult, { accepted: false }>): WaymarkError {
  const { reason, center } = result;
  if (reason === 'not-center' || reason === 'handing-over') return notInOffice(center);
  return new WaymarkError(codes[reason], `The ledger did not take it: ${reason}.`, { details: { reason } });
}
