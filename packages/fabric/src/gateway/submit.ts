import type { Contract, SubmittedTransaction as Ordered, Transaction } from '@hyperledger/fabric-gateway';
import { WaymarkError, isWaymarkError } from '@waymark/protocol';
import { endorsementMismatch, fromGatewayFailure, isLost } from '../errors/gateway-failure.ts';
import { waitBackoff, type Backoff } from '../flow/backoff.ts';
import type { Slots } from '../flow/slots.ts';
import type {
  CommittedTransaction,
  ContractArgument,
  SubmitOptions,
  SubmittedTransaction,
  TransactionStatus,
} from '../ledger.ts';
import type { GatewayDeadlines } from './options.ts';
import { askStatus } from './status.ts';

/** What submitting needs of a connection. */
export interface Session {
  readonly slots: Slots;
  readonly deadlines: GatewayDeadlines;
  readonly maxConflictRetries: number;
  /** Aborts when the connection is closed. */
  readonly signal: AbortSignal;
  contract(name: string): Contract;
}

/** A call that writes. */
export interface SubmitCall {
  readonly contract: string;
  readonly fn: string;
  readonly args: readonly ContractArgument[];
  readonly options: SubmitOptions;
}

interface OrderedTransaction {
  readonly txId: string;
  readonly result: Uint8Array;
  readonly commit: Ordered;
  /** Hands the same transaction to the ordering service once more. */
  readonly orderAgain: () => Promise<void>;
}

const conflictBackoff: Backoff = { baseMs: 50, maxMs: 2_000 };
const lostBackoff: Backoff = { baseMs: 200, maxMs: 5_000 };
const maxOrderAttempts = 4;
/** How long a transaction is waited for after the connection broke, before it is handed in again. */
const afterLossMs = 2_000;
const conflictCodes = new Set(['MVCC_READ_CONFLICT', 'PHANTOM_READ_CONFLICT', endorsementMismatch]);

/** Endorses and orders; the commit, with new attempts where the caller allows them, follows in `commit()`. */
export async function submitTransaction(session: Session, call: SubmitCall): Promise<SubmittedTransaction> {
  const budget = { left: call.options.retryable === true ? session.maxConflictRetries : 0, used: 0 };
  const first = await repeatConflicts(session, budget, () => endorseAndOrder(session, call));
  const commit = (): Promise<CommittedTransaction> => {
    let ordered: OrderedTransaction | undefined = first;
    return repeatConflicts(session, budget, async () => {
      const current = ordered ?? (await endorseAndOrder(session, call));
      ordered = undefined;
      return committed(session, current);
    });
  };
  let outcome: Promise<CommittedTransaction> | undefined;
  return { txId: first.txId, result: first.result, commit: () => (outcome ??= commit()) };
}

async function committed(session: Session, ordered: OrderedTransaction): Promise<CommittedTransaction> {
  const { txId, result } = ordered;
  const { blockNumber, valid, validationCode } = await commitStatus(session, ordered);
  if (valid) return { txId, result, blockNumber };
  throw new WaymarkError('transaction-invalid', `the transaction was committed as ${validationCode}`, {
    details: { txId, validationCode, blockNumber: String(blockNumber) },
  });
}

/** Does it again, later and later, as long as it only lost against somebody else. */
async function repeatConflicts<T>(
  session: Session,
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

async function endorseAndOrder(session: Session, call: SubmitCall): Promise<OrderedTransaction> {
  const { slots, signal } = session;
  const { transient, endorsingOrganizations, signal: callSignal } = call.options;
  const proposal = session.contract(call.contract).newProposal(call.fn, {
    arguments: [...call.args],
    ...(transient === undefined ? {} : { transientData: { ...transient } }),
    ...(endorsingOrganizations === undefined ? {} : { endorsingOrganizations: [...endorsingOrganizations] }),
  });
  const txId = proposal.getTransactionId();
  let transaction: Transaction;
  try {
    transaction = await slots.run(() => proposal.endorse(), callSignal);
  } catch (error) {
    throw fromGatewayFailure(error, { txId });
  }
  const commit = await order(slots, transaction, txId, signal);
  return { txId, result: transaction.getResult(), commit, orderAgain: () => orderOnceMore(slots, transaction) };
}

/** Orders; the same transaction again when the answer is lost, which is harmless: only its first copy can be valid. */
async function order(slots: Slots, transaction: Transaction, txId: string, signal: AbortSignal): Promise<Ordered> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await slots.run(() => transaction.submit());
    } catch (error) {
      const failure = fromGatewayFailure(error, { txId });
      if (!isLost(failure)) throw failure;
      if (attempt === maxOrderAttempts || signal.aborted) throw fromGatewayFailure(error, { txId, maybeOrdered: true });
      await waitBackoff(lostBackoff, attempt, signal);
    }
  }
}

/**
 * An ordering service that took a transaction may have died before it was in a block. The peer says only that it has not seen it, so the same
 * transaction is handed in again; when the first copy comes after all, the second is invalid (DUPLICATE_TXID) and changes nothing.
 */
async function orderOnceMore(slots: Slots, transaction: Transaction): Promise<void> {
  try {
    await slots.run(() => transaction.submit());
  } catch {
    // The next question after the status finds out whether it was needed.
  }
}

/** Waits for the commit; a lost answer is asked for again with the same transaction id. */
async function commitStatus(
  { slots, deadlines, signal }: Session,
  { txId, commit, orderAgain }: OrderedTransaction,
): Promise<TransactionStatus> {
  const endMs = Date.now() + deadlines.commitTotalMs;
  let failure: WaymarkError | undefined;
  let waitMs = deadlines.commitStatusMs;
  for (let attempt = 1; ; attempt += 1) {
    const leftMs = endMs - Date.now();
    if (leftMs <= 0 || signal.aborted) break;
    try {
      const answer = await askStatus(commit, slots, Math.min(waitMs, leftMs));
      if (answer !== undefined) return answer;
      await orderAgain();
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
    details: { txId, maybeOrdered: true },
    cause: failure,
  });
}
