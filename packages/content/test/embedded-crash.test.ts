import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openEmbeddedStore } from '@waymark/content';
import { sampleBlock } from '@waymark/testing/content-compliance';
import { newFolder, removeFolders } from './harness/folders.ts';
import { batchOf } from './harness/written-batches.ts';

const writer = fileURLToPath(new URL('./harness/writing-process.ts', import.meta.url));
const running: ChildProcess[] = [];

afterEach(async () => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
  await removeFolders();
});

function startWriter(folder: string, first: number): ChildProcess {
  const child = spawn(process.execPath, [writer, folder, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  return child;
}

/** Lets a writer run until it acknowledged so many batches, kills it, and says which batches it acknowledged. */
async function writeUntilKilled(
  folder: string,
  first: number,
  batches: number,
  delayMicros: number,
): Promise<number[]> {
  const child = startWriter(folder, first);
  const closed = once(child, 'close');
  const acknowledged: number[] = [];
  if (child.stdout === null) throw new Error('no output');
  for await (const line of createInterface(child.stdout)) {
    if (line !== 'open') acknowledged.push(Number(line));
    if (acknowledged.length !== batches || child.killed) continue;
    const until = process.hrtime.bigint() + BigInt(delayMicros) * 1000n;
    while (process.hrtime.bigint() < until); // a fine-grained point within the next write
    child.kill('SIGKILL');
  }
  await closed;
  return acknowledged;
}

test('killed at 20 points under load, the store holds and pins every acknowledged batch', async () => {
  const folder = await newFolder();
  const acknowledged: number[] = [];
  let first = 0;
  let torn = 0;
  for (let round = 0; round < 20; round++) {
    const numbers = await writeUntilKilled(folder, first, 3 + ((round * 7) % 11), (round * 137) % 2500);
    acknowledged.push(...numbers);
    first = Math.max(first, ...numbers) + 10;
    const store = await openEmbeddedStore({ folder });
    expect(store.openReport.damage).toEqual([]);
    if (store.openReport.tornTail !== undefined) torn += 1;
    for (const number of numbers) {
      const { blocks, root } = batchOf(number);
      for (const { cid, bytes } of blocks) expect(Buffer.compare(await store.get(cid), bytes)).toBe(0);
      expect(await store.isPinned(root.cid)).toBe(true);
    }
    await store.close();
  }
  const store = await openEmbeddedStore({ folder, rebuildIndex: true });
  for (const number of acknowledged) {
    for (const { cid, bytes } of batchOf(number).blocks) expect(Buffer.compare(await store.get(cid), bytes)).toBe(0);
  }
  await store.close();
  expect(acknowledged.length).toBeGreaterThanOrEqual(60);
  process.stderr.write(
    `crash test: ${acknowledged.length} batches acknowledged over 20 kills, ${torn} torn tails cut\n`,
  );
}, 120_000);

test('a folder that another process has open is refused, and free again when that process is killed', async () => {
  const folder = await newFolder();
  const child = startWriter(folder, 0);
  if (child.stdout === null) throw new Error('no output');
  await once(child.stdout, 'data');
  await expect(openEmbeddedStore({ folder })).rejects.toMatchObject({
    code: 'unavailable',
    details: { reason: 'locked' },
  });
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
  const store = await openEmbeddedStore({ folder });
  await expect(openEmbeddedStore({ folder })).rejects.toMatchObject({
    code: 'unavailable',
    details: { reason: 'locked' },
  });
  await store.putMany([sampleBlock('mine now')]);
  await store.close();
  await (await openEmbeddedStore({ folder })).close();
});
