/**
 * Flips one bit of a stored block on disk, behind the back of the running services. Run it again to flip it back.
 *
 *   npm run tamper -- --data DIR --cid CID
 *
 * Prints {file, offset, cid}. Exit code 1 when no segment below DIR holds the block.
 */
import { open, readdir } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CarIndexer } from '@ipld/car';

const { values } = parseArgs({ options: { data: { type: 'string' }, cid: { type: 'string' } } });
if (values.data === undefined || values.cid === undefined) {
  process.stderr.write('usage: npm run tamper -- --data DIR --cid CID\n');
  process.exit(2);
}
const found = await findBlock(values.data, values.cid);
if (found === undefined) {
  process.stderr.write('no stored segment holds this block\n');
  process.exit(1);
}
// The middle of the block is ciphertext.
const offset = found.blockOffset + Math.floor(found.blockLength / 2);
const file = await open(found.path, 'r+');
try {
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, offset);
  byte.writeUInt8(byte.readUInt8(0) ^ 1);
  await file.write(byte, 0, 1, offset);
  await file.sync();
} finally {
  await file.close();
}
process.stdout.write(`${JSON.stringify({ file: found.path, offset, cid: values.cid })}\n`);

interface Found {
  readonly path: string;
  readonly blockOffset: number;
  readonly blockLength: number;
}

async function findBlock(folder: string, cid: string): Promise<Found | undefined> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.car')) continue;
    const path = join(entry.parentPath, entry.name);
    for await (const block of await CarIndexer.fromIterable(createReadStream(path))) {
      if (block.cid.toString() === cid) return { path, blockOffset: block.blockOffset, blockLength: block.blockLength };
    }
  }
  return undefined;
}
