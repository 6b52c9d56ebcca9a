import type { decodeCid } from '@waymark/protocol';
import type { BlockHash, Signature } from '@waymark/rsl';

/** A confirmed block as a member stores it: bytes that prove themselves by seal, hash and CIDs. */
export interface StoredBlock {
  readonly height: number;
  readonly hash: BlockHash;
  /** Header, the center's signature and the certificate. */
  readonly seal: Uint8Array;
  /** The center's, under the candidate that the block was made of. */
  readonly candidateSignature: Signature;
  /** The header's block, then the body's root, then its parts. */
  readonly blocks: readonly { readonly cid: ReturnType<typeof decodeCid>; readonly bytes: Uint8Array }[];
}
