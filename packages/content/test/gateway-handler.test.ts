import { CarReader } from '@ipld/car';
import {
  type Block,
  type BlockReader,
  createGatewayHandler,
  createGatewaySource,
  type EmbeddedContentStore,
  openEmbeddedStore,
} from '@waymark/content';
import {
  blockReaderCompliance,
  collect,
  linkingBlock,
  refusedCids,
  sampleBlock,
  sampleBlocks,
} from '@waymark/testing/content-compliance';
import { newFolder, removeFolders } from './harness/folders.ts';
import { ask, serve, type TestServer } from './harness/http.ts';
import { alterOnDisk, flipOnDisk } from './harness/segments-on-disk.ts';

blockReaderCompliance('gateway source against the gateway handler', async () => {
  const folder = await newFolder();
  const store = await openEmbeddedStore({ folder });
  const server = await serve(createGatewayHandler(store));
  const reader = createGatewaySource({ baseUrl: server.url });
  return {
    reader,
    seed: (blocks) => store.putMany(blocks),
    alter: (cid, bytes) => alterOnDisk(folder, cid, bytes),
    dispose: async () => {
      await reader.close();
      await server.close();
      await store.close();
    },
  };
});

describe('gateway handler (IPFS trustless gateway specification)', () => {
  const leaves = sampleBlocks('gateway', 20);
  const [leaf = sampleBlock('')] = leaves;
  const root = linkingBlock(leaves.map((block) => block.cid));
  const address = leaf.cid.toString();
  let folder: string;
  let store: EmbeddedContentStore;
  let server: TestServer;

  beforeAll(async () => {
    folder = await newFolder();
    store = await openEmbeddedStore({ folder });
    await store.putMany([...leaves, root]);
    server = await serve(createGatewayHandler(store, { maxCarBlocks: 30 }));
  });

  afterAll(async () => {
    await server.close();
    await store.close();
    await removeFolders();
  });

  const raw = { headers: { accept: 'application/vnd.ipld.raw' } };

  test('a raw block is served by header or parameter, cacheable for ever under its CID', async () => {
    for (const answer of [
      await ask(`${server.url}/ipfs/${address}`, raw),
      await ask(`${server.url}/ipfs/${address}?format=raw`),
    ]) {
      expect(answer.status).toBe(200);
      expect(Buffer.compare(answer.body, leaf.bytes)).toBe(0);
      expect(answer.headers).toMatchObject({
        'content-type': 'application/vnd.ipld.raw',
        'content-length': '1024',
        'content-disposition': `attachment; filename="${address}.bin"`,
        'cache-control': 'public, max-age=29030400, immutable',
        'x-content-type-options': 'nosniff',
        'x-ipfs-roots': address,
        etag: `"${address}.raw"`,
      });
    }
  });

  test('HEAD answers as GET without the bytes', async () => {
    const answer = await ask(`${server.url}/ipfs/${address}?format=raw`, { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-length']).toBe('1024');
    expect(answer.body).toHaveLength(0);
  });

  test.each([`"${address}.raw"`, `"other", W/"${address}.raw"`, '*'])('If-None-Match %s gets 304', async (tag) => {
    const answer = await ask(`${server.url}/ipfs/${address}?format=raw`, { headers: { 'if-none-match': tag } });
    expect(answer.status).toBe(304);
    expect(answer.body).toHaveLength(0);
  });

  test('a CAR holds the DAG, root first, and the plain library reads it', async () => {
    const answer = await ask(`${server.url}/ipfs/${root.cid.toString()}?format=car`);
    expect(answer.headers['content-type']).toBe('application/vnd.ipld.car; version=1; order=dfs; dups=n');
    expect(answer.complete).toBe(true);
    const car = await CarReader.fromBytes(answer.body);
    expect((await car.getRoots()).map(String)).toEqual([root.cid.toString()]);
    const blocks = await collect(car.blocks());
    expect(blocks.map((block) => block.cid.toString())).toEqual([root, ...leaves].map((block) => block.cid.toString()));
  });

  test('dag-scope=block limits a CAR to one block, and HEAD sends none', async () => {
    const url = `${server.url}/ipfs/${root.cid.toString()}?dag-scope=block`;
    const headers = { accept: 'application/vnd.ipld.car;version=1;order=dfs' };
    const car = await CarReader.fromBytes((await ask(url, { headers })).body);
    expect(await collect(car.blocks())).toHaveLength(1);
    expect((await ask(url, { headers, method: 'HEAD' })).body).toHaveLength(0);
  });

  test.each([
    ['an absent block', 404, 'unavailable', `/ipfs/${sampleBlock('absent').cid.toString()}?format=raw`],
    ['no CID', 400, 'input-invalid', '/ipfs/nonsense?format=raw'],
    ...refusedCids.map(([what, cid]): [string, number, string, string] => [
      what,
      400,
      'input-invalid',
      `/ipfs/${cid.toString()}?format=raw`,
    ]),
    ['a path inside a DAG', 404, 'input-invalid', `/ipfs/${address}/file`],
    ['another path', 404, 'input-invalid', '/ipns/example.net'],
    ['no format asked for', 406, 'input-invalid', `/ipfs/${address}`],
    ['a format not served', 406, 'input-invalid', `/ipfs/${address}?format=tar`],
    ['CAR version 2', 400, 'input-invalid', `/ipfs/${address}?format=car&car-version=2`],
    ['a dag-scope not served', 400, 'input-invalid', `/ipfs/${address}?format=car&dag-scope=entity`],
    ['entity-bytes', 400, 'input-invalid', `/ipfs/${address}?format=car&entity-bytes=0:1`],
    ['another order', 400, 'input-invalid', `/ipfs/${address}?format=car&car-order=bfs`],
  ])('%s is answered %i with a problem document', async (_what, status, code, path) => {
    const answer = await ask(`${server.url}${path}`);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(JSON.parse(answer.body.toString())).toMatchObject({ status, code });
    expect(answer.headers.etag).toBeUndefined();
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s is not allowed', async (method) => {
    const answer = await ask(`${server.url}/ipfs/${address}?format=raw`, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('GET, HEAD');
  });

  test('altered bytes are a 500 with data-abnormal, never the bytes, by any form of request (S7)', async () => {
    const victim = sampleBlock('altered under the gateway');
    await store.putMany([victim]);
    await flipOnDisk(folder, victim.cid, victim.bytes);
    const url = `${server.url}/ipfs/${victim.cid.toString()}`;
    for (const answer of [
      await ask(`${url}?format=raw`),
      await ask(`${url}?format=raw`, { headers: { 'if-none-match': `"${victim.cid.toString()}.raw"` } }),
      await ask(`${url}?format=car`),
    ]) {
      expect(answer.status).toBe(500);
      expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 'data-abnormal' });
      expect(answer.body.includes(Buffer.from(victim.bytes.subarray(100, 120)))).toBe(false);
    }
    expect((await ask(`${url}?format=raw`, { method: 'HEAD' })).status).toBe(500);
  });

  test('a fault in the middle of a CAR breaks the connection instead of ending it well', async () => {
    const victim = sampleBlock('altered inside a DAG');
    const dag = linkingBlock([leaf.cid, victim.cid]);
    await store.putMany([victim, dag]);
    await flipOnDisk(folder, victim.cid, victim.bytes);
    const answer = await ask(`${server.url}/ipfs/${dag.cid.toString()}?format=car`);
    expect(answer.complete).toBe(false);
  });

  test('a CAR over its limit is broken off', async () => {
    const many = sampleBlocks('too many', 31);
    const dag = linkingBlock(many.map((block) => block.cid));
    await store.putMany([...many, dag]);
    expect((await ask(`${server.url}/ipfs/${dag.cid.toString()}?format=car`)).complete).toBe(false);
  });

  test('more CARs than allowed at once are answered 503', async () => {
    let release: (bytes: Uint8Array) => void = () => undefined;
    const waiting = new Promise<Uint8Array>((resolve) => (release = resolve));
    let reach: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => (reach = resolve));
    const slow: Pick<BlockReader, 'get'> = {
      get: () => {
        reach();
        return waiting;
      },
    };
    const limited = await serve(createGatewayHandler(slow, { maxConcurrentCars: 1 }));
    const first = ask(`${limited.url}/ipfs/${address}?format=car`);
    await reached;
    expect((await ask(`${limited.url}/ipfs/${address}?format=car`)).status).toBe(503);
    release(leaf.bytes);
    expect((await first).status).toBe(200);
    await limited.close();
  });

  test('mounted under /ipfs by express, other paths go on to the next handler', async () => {
    const { default: express } = await import('express');
    const app = express();
    app.use('/ipfs', createGatewayHandler(store));
    app.use((_request, response) => void response.status(418).end());
    const mounted = await serve((request, response) => void app(request, response));
    expect((await ask(`${mounted.url}/ipfs/${address}?format=raw`)).body).toHaveLength(1024);
    expect((await ask(`${mounted.url}/elsewhere`)).status).toBe(418);
    await mounted.close();
  });

  test('a whole DAG comes to a gateway source by one request', async () => {
    const before = server.asked.length;
    const source = createGatewaySource({ baseUrl: server.url });
    const got: Block[] = await collect(source.readDag(root.cid));
    expect(got.map((block) => block.cid.toString())).toEqual([root, ...leaves].map((block) => block.cid.toString()));
    expect(server.asked.length - before).toBe(1);
    await source.close();
  });
});
