import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CarIndexer } from '@ipld/car';
import type { CID } from 'multiformats/cid';

export interface PayloadOnDisk {
  readonly path: string;
  readonly offset: number;
  readonly sizeBytes: number;
}

export async function segmentPaths(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, 'segments'));
  return names.sort().map((name) => join(folder, 'segments', name));
}

/** Finds a block in the segments with the plain CAR library, without the store. */
export async function payloadOnDisk(folder: string, cid: CID): Promise<PayloadOnDisk> {
  for (const path of await segmentPaths(folder)) {
    for await (const entry of await CarIndexer.fromIterable(createReadStream(path))) {
      if (entry.cid.toString() === cid.toString())
        return { path, offset: entry.blockOffset, sizeBytes: entry.blockLength };
    }
  }
  throw new Error(`no segment holds ${cid.toString()}`);
}

/** Overwrites bytes of a file in a process of its own. */
export async function overwriteFromOutside(path: string, offset: number, bytes: Uint8Array): Promise<void> {
  const script = `const fs = require('fs'); const [path, offset, hex] = process.argv.slice(1);
    const fd = fs.openSync(path, 'r+'); fs.writeSync(fd, Buffer.from(hex, 'hex'), 0, undefined, Number(offset)); fs.closeSync(fd);`;
  await promisify(execFile)(process.execPath, ['-e', script, path, String(offset), Buffer.from(bytes).toString('hex')]);
}

/** Replaces a stored payload by bytes of the same length. */
export async function alterOnDisk(folder: string, cid: CID, bytes: Uint8Array): Promise<void> {
  const { path, offset, sizeBytes } = await payloadOnDisk(folder, cid);
  if (bytes.length !== sizeBytes) throw new Error('only bytes of the same length fit');
  await overwriteFromOutside(path, offset, bytes);
}

/** Flips one bit of a stored payload. */
export async function flipOnDisk(folder: string, cid: CID, bytes: Uint8Array): Promise<void> {
  const flipped = Uint8Array.from(bytes);
  flipped[0] = (flipped[0] ?? 0) ^ 1;
  await alterOnDisk(folder, cid, flipped);
}
