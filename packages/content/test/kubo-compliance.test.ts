import { writeFile } from 'node:fs/promises';
import { type ContentStore, createGatewaySource, openEmbeddedStore, openKuboStore } from '@waymark/content';
import {
  blockReaderCompliance,
  collect,
  contentStoreCompliance,
  linkingBlock,
  notingPins,
  releasePins,
  saltSamples,
  sampleBlocks,
  unixfsVectorBytes,
  unixfsVectors,
} from '@waymark/testing/content-compliance';
import { findKubo, startKubo } from '@waymark/testing/kubo-peer';
import type { CID } from 'multiformats/cid';
import { newFolder, removeFolders } from './harness/folders.ts';
import { segmentPaths } from './harness/segments-on-disk.ts';

const program = findKubo();
const url = process.env['WAYMARK_KUBO_URL'];

if (program === undefined && url === undefined) {
  const reason = 'no `ipfs` on PATH and no WAYMARK_KUBO_URL';
  process.stderr.write(`skipped: content store on kubo (${reason})\n`);
  test.skip(`content store on kubo: skipped, ${reason}`, () => undefined);
}

if (url !== undefined) {
  // This kubo keeps what earlier runs stored, and belongs to somebody.
  saltSamples(`${Date.now()}/`);
  const open = (): Promise<ContentStore> => openKuboStore({ url, durability: 'as-configured' });
  const pinned = new Map<string, CID>();
  contentStoreCompliance('kubo at WAYMARK_KUBO_URL', () =>
    Promise.resolve({
      open: async () => notingPins(await open(), pinned),
      dispose: async () => {
        const store = await open();
        await releasePins(store, pinned);
        await store.close();
      },
    }),
  );
}

if (program !== undefined) {
  contentStoreCompliance('kubo from PATH', async () => {
    const kubo = await startKubo(program);
    return {
      open: () => openKuboStore({ url: kubo.apiUrl, authorization: kubo.authorization }),
      alter: (cid, bytes) => writeFile(kubo.blockFile(cid), bytes),
      dispose: () => kubo.stop(),
    };
  });

  blockReaderCompliance("kubo's own gateway", async () => {
    const kubo = await startKubo(program);
    const store = await openKuboStore({ url: kubo.apiUrl, authorization: kubo.authorization });
    const reader = createGatewaySource({ baseUrl: kubo.gatewayUrl });
    return {
      reader,
      seed: (blocks) => store.putMany(blocks),
      alter: (cid, bytes) => writeFile(kubo.blockFile(cid), bytes),
      dispose: async () => {
        await reader.close();
        await store.close();
        await kubo.stop();
      },
    };
  });

  describe('kubo and the embedded store agree', () => {
    let kubo: Awaited<ReturnType<typeof startKubo>>;
    beforeAll(async () => {
      kubo = await startKubo(program);
    });
    afterAll(async () => {
      await kubo.stop();
      await removeFolders();
    });

    test('a segment of the embedded store goes into kubo by `ipfs dag import`, and every block comes out', async () => {
      const folder = await newFolder();
      const store = await openEmbeddedStore({ folder });
      const blocks = sampleBlocks('segment', 50);
      const root = linkingBlock(blocks.map((block) => block.cid));
      await store.putMany([...blocks, root]);
      await store.close();
      const [segment = ''] = await segmentPaths(folder);
      expect((await kubo.run(['dag', 'import', '--stats', segment])).toString()).toContain('Imported 51 blocks');
      for (const block of [...blocks, root]) {
        const bytes = await kubo.run(['block', 'get', block.cid.toString()]);
        expect(Buffer.compare(bytes, block.bytes)).toBe(0);
      }
    });

    test('`ipfs add --cid-version=1 --raw-leaves` prints the CIDs addFile is held to', async () => {
      for (const [sizeBytes, cid] of unixfsVectors) {
        const printed = await kubo.run(['add', '-Q', '--cid-version=1', '--raw-leaves'], unixfsVectorBytes(sizeBytes));
        expect(printed.toString().trim()).toBe(cid);
      }
    });

    test("a whole DAG is read from kubo's gateway by one CAR", async () => {
      const store = await openKuboStore({ url: kubo.apiUrl, authorization: kubo.authorization });
      const leaves = sampleBlocks('dag', 300);
      const root = linkingBlock(leaves.map((leaf) => leaf.cid));
      await store.putMany([...leaves, root]);
      const gateway = createGatewaySource({ baseUrl: kubo.gatewayUrl });
      const got = await collect(gateway.readDag(root.cid));
      expect(got.map((block) => block.cid.toString())).toEqual([root, ...leaves].map((block) => block.cid.toString()));
      await gateway.close();
      await store.close();
    });
  });
}
