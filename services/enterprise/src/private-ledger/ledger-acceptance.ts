import type { ContentStore } from '@waymark/content';
import { gatherFacts, type GatherOptions } from '@waymark/audit';
import { attachmentOf, submissionOfBatch } from '@waymark/ledger-member';
import type { PrivateLedger } from '@waymark/private-ledger';
import { cidOfRaw, encodeBatchBlock, toHex, WaymarkError } from '@waymark/protocol';
import { encodeHeldBackClaim, type Submission } from '@waymark/rsl';
import type { CheckedBatch } from '../admission/admission.ts';
import type { AcceptedBatch, Journal } from '../journal/journal.ts';
import type { Acceptance, BlockSink } from '../upload/intake.ts';
import type { LedgerReceipts } from './ledger-receipts.ts';

/** What acceptance into the private ledger is made of. */
export interface LedgerAcceptanceParts {
  readonly privateLedger: Pick<PrivateLedger, 'member' | 'facts'>;
  readonly journal: Journal;
  readonly receipts: LedgerReceipts;
  readonly content: BlockSink & Pick<ContentStore, 'has'>;
  readonly audit: Omit<GatherOptions, 'nowMs' | 'ports' | 'attachmentOf'>;
  /** Finds out about one batch's envelopes, which this center has in hand. */
  readonly portsFor: (checked: CheckedBatch, accepted: AcceptedBatch) => GatherOptions['ports'];
  readonly nowMs: () => number;
}

/** Acceptance of batches into the firm's private ledger, at the center in office. */
export interface LedgerAcceptance extends Acceptance {
  /** The ledger's own receipt for a batch that is accepted and not in the journal yet, as a claim that the outlet can publish. */
  ledgerReceiptOf(outlet: string, seq: number): Uint8Array | undefined;
  /** When an accepted batch was accepted. */
  acceptedAtMs(outlet: string, seq: number): number | undefined;
  /** The batch is in a confirmed block, and in the journal. */
  settled(outlet: string, seq: number): void;
  /** This member has left office: what it accepted is another center's matter. */
  leftOffice(): void;
}

interface Underway {
  readonly accepted: AcceptedBatch;
  readonly ledgerReceipt: Uint8Array;
}

/**
 * A batch is accepted when its envelopes are in the content store and the ledger's log holds it (D5). The journal follows behind, with the confirmed blocks.
 */
export function createLedgerAcceptance(parts: LedgerAcceptanceParts): LedgerAcceptance {
  const { journal, content, receipts } = parts;
  const { member, facts } = parts.privateLedger;
  const underway = new Map<string, Underway>();
  const tags = new Map<string, Uint8Array>();
  const nameOf = (outlet: string, seq: number): string => `${outlet}/${String(seq)}`;

  const forget = (outlet: string, seq: number): void => {
    const known = underway.get(nameOf(outlet, seq));
    underway.delete(nameOf(outlet, seq));
    for (const { oid } of known?.accepted.records ?? []) tags.delete(toHex(oid));
  };

  async function prepare(checked: CheckedBatch, accepted: AcceptedBatch): Promise<Submission> {
    const submission = submissionOfBatch({
      statement: checked.submission.statement,
      signature: checked.submission.signature,
      leaves: checked.leaves,
      attached: {
        tags: accepted.records.map(({ contentTag }) => contentTag),
        tokens: accepted.records.map(({ tokens }) => tokens),
        keys: accepted.consignmentKeys,
      },
    });
    const ports = parts.portsFor(checked, accepted);
    const found = await gatherFacts(submission, {
      ...parts.audit,
      attachmentOf,
      nowMs: parts.nowMs(),
      ...(ports === undefined ? {} : { ports }),
    });
    facts.put(submission.hash, found);
    return submission;
  }

  return {
    position(outlet) {
      const cursor = member.position(outlet);
      return cursor === null ? undefined : { seq: cursor.seq, batchHash: Buffer.from(cursor.hash, 'hex') };
    },
    known(outlet, seq) {
      const flying = underway.get(nameOf(outlet, seq));
      if (flying !== undefined) {
        const { batchHash, receipt } = flying.accepted;
        return { batchHash, receipt: () => receipt };
      }
      const batch = journal.batch(outlet, seq);
      if (batch !== undefined) return { batchHash: batch.batchHash, receipt: () => receipts.of(batch) };
      if ((member.position(outlet)?.seq ?? 0) < seq) return undefined;
      // A center before this one, or this one before it was started again, has accepted it: its block tells.
      throw new WaymarkError('unavailable', 'The batch is on its way into a block; ask again.');
    },
    async supply({ statement, signature, records }, { outlet, seq }) {
      const leaves = records.map(({ recordOid, envelope }) => ({ recordOid, cid: cidOfRaw(envelope) }));
      const block = encodeBatchBlock({ statement, signature, leaves });
      // The center that took the batch in may be gone, and with it the only copy of the envelopes that the firm's centers had.
      if (journal.batch(outlet, seq)?.cid !== block.cid.toString() || (await content.has(block.cid))) return;
      const envelopes = records.map(({ envelope }, index) => ({
        cid: leaves[index]?.cid ?? cidOfRaw(envelope),
        bytes: envelope,
      }));
      await content.putMany([...envelopes, block], { pinRoots: [block.cid] });
    },
    contentTag: (oid) => tags.get(toHex(oid)) ?? journal.contentTag(oid),
    async accept(batches) {
      const blocks = batches.flatMap(({ checked }) => [...checked.envelopes, checked.block]);
      await content.putMany(blocks, { pinRoots: batches.map(({ checked }) => checked.block.cid) });
      const submissions = await Promise.all(batches.map(({ checked, accepted }) => prepare(checked, accepted)));
      // In one turn, so that they share a sync and come in order.
      const given = await Promise.allSettled(submissions.map((submission) => member.propose(submission)));
      let fault: unknown;
      for (const [index, result] of given.entries()) {
        const batch = batches[index];
        const submission = submissions[index];
        if (batch === undefined || submission === undefined) continue;
        if (result.status === 'rejected') {
          fault ??= result.reason;
          facts.forget(submission.hash);
          continue;
        }
        const { accepted } = batch;
        const known = journal.batch(accepted.outlet, accepted.seq);
        // Its block may have been confirmed while others were waited for.
        if (known !== undefined) continue;
        const ledgerReceipt = encodeHeldBackClaim({ receipt: result.value, opening: null });
        underway.set(nameOf(accepted.outlet, accepted.seq), { accepted, ledgerReceipt });
        for (const { oid, contentTag } of accepted.records) tags.set(toHex(oid), contentTag);
      }
      if (fault !== undefined) throw fault as Error;
    },
    pendingCount: () => journal.pendingCount() + underway.size,
    ledgerReceiptOf: (outlet, seq) => underway.get(nameOf(outlet, seq))?.ledgerReceipt,
    acceptedAtMs: (outlet, seq) => underway.get(nameOf(outlet, seq))?.accepted.acceptedAtMs,
    settled: forget,
    leftOffice() {
      underway.clear();
      tags.clear();
    },
  };
}
