import type { Evidence, RecordContent } from '@waymark/protocol';

/** Where a record stands in its firm's private ledger. */
export interface LedgerPlace {
  readonly height: number;
  /** CID of the block's header. */
  readonly blockHash: string;
  /** The range of blocks that the channel holds, and the transaction that brought it; null while there is none. */
  readonly anchor: { readonly first: number; readonly last: number; readonly txId: string } | null;
}

/** A record, its proof checked. */
export interface TrustedRecord {
  /** `anchored`: proven against the channel. `confirmed`: against the members of the firm's private ledger, whose block the channel does not hold yet. */
  readonly trust: 'anchored' | 'confirmed';
  /** Organisations whose peer vouched for what the channel says. */
  readonly attestedBy: readonly string[];
  readonly recordOid: string;
  /** `<msp>/<outlet>/<seq>`: the record's batch, whichever way it went. */
  readonly evidenceId: string;
  /** SHA-256 of the batch statement, lower-case hex. */
  readonly batchHash: string;
  readonly leafIndex: number;
  readonly cid: string;
  readonly content: RecordContent;
  readonly collectedMs: number;
  /** What the channel has of the batch itself; null for a record of a private ledger. */
  readonly evidence: Evidence | null;
  /** Null for a record whose batch stands on the channel as evidence. */
  readonly ledger: LedgerPlace | null;
}
