import { Refusal, refuseInput } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { requireNode, requireOrganisation } from '../participants/authority.ts';
import type { Ledger } from '../state/ledger.ts';
import { evidenceId, evidenceKey, type BatchInput, type Evidence } from './model.ts';

/** What became of one batch. */
export interface RecordOutcome {
  readonly id: string;
  /** Whether the chain already had exactly this. */
  readonly repeated: boolean;
}

/**
 * Binds batches to the chain (S5), all or none. Evidence is written once: the same content again changes nothing, other content is
 * a `conflict`. A batch needs the one before it, on chain or in the same call, and links to its hash; only that one key is
 * read, so outlets never wait for each other.
 *
 * @throws `role-not-permitted`, `certificate-revoked`, `certificate-untrusted`, `conflict`, `sequence-gap`, `input-invalid`
 */
export async function record(
  ledger: Ledger,
  caller: Caller,
  batches: readonly BatchInput[],
): Promise<readonly RecordOutcome[]> {
  await requireOrganisation(ledger, caller.mspId);
  await requireNode(ledger, caller, ['center']);
  const submitted = new Map<string, BatchInput>();
  for (const [index, batch] of batches.entries()) {
    const id = evidenceId(caller.mspId, batch.outlet, batch.seq);
    if (submitted.has(id)) refuseInput(`batches[${index}]`, 'has the id of another batch of this call');
    submitted.set(id, batch);
  }
  const outcomes: RecordOutcome[] = [];
  for (const [id, batch] of submitted) {
    const key = evidenceKey(caller.mspId, batch.outlet, batch.seq);
    const evidence: Evidence = { v: 1, msp: caller.mspId, ...batch, node: caller.enrolmentId };
    const existing = await ledger.get(key);
    if (existing !== undefined) {
      if (!sameContent(existing, evidence)) throw new Refusal('conflict', { id });
      outcomes.push({ id, repeated: true });
      continue;
    }
    await requireNode(ledger, { mspId: caller.mspId, enrolmentId: batch.outlet, certificate: batch.certificate }, [
      'outlet',
      'department',
    ]);
    await requireLink(ledger, submitted, caller.mspId, batch);
    await ledger.put(key, evidence);
    outcomes.push({ id, repeated: false });
  }
  return outcomes;
}

/** Refuses a batch whose predecessor is missing or has another hash. */
async function requireLink(
  ledger: Ledger,
  submitted: ReadonlyMap<string, BatchInput>,
  msp: string,
  batch: BatchInput,
): Promise<void> {
  if (batch.seq === 1) return;
  const id = evidenceId(msp, batch.outlet, batch.seq);
  const before = batch.seq - 1;
  // A predecessor in the same call is judged in its own turn, so its hash may be used before it is written.
  const previous =
    submitted.get(evidenceId(msp, batch.outlet, before)) ?? (await ledger.get(evidenceKey(msp, batch.outlet, before)));
  if (previous === undefined) throw new Refusal('sequence-gap', { id, reason: 'missing', seq: batch.seq });
  if (previous.batchHash !== batch.prev) throw new Refusal('sequence-gap', { id, reason: 'prev', seq: batch.seq });
}

/** Whether two pieces of evidence state the same; which center handed it in does not matter. */
function sameContent(a: Evidence, b: Evidence): boolean {
  return (
    a.batchHash === b.batchHash &&
    a.prev === b.prev &&
    a.root === b.root &&
    a.cid === b.cid &&
    a.count === b.count &&
    a.collectedFrom === b.collectedFrom &&
    a.collectedTo === b.collectedTo &&
    a.certificate === b.certificate
  );
}
