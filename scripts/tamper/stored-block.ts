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

/** Looks for a block below a folder: in the segments of an embedded store, and in the block files of a kubo. */
export async function findStoredBlock(folder: string, cid: string): Promise<StoredBlock | undefined> {
  const blockFile = blockFileName(cid);
  const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => ({ folder: parentPath, name, file: join(parentPath, name) }))
    .sort((left, right) => (left.file < right.file ? -1 : 1));
  let found: (StoredBlock & { readonly folder: string }) | undefined;
  for (const entry of files) {
    // One firm's store is enough, and in it the newest copy: an earlier one was found damaged and is not read any more.
    if (found !== undefined && found.folder !== entry.folder) break;
    const { file } = entry;
    if (entry.name === blockFile) return { file, offsetBytes: 0, sizeBytes: (await stat(file)).size };
    if (!entry.name.endsWith('.car')) continue;
    for await (const block of await CarIndexer.fromIterable(createReadStream(file))) {
      if (block.cid.toString() !== cid) continue;
      found = { file, folder: entry.folder, offsetBytes: block.blockOffset, sizeBytes: block.blockLength };
    }
  }
  return found;
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
