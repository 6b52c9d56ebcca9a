import type { Evidence, JsonObject } from '@waymark/protocol';
import type { Caller } from '@waymark/service-kit';
import type { CID } from 'multiformats/cid';

/** Where a record lies, as the node's own index says: a hint that a reader proves (S7) or takes as it is (S8). */
export interface IndexHit {
  readonly recordOid: Uint8Array;
  /** `<msp>/<outlet>/<seq>`. */
  readonly evidenceId: string;
  readonly leafIndex: number;
  readonly cid: CID;
}

/** What a caller asks for: an id that people use, or an oid. */
export type Query = { readonly type: string; readonly value: string } | { readonly recordOid: string };

/** The node's index. `unavailable` when it cannot say that there is nothing. */
export interface QueryIndex {
  findByOid(oid: Uint8Array): IndexHit | undefined | Promise<IndexHit | undefined>;
  findByToken(token: Uint8Array, limit: number): readonly IndexHit[] | Promise<readonly IndexHit[]>;
  /** The replica's copy of an evidence, unverified (S6). */
  evidence(evidenceId: string): Evidence | undefined;
}

/** What proves the records of the firm's private ledger to others (S7); a node that keeps no copy of the ledger has none. */
export interface RecordProofs {
  /** Whether the ledger has the record, accepted. */
  has(recordOid: Uint8Array): boolean | Promise<boolean>;
  /**
   * The proof's bytes (docs/formats.md, "Record proof"); undefined for a record that is not in the ledger.
   * @throws WaymarkError unavailable, data-abnormal
   */
  prove(recordOid: Uint8Array): Promise<Uint8Array | undefined>;
}

/** The node's keys, as far as the reads need them. */
export interface QueryKeys {
  /** Key id of the node's own encryption key: bound into every key it hands over. */
  readonly ownerKid: string;
  /**
   * Look-up token of a business id (docs/formats.md, "Ids").
   * @throws WaymarkError input-invalid when the value has not the form its type demands
   */
  token(type: string, value: string): Uint8Array;
  /** The consignment key. @throws WaymarkError key-unknown when this node does not hold it */
  consignmentKey(consignmentOid: Uint8Array, epoch: number): Promise<Uint8Array>;
  /**
   * Hands a consignment key to one reader as a compact JWE.
   * @throws WaymarkError key-invalid when `encryptionKey` is not an acceptable public key
   */
  wrap(key: {
    consignmentKey: Uint8Array;
    consignmentOid: Uint8Array;
    epoch: number;
    encryptionKey: JsonObject;
  }): Promise<string>;
  /** Place of an envelope's key, read from its header in the clear. */
  envelopePlace(envelope: Uint8Array): { consignmentOid: Uint8Array; epoch: number };
}

/**
 * Finds out who is calling.
 * @throws WaymarkError certificate-untrusted, certificate-expired, certificate-revoked, role-not-permitted
 */
export type Authenticate = (certificateDer: Uint8Array) => Caller;
