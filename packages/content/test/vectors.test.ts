import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { CarBlockIterator } from '@ipld/car';
import {
  type Block,
  type EmbeddedContentStore,
  linksOf,
  openEmbeddedStore,
  parseContentCid,
  readCar,
  readDag,
} from '@waymark/content';
import { collect, expectCode } from '@waymark/testing/content-compliance';
import { CID } from 'multiformats/cid';
import { newFolder, removeFolders } from './harness/folders.ts';

const data = process.env['WAYMARK_DATA'];

if (data === undefined) {
  const reason = 'WAYMARK_DATA is not set';
  process.stderr.write(`skipped: published IPFS vectors (${reason})\n`);
  test.skip(`published IPFS vectors: skipped, ${reason}`, () => undefined);
} else {
  let store: EmbeddedContentStore;
  beforeAll(async () => {
    store = await openEmbeddedStore({ folder: await newFolder() });
  });
  afterAll(async () => {
    await store.close();
    await removeFolders();
  });

  test('codec fixtures: each dag-cbor and dag-pb block is stored under its published CID; dag-json is refused', async () => {
    const counts = new Map<string, number>();
    for (const path of await filesUnder(join(data, 'ipld-codec-fixtures', 'fixtures'))) {
      const codec = extname(path);
      const bytes = await readFile(path);
      const cid = CID.parse(basename(path, codec));
      if (codec === '.dag-json') {
        await expectCode(store.putMany([{ cid, bytes }]), 'input-invalid');
      } else if (codec === '.dag-cbor' || codec === '.dag-pb') {
        const links = linksOf({ cid: parseContentCid(cid.toString()), bytes });
        expect(links.length).toBeGreaterThanOrEqual(0);
        await store.putMany([{ cid, bytes }]);
        expect(Buffer.compare(await store.get(cid), bytes)).toBe(0);
      } else throw new Error(`unknown vector ${path}`);
      counts.set(codec, (counts.get(codec) ?? 0) + 1);
    }
    report('ipld-codec-fixtures', counts);
    expect(counts.get('.dag-cbor')).toBeGreaterThan(80);
    expect(counts.get('.dag-pb')).toBeGreaterThan(5);
  });

  test('CAR fixtures: each is read whole, stored and walked, or refused for a stated reason', async () => {
    const counts = new Map<string, number>();
    for (const path of await filesUnder(join(data, 'ipfs-fixtures'))) {
      const outcome = path.endsWith('.car') ? await judgeCar(path, store) : otherFile(path);
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    }
    report('ipfs-fixtures', counts);
    expect(counts.get('stored, complete')).toBeGreaterThan(10);
  });
}

/** What must become of a CAR is decided by the plain library and the CIDs in it. */
async function judgeCar(path: string, store: EmbeddedContentStore): Promise<string> {
  const read = async (): Promise<Block[]> => await collect((await readCar(createReadStream(path))).blocks);
  const plain = await plainRead(path);
  if (plain === 'version 2') {
    await expectCode(read(), 'unsupported');
    return 'refused: CAR version 2';
  }
  const refused = plain.blocks.map((block) => refusal(block.cid)).find((reason) => reason !== undefined);
  if (refused !== undefined) {
    await expectCode(read(), 'input-invalid');
    return `refused: ${refused}`;
  }
  const blocks = await read();
  expect(blocks.map((block) => block.cid.toString())).toEqual(plain.blocks.map((block) => block.cid.toString()));
  await store.putMany(blocks);
  for (const { cid, bytes } of blocks) expect(Buffer.compare(await store.get(cid), bytes)).toBe(0);
  const held = new Set(blocks.map((block) => block.cid.toString()));
  const complete = blocks.every((block) => linksOf(block).every((link) => held.has(link.toString())));
  const roots = plain.roots.filter((root) => held.has(root.toString()));
  for (const root of roots) {
    if (complete) {
      await store.pin(root);
      for (const block of await collect(readDag(store, root))) expect(held.has(block.cid.toString())).toBe(true);
    }
  }
  if (complete) return 'stored, complete';
  const links = new Set(blocks.flatMap((block) => linksOf(block)).map((link) => link.toString()));
  const top = blocks.filter((block) => !links.has(block.cid.toString()));
  const pins = await Promise.allSettled(top.map((block) => store.pin(block.cid)));
  expect(pins.some((pin) => pin.status === 'rejected')).toBe(true);
  return 'stored, incomplete: pinning is unavailable';
}

async function plainRead(path: string): Promise<'version 2' | { roots: CID[]; blocks: Block[] }> {
  const iterator = await CarBlockIterator.fromIterable(createReadStream(path));
  if (iterator.version === 2) return 'version 2';
  return { roots: await iterator.getRoots(), blocks: await collect(iterator) };
}

function refusal(cid: CID): string | undefined {
  if (cid.version !== 1) return 'CID version 0';
  if (cid.multihash.code !== 0x12) return `hash 0x${cid.multihash.code.toString(16)}`;
  if (![0x55, 0x70, 0x71].includes(cid.code)) return `codec 0x${cid.code.toString(16)}`;
  return undefined;
}

const otherFiles: readonly (readonly [RegExp, string])[] = [
  [/\.ipns-record$/, 'not used: IPNS'],
  [/\.unixfs$|\/ipfs-unixfs\/test\/fixtures\//, 'not used: bare UnixFS messages without a block around them'],
  [/dnslink\.yml$/, 'not used: DNSLink'],
  [
    /README\.md$|LICENSE[^/]*$|NOTICE$|fixture\.schema\.json$|TestDagStatExpectedOutput\.txt$|dag-pb\.json$/,
    'not a vector: text',
  ],
];

function otherFile(path: string): string {
  const known = otherFiles.find(([pattern]) => pattern.test(path));
  if (known === undefined) throw new Error(`unknown vector ${path}`);
  return known[1];
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function report(name: string, counts: ReadonlyMap<string, number>): void {
  for (const [outcome, count] of [...counts].sort()) process.stderr.write(`${name}: ${count} ${outcome}\n`);
}
