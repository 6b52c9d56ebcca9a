import type { WrappedKeyTable } from '@waymark/vault';
import type { BatchBody } from './batch-body.ts';
import type { BatchState, BlockPlace, Rejections } from './batch-state.ts';
import type { RejectedPlace } from './rejections.ts';

/** A batch's number and hash. */
export interface Position {
  readonly seq: number;
  readonly batchHash: Uint8Array;
}

/** A batch as it is about to be queued. */
export interface NewBatch {
  readonly body: BatchBody;
  readonly records: readonly { readonly oid: Uint8Array; readonly contentTag: Uint8Array }[];
  readonly consignments: readonly { readonly token: Uint8Array; readonly oid: Uint8Array; readonly epoch: number }[];
}

/** A statement with its signature, as sent. */
export interface Stamp {
  readonly statement: Uint8Array;
  readonly signature: Uint8Array;
  readonly batchHash: Uint8Array;
}

/** A batch that waits to be accepted. */
export interface QueuedBatch {
  readonly id: number;
  readonly seq: number;
  readonly body: BatchBody;
  readonly stamp: Stamp | undefined;
}

/** What a center says of a batch that is in a block. */
export interface Confirmation extends BlockPlace {
  readonly receipt: Uint8Array;
  readonly rejected: Rejections;
}

/** Where a record of this outlet is. */
export interface RecordPlace {
  readonly contentTag: Uint8Array;
  readonly batch: number;
  readonly leaf: number;
}

/** What an outlet has sealed and sent, on disk. One writer. */
export interface Outbox {
  /** Queues a batch under the next sequence number, in one synced transaction; returns its id. */
  queue(batch: NewBatch): number;
  record(oid: Uint8Array): RecordPlace | undefined;
  /**
   * Oids of records under a look-up token, in the order they were queued.
   * @throws WaymarkError unavailable: the tokens were emptied
   */
  findByToken(token: Uint8Array, limit: number): Uint8Array[];
  state(batch: number): BatchState | undefined;
  consignment(token: Uint8Array): { oid: Uint8Array; epoch: number } | undefined;
  /** Keys of consignments. A new key becomes durable with the batch that first uses it. */
  readonly keyTable: WrappedKeyTable;
  /** The rejection of exactly this record that nobody was told of yet. */
  untoldRejection(oid: Uint8Array, contentTag: Uint8Array): RejectedPlace | undefined;
  tellRejection(place: RejectedPlace): void;
  queuedAfter(seq: number, limit: number): QueuedBatch[];
  /** Batches after `seq` that a center accepted for its private ledger, and whose block was not heard of. */
  withoutBlockAfter(seq: number, limit: number): QueuedBatch[];
  /** Batches after `seq` that a center accepted for its private ledger, and that are not known to be anchored. */
  unanchoredAfter(seq: number, limit: number): QueuedBatch[];
  queuedCount(): number;
  stamp(id: number, stamp: Stamp): void;
  /** Forgets the stamps of batches after `seq`: they will be signed anew. */
  unstampAfter(seq: number): void;
  /** Last batch the center has, as far as is known here. */
  position(): Position;
  /**
   * Takes the center's position over. Batches it does not have (any more) are queued and numbered from there, in their order.
   * @throws WaymarkError replay-conflict: the center does not have a batch that the channel has
   */
  follow(position: Position): void;
  /** @param ledgerReceipt the private ledger's own receipt, with which a center can be shown to have held the batch back */
  markAccepted(id: number, receipt: Uint8Array, ledgerReceipt?: Uint8Array): void;
  /** The batch is in a block; the ids of its rejected records may be used again. */
  markConfirmed(id: number, confirmation: Confirmation): void;
  markAnchored(id: number, receipt: Uint8Array, txId: string): void;
  /** Takes a batch out of the sequence and its records out of the index, so that they can be sent again, corrected. */
  markRefused(id: number, refusal: { code: string; message: string }): void;
  counts(): BatchCounts;
  ledgerReceipt(id: number): Uint8Array | undefined;
  /** Accepted, not yet known to be anchored. */
  accepted(): { id: number; seq: number }[];
  /** Confirmed in a block of this range, not yet known to be anchored. */
  confirmedIn(first: number, last: number): { id: number; height: number; receipt: Uint8Array }[];
  acceptedBySeq(seq: number): { id: number; batchHash: Uint8Array; receipt: Uint8Array } | undefined;
  allowList(consignmentOid: Uint8Array): Uint8Array | undefined;
  allowLists(): Uint8Array[];
  putAllowList(consignmentOid: Uint8Array, seq: number, signed: Uint8Array): void;
  close(): void;
}

/** Batches by state. */
export type BatchCounts = Readonly<Record<BatchState['state'], number>>;
