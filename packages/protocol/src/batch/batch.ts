import type { CID } from 'multiformats/cid';

/** What an outlet signs for a batch (docs/formats.md, "Batch"). */
export interface BatchStatement {
  readonly channel: string;
  readonly msp: string;
  /** Enrolment id of the outlet: the common name of its certificate. */
  readonly outlet: string;
  /** SHA-256 of the outlet certificate's DER, 32 bytes. */
  readonly certificateDigest: Uint8Array;
  /** `<msp>/<channel>` of the center the batch is for. */
  readonly ledger: string;
  /** Key id of the center's transport key. */
  readonly leaderKid: string;
  /** 1, 2, 3, ... without gaps, per outlet. */
  readonly seq: number;
  /** Hash of the batch before, 32 bytes; zeros for the first. */
  readonly prevBatchHash: Uint8Array;
  readonly root: Uint8Array;
  readonly count: number;
  readonly collectedFromMs: number;
  readonly collectedToMs: number;
  readonly sentAtMs: number;
  readonly messageId: Uint8Array;
}

/** One record of a batch: its oid and where its envelope lies. */
export interface BatchLeaf {
  readonly recordOid: Uint8Array;
  readonly cid: CID;
}

/** The dag-cbor block a batch's CID names. */
export interface BatchBlock {
  /** Canonical bytes of the `BatchStatement`. */
  readonly statement: Uint8Array;
  /** COSE_Sign1 over the statement, detached. */
  readonly signature: Uint8Array;
  readonly leaves: readonly BatchLeaf[];
}

/** What the chain keeps of a batch (docs/formats.md, "Evidence on chain"). */
export interface Evidence {
  readonly v: 1;
  readonly msp: string;
  readonly outlet: string;
  readonly seq: number;
  /** Lower-case hex. */
  readonly batchHash: string;
  readonly prev: string;
  readonly root: string;
  /** CIDv1 of the batch block, base32. */
  readonly cid: string;
  readonly count: number;
  /** RFC 3339. */
  readonly collectedFrom: string;
  readonly collectedTo: string;
  /** Enrolment id of the center that submitted it, taken from its certificate by the chaincode. */
  readonly node: string;
  /** SHA-256 of the outlet certificate's DER, lower-case hex. */
  readonly certificate: string;
}
