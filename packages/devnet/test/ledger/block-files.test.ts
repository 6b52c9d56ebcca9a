import { appendFile, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { common } from '@hyperledger/fabric-protos';
import { headerFieldsOf, headerHash } from '../../src/block/hashes.ts';
import { openBlockFiles, type BlockFilesOptions } from '../../src/ledger/block-files.ts';
import { encodeBlock, encodeHeaderAndData } from '../../src/ledger/block-encoding.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary-folder.ts';

afterAll(removeTemporaryFolders);

const FIRST_FILE = 'blockfile_000000';

function chainOf(count: number, sizeBytes = 40): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  let previousHash = new Uint8Array();
  for (let number = 0; number < count; number++) {
    const header = new common.BlockHeader();
    header.setNumber(number);
    header.setPreviousHash(previousHash);
    header.setDataHash(Buffer.alloc(32, number));
    const data = new common.BlockData();
    data.setDataList([Buffer.alloc(sizeBytes, number + 1)]);
    const block = new common.Block();
    block.setHeader(header);
    block.setData(data);
    blocks.push(encodeBlock(encodeHeaderAndData(block), new common.BlockMetadata()));
    previousHash = Uint8Array.from(headerHash(headerFieldsOf(header)));
  }
  return blocks;
}

/** A folder with these blocks. */
async function written(blocks: readonly Uint8Array[], options: BlockFilesOptions = {}): Promise<string> {
  const dir = await temporaryFolder();
  const files = await openBlockFiles(dir, options);
  for (const block of blocks) {
    await files.write(block);
    await files.sync();
  }
  await files.close();
  return dir;
}

async function openedHeight(dir: string, options: BlockFilesOptions = {}): Promise<bigint> {
  const files = await openBlockFiles(dir, options);
  await files.close();
  return files.height;
}

test('blocks come back as they were written, and are valid common.Block messages', async () => {
  const blocks = chainOf(5);
  const files = await openBlockFiles(await written(blocks));
  for (const [index, block] of blocks.entries()) {
    const read = await files.read(BigInt(index));
    expect(Buffer.from(read ?? [])).toEqual(Buffer.from(block));
    expect(common.Block.deserializeBinary(block).getHeader()?.getNumber()).toBe(index);
  }
  expect(await files.read(5n)).toBeUndefined();
  expect(await files.readRange(1n, 3, 7)).toEqual(Buffer.from(blocks[1]?.subarray(3, 10) ?? []));
  await expect(files.readRange(1n, 0, 10_000)).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' });
  await files.close();
});

test('the chain goes on after opening again, over many files', async () => {
  const blocks = chainOf(12);
  const dir = await written(blocks.slice(0, 7), { maxFileBytes: 300 });
  const files = await openBlockFiles(dir, { maxFileBytes: 300 });
  for (const block of blocks.slice(7)) await files.write(block);
  await files.sync();
  await files.close();
  expect((await readdir(dir)).length).toBeGreaterThan(3);
  expect(await openedHeight(dir)).toBe(12n);
});

test('a last write cut off at any octet is taken back, and the chain goes on', async () => {
  const blocks = chainOf(3);
  const dir = await written(blocks);
  const whole = await readFile(join(dir, FIRST_FILE));
  const lastRecord = 12 + (blocks[2]?.length ?? 0);
  for (let kept = whole.length - lastRecord; kept < whole.length; kept++) {
    await writeFile(join(dir, FIRST_FILE), whole.subarray(0, kept));
    const files = await openBlockFiles(dir);
    expect(files.height).toBe(2n);
    await files.write(blocks[2] ?? new Uint8Array());
    await files.close();
    expect(await readFile(join(dir, FIRST_FILE))).toEqual(whole);
  }
});

test('a file that was made longer but never filled is taken back', async () => {
  const dir = await written(chainOf(2));
  await appendFile(join(dir, FIRST_FILE), Buffer.alloc(500));
  expect(await openedHeight(dir)).toBe(2n);
});

test('a flipped bit anywhere before the last record is refused', async () => {
  const blocks = chainOf(3);
  const dir = await written(blocks);
  const whole = await readFile(join(dir, FIRST_FILE));
  const end = whole.length - (12 + (blocks[2]?.length ?? 0));
  for (let at = 0; at < end; at += 3) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
    await writeFile(join(dir, FIRST_FILE), damaged);
    await expect(openBlockFiles(dir)).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' });
  }
});

test('a flipped bit in the last record is refused when the block is known to have been durable', async () => {
  const dir = await written(chainOf(3));
  const whole = await readFile(join(dir, FIRST_FILE));
  whole[whole.length - 1] = (whole.at(-1) ?? 0) ^ 1;
  await writeFile(join(dir, FIRST_FILE), whole);
  await expect(openBlockFiles(dir, { trustedHeight: 3n })).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' });
});

test('a missing file in the middle is refused', async () => {
  const dir = await written(chainOf(12), { maxFileBytes: 300 });
  await rm(join(dir, 'blockfile_000001'));
  await expect(openBlockFiles(dir)).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' });
});

test('a block that does not follow is not written', async () => {
  const blocks = chainOf(4);
  const files = await openBlockFiles(await written(blocks.slice(0, 2)));
  await expect(files.write(blocks[3] ?? new Uint8Array())).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' });
  await expect(files.write(blocks[1] ?? new Uint8Array())).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' });
  await expect(files.write(Buffer.from('junk'))).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' });
  await files.write(blocks[2] ?? new Uint8Array());
  expect(files.height).toBe(3n);
  await files.close();
});

test('blocks of another chain put into the middle are refused, although their checksums are right', async () => {
  const ours = chainOf(3);
  const theirs = chainOf(3, 41);
  const dir = await written(ours);
  const foreign = await readFile(join(await written(theirs), FIRST_FILE));
  const whole = await readFile(join(dir, FIRST_FILE));
  const first = 12 + (ours[0]?.length ?? 0);
  const foreignFirst = 12 + (theirs[0]?.length ?? 0);
  const mixed = Buffer.concat([whole.subarray(0, first), whole.subarray(first), foreign.subarray(foreignFirst)]);
  await writeFile(join(dir, FIRST_FILE), mixed);
  await expect(openBlockFiles(dir)).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' });
});
