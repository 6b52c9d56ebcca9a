import { type FolderContainers } from '@waymark/network';
import { CID } from 'multiformats/cid';
import { blockFileName } from './stored-block.ts';

/** Where a kubo in a container keeps a block. */
export interface ContainerBlock {
  readonly container: string;
  readonly file: string;
}

const blocks = '/data/ipfs/repository/blocks';

/**
 * Looks for a block in the kubos of a network of containers. One firm's store is enough.
 *
 * @param domain of the firm; default: any
 */
export async function findContainerBlock(
  containers: FolderContainers,
  cid: string,
  domain = '',
): Promise<ContainerBlock | undefined> {
  const kubos = (await containers.names()).filter((name) => name.startsWith(`ipfs.${domain}`)).sort();
  for (const container of kubos) {
    const found = await containers.run(container, ['find', blocks, '-name', blockFileName(cid)]);
    const [file = ''] = found.toString('utf8').split('\n');
    if (file !== '') return { container, file };
  }
  return undefined;
}

/** Whether the block is what its CID says. */
export async function isIntactInContainer(
  containers: FolderContainers,
  { container, file }: ContainerBlock,
  cid: string,
): Promise<boolean> {
  const sum = await containers.run(container, ['sha256sum', file]);
  const digest = Buffer.from(CID.parse(cid).multihash.digest).toString('hex');
  return sum.toString('utf8').startsWith(digest);
}

/** Flips one bit in the middle of the block's file; doing it again flips it back. Gives the place of the byte. */
export async function flipBitInContainer(
  containers: FolderContainers,
  { container, file }: ContainerBlock,
): Promise<number> {
  const sizeBytes = Number((await containers.run(container, ['stat', '-c', '%s', file])).toString('utf8'));
  const place = Math.floor(sizeBytes / 2);
  const at = (flag: 'skip' | 'seek'): string[] => ['bs=1', 'count=1', `${flag}=${place}`];
  const byte = await containers.run(container, ['dd', `if=${file}`, ...at('skip')]);
  byte.writeUInt8(byte.readUInt8(0) ^ 1);
  await containers.run(container, ['dd', `of=${file}`, 'conv=notrunc,fsync', ...at('seek')], byte);
  return place;
}
