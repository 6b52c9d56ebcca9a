/** Heights, both included. */
export interface BlockRange {
  readonly first: number;
  readonly last: number;
}

/** A confirmed block as a member stores it: bytes that prove themselves by header, seal and CIDs. */
export interface StoredBlock {
  readonly height: number;
  /** dag-cbor. */
  readonly header: Uint8Array;
  readonly seal: Uint8Array;
  /** The body's root first. */
  readonly body: readonly { readonly cid: string; readonly bytes: Uint8Array }[];
}
