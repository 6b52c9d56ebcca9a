import { WaymarkError, isWaymarkError } from '@waymark/protocol';
import { endorsementMismatch, isLost } from '../errors/ledger-failure.ts';
import { waitBackoff, type Backoff } from '../flow/backoff.ts';
import type { CommittedTransaction, SubmittedTransaction, TransactionStatus } from '../ledger.ts';
import type { LedgerDeadlines } from '../limits.ts';
import type { EndorsedTransaction, SubmitCall } from './endorsed-transaction.ts';

/** What submitting needs of a connection, whatever the client library behind it. */
export interface SubmitSession {
  readonly deadlines: LedgerDeadlines;
  readonly maxConflictRetries: number;
  /** Aborts when the connection is closed. */
  readonly signal: AbortSignal;
  endorse(call: SubmitCall): Promise<EndorsedTransaction>;
}

const conflictBackoff: Backoff = { baseMs: 50, maxMs: 2_000 };
const lostBackoff: Backoff = { baseMs: 200, maxMs: 5_000 };
const maxOrderAttempts = 4;
/** How long a transaction is waited for after the connection broke, before it is handed in again. */
const afterLossMs = 2_000;
const conflictCodes = new Set(['MVCC_READ_CONFLICT', 'PHANTOM_READ_CONFLICT', endorsementMismatch]);

/** Endorses and orders; the commit, with new attempts where the caller allows them, follows in `commit()`. */
export async function submitTransaction(session: SubmitSession, call: SubmitCall): Promise<SubmittedTransaction> {
  const budget = { left: call.options.retryable === true ? session.maxConflictRetries : 0, used: 0 };
  const first = await repeatConflicts(session, budget, () => endorseAndOrder(session, call));
  const commit = (): Promise<CommittedTransaction> => {
    let ordered: EndorsedTransaction | undefined = first;
    return repeatConflicts(session, budget, async () => {
      const current = ordered ?? (await endorseAndOrder(session, call));
      ordered = undefined;
      return committed(session, current);
    });
  };
  let outcome: Promise<CommittedTransaction> | undefined;
  return { txId: first.txId, result: first.result, commit: () => (outcome ??= commit()) };
}

async function committed(session: SubmitSession, ordered: EndorsedTransaction): Promise<CommittedTransaction> {
  const { txId, result } = ordered;
  const { blockNumber, valid, validationCode } = await commitStatus(session, ordered);
  if (valid) return { txId, result, blockNumber };
  throw new WaymarkError('transaction-invalid', `the transaction was committed as ${validationCode}`, {
    details: { txId, validationCode, blockNumber: String(blockNumber) },
  });
}

/** Does it again, later and later, as long as it only lost against somebody else. */
async function repeatConflicts<T>(
  session: SubmitSession,
  budget: { left: number; used: number },
  work: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isConflict(error) || budget.left === 0 || session.signal.aborted) throw error;
      budget.left -= 1;
      budget.used += 1;
      await waitBackoff(conflictBackoff, budget.used, session.signal);
    }
  }
}

function isConflict(error: unknown): boolean {
  if (!isWaymarkError(error, 'transaction-invalid')) return false;
  const code = error.details['validationCode'];
  return typeof code === 'string' && conflictCodes.has(code);
}

async function endorseAndOrder(session: SubmitSession, call: SubmitCall): Promise<EndorsedTransaction> {
  const endorsed = await session.endorse(call);
  await order(endorsed, session.signal);
  return endorsed;
}

/** Orders; the same transaction again when the answer is lost, which is harmless: only its first copy can be valid. */
async function order(endorsed: EndorsedTransaction, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await endorsed.order();
      return;
    } catch (error) {
      if (!isWaymarkError(error) || !isLost(error)) throw error;
      if (attempt === maxOrderAttempts || signal.aborted) {
        throw new WaymarkError(error.code, error.message, {
          details: { ...error.details, maybeOrdered: true },
          cause: error.cause,
        });
      }
      await waitBackoff(lostBackoff, attempt, signal);
    }
  }
}

/**
 * An ordering service that took a transaction may have died before it was in a block. The peer says only that it has not seen it, so the same
 * transaction is handed in again; when the first copy comes after all, the second is invalid (DUPLICATE_TXID) and changes nothing.
 */
async function orderOnceMore(endorsed: EndorsedTransaction): Promise<void> {
  try {
    await endorsed.order();
  } catch {
    // The next question after the status finds out whether it was needed.
  }
}

/** Waits for the commit; a lost answer is asked for again with the same transaction id. */
async function commitStatus(
  { deadlines, signal }: SubmitSession,
  endorsed: EndorsedTransaction,
): Promise<TransactionStatus> {
  const endMs = Date.now() + deadlines.commitTotalMs;
  let failure: WaymarkError | undefined;
  let waitMs = deadlines.commitStatusMs;
  for (let attempt = 1; ; attempt += 1) {
    const leftMs = endMs - Date.now();
    if (leftMs <= 0 || signal.aborted) break;
    try {
      const answer = await endorsed.status(Math.min(waitMs, leftMs));
      if (answer !== undefined) return answer;
      await orderOnceMore(endorsed);
      waitMs = Math.min(waitMs * 2, deadlines.commitStatusMs);
    } catch (error) {
      if (!isWaymarkError(error) || !isLost(error)) throw error;
      failure = error;
      await waitBackoff(lostBackoff, attempt, signal);
      // Whoever broke off may have lost the transaction as well: that shows soon.
      waitMs = Math.min(deadlines.commitStatusMs, afterLossMs);
    }
  }
  throw new WaymarkError('unavailable', 'it is not known whether the transaction was committed', {
    details: { txId: endorsed.txId, maybeOrdered: true },
    cause: failure,
  });
}
