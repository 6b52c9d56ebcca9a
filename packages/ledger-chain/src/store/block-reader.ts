import type { Block, EmbeddedContentStore } from '@waymark/content';
import { dagCborCode, parseCid } from '@waymark/protocol';
import { headerBytes } from '@waymark/rsl';
import type { BodyCipher } from '../body/body-cipher.ts';
import type { ChainIndex } from './chain-index.ts';
import { abnormalBlock, candidateOf, goneError } from './stored-block.ts';
import type { ChainBlock, StoredBlock } from './ledger-chain.ts';
import { decodeSeal } from './seal-bytes.ts';

interface Source {
  readonly blocks: Pick<EmbeddedContentStore, 'get' | 'getMany'>;
  readonly index: Pick<ChainIndex, 'block'>;
  readonly bodyCipher: BodyCipher;
}

/** A block as it lies on disk, checked down to its last byte. @throws WaymarkError gone, data-abnormal, unavailable */
export async function readStored({ blocks, index, bodyCipher }: Source, height: number): Promise<StoredBlock> {
  const row = index.block(height);
  if (row === null) throw goneError(height, height);
  const { header, hash } = decodeSeal(row.seal);
  if (row.hash !== hash || header.height !== height) throw abnormalBlock('hash', height);
  const headerCid = parseCid(hash, [dagCborCode]);
  const stored: Block[] = [{ cid: headerCid, bytes: await blocks.get(headerCid) }];
  const rootCid = parseCid(header.body, [dagCborCode]);
  const root = { cid: rootCid, bytes: await blocks.get(rootCid) };
  stored.push(root);
  for await (const part of blocks.getMany(bodyCipher.partsOf(root))) stored.push(part);
  if (Buffer.compare((stored[0] as Block).bytes, headerBytes(header)) !== 0) throw abnormalBlock('hash', height);
  return { height, hash, seal: row.seal, candidateSignature: row.candidateSignature, blocks: stored };
}

/** A block with its content. @throws WaymarkError gone, data-abnormal, unavailable */
export async function readBlock(source: Source, height: number): Promise<ChainBlock> {
  const stored = await readStored(source, height);
  const seal = decodeSeal(stored.seal);
  const [, root, ...parts] = stored.blocks;
  const body = source.bodyCipher.decodeBody(
    root as Block,
    parts.map(({ bytes }) => bytes),
  );
  const candidate = candidateOf(seal, body, stored.candidateSignature);
  return { height, header: seal.header, seal, candidate };
}
