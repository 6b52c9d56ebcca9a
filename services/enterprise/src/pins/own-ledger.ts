/** The firm's private ledger at this member, as far as keeping its blocks goes. */
export interface OwnLedger {
  /** Header blocks from one height to another, both included; undefined while the chain here does not have all of them. */
  headers(first: number, last: number): readonly Uint8Array[] | undefined;
  /**
   * Puts header and body of these blocks into the content store, durable, the bodies pinned.
   * @throws WaymarkError gone, data-abnormal: the chain does not have them; unavailable: an envelope is not here, or the store does not answer
   */
  publish(first: number, last: number): Promise<void>;
}
