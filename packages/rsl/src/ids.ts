/** Names and places of the private ledger. Plain strings and numbers, so that what is sent and stored is plain data. */

/** A member of the ledger: center, standby or department. */
export type MemberId = string;

/** A digest in lower-case hex, or whatever the injected `Crypto` makes of bytes. Compared by equality only. */
export type Digest = string;

/** A block hash: the CID of the unsigned dag-cbor header (rsl.md, "Block"). The block before the first one has `noBlock`. */
export type BlockHash = string;

/** A signature as the injected `Crypto` makes it. */
export type Signature = string;

/** What the first block names as its predecessor. */
export const noBlock: BlockHash = '';

/** What a department's first submission names as its predecessor. */
export const noSubmission: Digest = '';

/** A sealed block, by place and content. */
export interface BlockRef {
  readonly height: number;
  readonly term: number;
  readonly hash: BlockHash;
}
