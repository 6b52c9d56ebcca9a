import { type CoseSigner, type Receipt, signReceipt, WaymarkError } from '@waymark/protocol';
import type { Journal, JournalBatch } from '../journal/journal.ts';

/** Receipts for batches that are in the private ledger: signed when somebody asks for the first time, and the same from then on. */
export interface LedgerReceipts {
  /** For the batch's present state, confirmed or anchored. @throws WaymarkError internal: it is in no block */
  of(batch: JournalBatch): Uint8Array;
}

export function createLedgerReceipts(parts: {
  readonly journal: Journal;
  readonly signer: CoseSigner;
  readonly channel: string;
  readonly msp: string;
}): LedgerReceipts {
  const { journal, signer, channel, msp } = parts;
  return {
    of(batch) {
      const { outlet, seq, state, place, txId } = batch;
      const kept = state === 'anchored' ? batch.anchoredReceipt : batch.receipt;
      if (kept !== undefined) return kept;
      if (place === undefined || (state !== 'confirmed' && state !== 'anchored'))
        throw new WaymarkError('internal', 'The batch is in no block of the private ledger.');
      const receipt: Receipt = {
        state,
        channel,
        msp,
        outlet,
        seq,
        batchHash: batch.batchHash,
        batchCid: batch.cid,
        root: Buffer.from(batch.evidence.root, 'hex'),
        count: batch.count,
        messageId: batch.messageId,
        acceptedAtMs: batch.acceptedAtMs,
        height: place.height,
        blockHash: place.blockHash,
        ...(txId === undefined ? {} : { txId }),
      };
      const signed = signReceipt(signer, receipt);
      journal.keepReceipt(outlet, seq, signed);
      return signed;
    },
  };
}
