import type { Block } from '@waymark/content';
import { cidOfDagCbor, dagCborCode, parseCid, WaymarkError } from '@waymark/protocol';
import { type Candidate, contentCounts, headerBytes, type Seal } from '@waymark/rsl';
import type { BodyCipher } from '../body/body-cipher.ts';
import type { BlockRow } from './chain-index.ts';
import { encodeSeal } from './seal-bytes.ts';

/** What a candidate says that neither header nor body does is only the center's signature. */
export function candidateOf(
  { header, center }: Pick<Seal, 'header' | 'center'>,
  { content, salt }: Pick<Candidate, 'content' | 'salt'>,
  signature: string,
): Candidate {
  const { ledger, epoch, height, term, prev, root } = header;
  const counts = contentCounts(content);
  const count = counts.accepted + counts.rejected;
  return { ledger, epoch, height, term, center, prev, content, salt, root, count, signature };
}

/** The blocks that a sealed block is stored as. @throws WaymarkError data-abnormal */
export function blocksOf(bodyCipher: BodyCipher, candidate: Candidate, { header, hash }: Seal): readonly Block[] {
  const bytes = headerBytes(header);
  const cid = cidOfDagCbor(bytes);
  const body = bodyCipher.encodeBody(candidate);
  if (cid.toString() !== hash) throw abnormalBlock('hash', candidate.height);
  if (!body.cid.equals(parseCid(header.body, [dagCborCode]))) throw abnormalBlock('body', candidate.height);
  return [{ cid, bytes }, ...body.blocks];
}

/** What the index keeps of a block. */
export function rowOf(candidate: Candidate, seal: Seal): BlockRow {
  return {
    height: candidate.height,
    hash: seal.hash,
    seal: encodeSeal(seal),
    candidateSignature: candidate.signature,
  };
}

/** A block is not what it must be. */
export function abnormalBlock(reason: string, height: number): WaymarkError {
  return new WaymarkError('data-abnormal', 'A block is not the one that the chain names.', {
    details: { reason, height },
  });
}

/** Blocks are above the chain, or not fetched yet. */
export function goneError(first: number, last: number): WaymarkError {
  return new WaymarkError('gone', 'These blocks of the chain are not here.', { details: { first, last } });
}
