import type { BlockReader } from '@waymark/content';
import type { Ledger } from '@waymark/fabric';
import type { CertificateVerifier } from '@waymark/vault';

/** Where an index says that a record lies. Nothing in it is believed. */
export interface Hint {
  readonly recordOid: Uint8Array;
  /** `<msp>/<outlet>/<seq>`. */
  readonly evidenceId: string;
  readonly leafIndex: number;
  /** CID of the envelope, base32. */
  readonly cid: string;
  /**
   * Shows that a record is in its firm's private ledger (docs/formats.md, "Record proof"); none: its batch stands on the channel as evidence. A function may be
   * asked again, for what shows it by then.
   */
  readonly proof?: Uint8Array | (() => Promise<Uint8Array>) | undefined;
}

/** What was asked, as far as the opened record can show that it is the answer. */
export type Asked = { readonly type: string; readonly value: string } | { readonly recordOid: string };

/** Which consignment key an envelope needs. */
export interface KeyPlace {
  readonly msp: string;
  readonly consignmentOid: Uint8Array;
  readonly epoch: number;
}

/** Where consignment keys come from: the reader's own key store, or a service of its firm. */
export interface ConsignmentKeySource {
  /**
   * @returns one key (32 bytes) per place, in order
   * @throws WaymarkError key-unknown, refused
   */
  consignmentKeys(places: readonly KeyPlace[]): Promise<readonly Uint8Array[]>;
}

/** What a trusted reader is made of. */
export interface TrustedReaderParts {
  readonly ledger: Pick<Ledger, 'evaluate' | 'channel' | 'mspId'>;
  readonly content: Pick<BlockReader, 'get'>;
  readonly keys: ConsignmentKeySource;
  /** Whom the reader trusts to issue an organisation's certificates: pinned by the reader, never taken from the data. */
  readonly verifierOf: (msp: string) => CertificateVerifier | undefined;
  /** Batches and anchors kept after they were proven: further records of theirs need no chaincode call. Default 256. */
  readonly maxCachedBatches?: number;
  /**
   * Told of each anchored block of a private ledger whose records are read, before their envelopes are: the CID of its body, which links to them. For content that
   * can be read ahead; how it ends does not matter.
   */
  readonly readAhead?: ((body: Parameters<BlockReader['get']>[0]) => Promise<unknown>) | undefined;
  /** Blocks fetched at once. Default 32. */
  readonly concurrency?: number;
}
