import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CarIndexer } from '@ipld/car';
import { base32upper } from 'multiformats/bases/base32';
import { CID } from 'multiformats/cid';

/** Where a block's bytes lie. */
export interface StoredBlock {
  readonly file: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** Kubo names a block's file after the multihash in base32, upper case, without a prefix. */
export function blockFileName(cid: string): string {
  return `${base32upper.baseEncode(CID.parse(cid).multihash.bytes)}.data`;
}

/**
 * Looks for a block below a folder: in the segments of embedded stores, and in the block files of kubos. Of each store the newest copy: an earlier one was found
 * damaged and is not read any more.
 */
export async function findStoredBlocks(folder: string, cid: string): Promise<readonly StoredBlock[]> {
  const blockFile = blockFileName(cid);
  const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => ({ folder: parentPath, name, file: join(parentPath, name) }))
    .sort((left, right) => (left.file < right.file ? -1 : 1));
  const found = new Map<string, StoredBlock>();
  for (const { name, file, folder: store } of files) {
    if (name === blockFile) found.set(store, { file, offsetBytes: 0, sizeBytes: (await stat(file)).size });
    if (!name.endsWith('.car')) continue;
    for await (const block of await CarIndexer.fromIterable(createReadStream(file))) {
      if (block.cid.toString() !== cid) continue;
      found.set(store, { file, offsetBytes: block.blockOffset, sizeBytes: block.blockLength });
    }
  }
  return [...found.values()];
}

/** The copy of the first store below a folder that has the block. */
export async function findStoredBlock(folder: string, cid: string): Promise<StoredBlock | undefined> {
  const [first] = await findStoredBlocks(folder, cid);
  return first;
}

/** Whether a stored block is what its CID says. */
export async function isIntact({ file, offsetBytes, sizeBytes }: StoredBlock, cid: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const bytes = Buffer.alloc(sizeBytes);
    await handle.read(bytes, 0, sizeBytes, offsetBytes);
    return createHash('sha256').update(bytes).digest().equals(CID.parse(cid).multihash.digest);
  } finally {
    await handle.close();
  }
}

/** Flips one bit in the middle of a stored block, on disk; doing it again flips it back. Gives the place of the byte. */
export async function flipStoredBit({ file, offsetBytes, sizeBytes }: StoredBlock): Promise<number> {
  // The middle of an envelope is ciphertext.
  const place = offsetBytes + Math.floor(sizeBytes / 2);
  const handle = await open(file, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, place);
    byte.writeUInt8(byte.readUInt8(0) ^ 1);
    await handle.write(byte, 0, 1, place);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return place;
}
