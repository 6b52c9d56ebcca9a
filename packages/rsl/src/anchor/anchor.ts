import { inclusionProof, WaymarkError } from '@waymark/protocol';
import type { Header, Seal } from '../block/header.ts';
import type { Crypto } from '../crypto.ts';
import type { VoteCertificate } from '../election/vote.ts';
import type { BlockHash, Digest, MemberId, Signature } from '../ids.ts';
import type { Statement } from '../statement.ts';

/** What a center puts on the channel: a range of confirmed blocks, with what proves that they are (D7; docs/formats.md, "Anchor"). */
export interface Anchor {
  readonly ledger: string;
  readonly first: number;
  readonly last: number;
  /** Merkle root over `anchorLeafStatement` of every block from `first` to `last`. */
  readonly root: Digest;
  /** Term of the center that anchors: that of the last block, or a later one. */
  readonly term: number;
  readonly center: MemberId;
  /** Of the last block, then those above it that confirm it. */
  readonly seals: readonly Seal[];
  /** The first header, which links to the anchor before, and the places of first and last header under `root`; null when they are one. */
  readonly opening: AnchorOpening | null;
  /** Why `center` is one; only when the channel has not seen an anchor of this term. */
  readonly election: VoteCertificate | null;
  /** The center's, over `anchorStatement`. */
  readonly signature: Signature;
}

/** Where the ends of a range are under its root. */
export interface AnchorOpening {
  readonly header: Header;
  /** RFC 9162 inclusion proofs, lowest sibling first. */
  readonly firstPath: readonly Digest[];
  readonly lastPath: readonly Digest[];
}

/** Leaf data of one block in an anchor's tree. */
export function anchorLeafStatement(ledger: string, height: number, hash: BlockHash): Statement {
  return ['waymark/rsl/anchor-leaf/v1', ledger, height, hash];
}

/** What the center signs in an anchor. */
export function anchorStatement(
  anchor: Pick<Anchor, 'ledger' | 'first' | 'last' | 'root' | 'term' | 'center'> & {
    readonly epoch: number;
    readonly hash: BlockHash;
  },
): Statement {
  const { ledger, epoch, first, last, hash, root, term, center } = anchor;
  return ['waymark/rsl/anchor/v1', ledger, epoch, first, last, hash, root, term, center];
}

/** What an anchor is made from. */
export interface AnchorSource {
  /** All headers of the range, in order. */
  readonly headers: readonly Header[];
  /** `confirmation(height)` of the last one. */
  readonly seals: readonly Seal[];
  readonly center: MemberId;
  readonly term: number;
  readonly election: VoteCertificate | null;
}

/**
 * Makes and signs the anchor of a range.
 * @param crypto of `center`
 * @throws WaymarkError internal: the headers are no range that ends with the first seal
 */
export function makeAnchor(crypto: Crypto, { headers, seals, center, term, election }: AnchorSource): Anchor {
  const [first] = headers;
  const last = headers.at(-1);
  const [seal] = seals;
  if (first === undefined || last === undefined || seal === undefined || crypto.headerHash(last) !== seal.hash)
    throw new WaymarkError('internal', 'An anchor is made of a range of blocks and the seals of its last one.');
  const leaves = headers.map((header, index) => {
    if (header.height !== first.height + index) throw new WaymarkError('internal', 'A range of blocks has a gap.');
    return crypto.leafHash(anchorLeafStatement(header.ledger, header.height, crypto.headerHash(header)));
  });
  const path = (index: number): Digest[] =>
    inclusionProof(leaves, index).map((hash) => Buffer.from(hash).toString('hex'));
  const body = {
    ledger: last.ledger,
    first: first.height,
    last: last.height,
    root: crypto.merkleRoot(leaves),
    term,
    center,
  };
  return {
    ...body,
    seals,
    opening: first === last ? null : { header: first, firstPath: path(0), lastPath: path(leaves.length - 1) },
    election,
    signature: crypto.sign(anchorStatement({ ...body, epoch: last.epoch, hash: seal.hash })),
  };
}
