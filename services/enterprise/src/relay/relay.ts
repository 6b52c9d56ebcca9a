import { type ErrorCode, type Evidence, isWaymarkError, type WaymarkError } from '@waymark/protocol';
import type { Journal, JournalBatch } from '../journal/journal.ts';

/** Batches in one transaction: the chaincode's limit. */
const maxBatchesPerTransaction = 64;
/** Batches looked at for some that may go: one that may not must not hide the others. */
const maxBatchesLookedAt = 256;
const firstRetryMs = 200;
const longestRetryMs = 10_000;

/** What the relay needs of the channel. */
export interface EvidenceLedger {
  /** Submits one transaction and waits for its commit. Safe to repeat: evidence is write-once. */
  record(batches: readonly Evidence[]): Promise<{ txId: string; blockNumber: bigint }>;
}

/** What the relay needs of the local replica. */
export interface EvidenceReplica {
  waitForBlock(blockNumber: bigint, signal: AbortSignal): Promise<void>;
  /** The evidence under an id and the transaction that wrote it, as committed and valid. */
  committed(evidenceId: string): { batchHash: string; txId: string } | undefined;
}

/** What became of a batch. */
export type RelayOutcome =
  | { readonly state: 'anchored'; readonly batch: JournalBatch; readonly txId: string; readonly receipt: Uint8Array }
  | { readonly state: 'refused'; readonly batch: JournalBatch; readonly refusal: { code: string; message: string } };

/** What the relay is made of. */
export interface RelayParts {
  readonly journal: Journal;
  readonly ledger: EvidenceLedger;
  readonly replica: EvidenceReplica;
  /** Whether the register has the batch's outlet and certificate as current. */
  readonly isRegistered: (evidence: Evidence) => boolean;
  /**
   * Those of the batches, in their order, that may go to the channel now; default: all. The relay is to be woken when there are more.
   */
  readonly mayAnchor?: (batches: readonly JournalBatch[]) => readonly JournalBatch[];
  /** Signs the `anchored` receipt of a batch. */
  readonly signReceipt: (batch: JournalBatch, txId: string) => Uint8Array;
  readonly onOutcome: (outcome: RelayOutcome) => void;
  /** Told of every fault that is going to be tried again. */
  readonly onRetry: (error: unknown, delayMs: number) => void;
  readonly delay: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

/** Takes accepted batches to the channel, in order, each exactly once (S5). */
export interface Relay {
  start(): void;
  /** Says that the journal has something new. */
  wake(): void;
  stop(): Promise<void>;
}

/**
 * One transaction in flight: while it commits, the next batches gather, so the number of transactions follows the
 * block rate and not the number of batches. A batch is anchored when the replica has seen its valid transaction, whatever
 * the submission said: the outcome of a submission may be lost, a committed block is not.
 */
export function createRelay(parts: RelayParts): Relay {
  const abort = new AbortController();
  let wakeUp: (() => void) | undefined;
  let awake = false;
  let running: Promise<void> | undefined;

  const idle = (): Promise<void> =>
    new Promise((resolve) => {
      if (awake || abort.signal.aborted) {
        resolve();
        return;
      }
      wakeUp = resolve;
    });

  const stopped = (): boolean => abort.signal.aborted;

  async function run(): Promise<void> {
    let retryMs = firstRetryMs;
    while (!stopped()) {
      try {
        const batches = nextGroup();
        if (batches === undefined) {
          await idle();
          awake = false;
          continue;
        }
        await relayGroup(batches);
        retryMs = firstRetryMs;
      } catch (error) {
        if (stopped()) return;
        parts.onRetry(error, retryMs);
        await parts.delay(retryMs, abort.signal);
        retryMs = Math.min(retryMs * 2, longestRetryMs);
      }
    }
  }

  /** What goes next; undefined when nothing can until the relay is woken. */
  function nextGroup(): readonly JournalBatch[] | undefined {
    if (parts.mayAnchor === undefined) {
      const batches = parts.journal.pending(maxBatchesPerTransaction);
      return batches.length === 0 ? undefined : batches;
    }
    // What the channel has already waits for nobody's leave.
    const open = settle(parts.journal.pending(maxBatchesLookedAt));
    const free = parts.mayAnchor(open).slice(0, maxBatchesPerTransaction);
    return free.length === 0 ? undefined : free;
  }

  async function relayGroup(batches: readonly JournalBatch[]): Promise<void> {
    // A center that died between commit and journal finds its batches in the replica already.
    const open = settle(batches);
    if (open.length === 0) return;
    try {
      const { blockNumber } = await parts.ledger.record(open.map((batch) => batch.evidence));
      await parts.replica.waitForBlock(blockNumber, abort.signal);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const [only] = open;
      if (only !== undefined && open.length === 1) {
        if (!isAbout(only, error)) throw error;
        refuse(only, error);
        return;
      }
      // One refused batch must not hold up the others: find it by sending each alone.
      for (const batch of open) await relayGroup([batch]);
      return;
    }
    const left = settle(open);
    if (left.length > 0) throw new Error(`${String(left.length)} committed batches are missing from the replica`);
  }

  /** Marks what the replica shows as committed; returns the rest. */
  function settle(batches: readonly JournalBatch[]): JournalBatch[] {
    const marks: { batch: JournalBatch; txId: string; receipt: Uint8Array }[] = [];
    const open: JournalBatch[] = [];
    for (const batch of batches) {
      const { evidence } = batch;
      const found = parts.replica.committed(`${evidence.msp}/${evidence.outlet}/${String(evidence.seq)}`);
      if (found === undefined) open.push(batch);
      else if (found.batchHash !== evidence.batchHash) {
        refuse(batch, { code: 'conflict', message: 'the channel holds another batch under this sequence number' });
      } else marks.push({ batch, txId: found.txId, receipt: parts.signReceipt(batch, found.txId) });
    }
    if (marks.length > 0) {
      parts.journal.markAnchored(
        marks.map(({ batch, txId, receipt }) => ({ outlet: batch.outlet, seq: batch.seq, txId, receipt })),
      );
      for (const mark of marks) parts.onOutcome({ state: 'anchored', ...mark });
    }
    return open;
  }

  /** Whether the chaincode refused this batch, and not the center that handed it in or one that stands before it. */
  function isAbout({ outlet, seq, evidence }: JournalBatch, { code, details }: WaymarkError): boolean {
    if (code === 'sequence-gap') {
      const before = parts.journal.batch(outlet, seq - 1);
      if (before === undefined || before.state === 'refused') return true;
      // It follows a batch that stands: a peer that endorses has not got that one yet, or it is about to go.
      return before.state === 'anchored' && Buffer.from(before.batchHash).toString('hex') !== evidence.prev;
    }
    if (!aboutSomebody.has(code)) return true;
    // A peer that has not got the outlet's registration yet refuses what the register, as this center reads it, allows.
    return details['enrolmentId'] === outlet && !parts.isRegistered(evidence);
  }

  function refuse(batch: JournalBatch, reason: { code: string; message: string }): void {
    const refusal = { code: reason.code, message: reason.message };
    parts.journal.markRefused(batch.outlet, batch.seq, refusal);
    parts.onOutcome({ state: 'refused', batch, refusal });
  }

  return {
    start: () => {
      running ??= run();
    },
    wake: () => {
      awake = true;
      wakeUp?.();
      wakeUp = undefined;
    },
    stop: async () => {
      abort.abort();
      wakeUp?.();
      await running;
    },
  };
}

/** Refusals that name whose certificate or registration is at fault: the outlet's, or the center's own. */
const aboutSomebody: ReadonlySet<ErrorCode> = new Set([
  'certificate-revoked',
  'certificate-untrusted',
  'role-not-permitted',
]);
const refusalCodes: ReadonlySet<ErrorCode> = new Set([
  ...aboutSomebody,
  'conflict',
  'sequence-gap',
  'input-invalid',
  'limit-exceeded',
  'refused',
]);

/** A refusal by the chaincode, which a repetition of the same call would only meet again. */
function isRefusal(error: unknown): error is WaymarkError {
  return isWaymarkError(error) && refusalCodes.has(error.code);
}
