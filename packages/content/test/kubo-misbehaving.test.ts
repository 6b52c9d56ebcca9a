import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type ContentStore, type KuboStoreOptions, openKuboStore } from '@waymark/content';
import { expectCode, linkingBlock, sampleBlock } from '@waymark/testing/content-compliance';
import { newFolder, removeFolders } from './harness/folders.ts';
import { serve } from './harness/http.ts';

const block = sampleBlock('from kubo');
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await removeFolders();
});

type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

async function address(behaviour: Behaviour): Promise<string> {
  const server = await serve(behaviour);
  closers.push(() => server.close());
  return server.url;
}

async function kubo(behaviour: Behaviour, options: Partial<KuboStoreOptions> = {}): Promise<ContentStore> {
  const url = await address(behaviour);
  const store = await openKuboStore({
    url,
    timeoutMs: 300,
    writeTimeoutMs: 300,
    durability: 'as-configured',
    ...options,
  });
  closers.push(() => store.close());
  return store;
}

function rpcError(response: ServerResponse, message: string, status = 500): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ Message: message, Code: 0, Type: 'error' }));
}

test.each<[string, 'data-abnormal' | 'unavailable', Behaviour]>([
  ['wrong bytes', 'data-abnormal', (_request, response) => void response.end(sampleBlock('wrong').bytes)],
  ['no bytes', 'data-abnormal', (_request, response) => void response.end()],
  ['bytes without end', 'data-abnormal', endless],
  [
    'its own finding that the block is altered',
    'data-abnormal',
    (_request, response) => rpcError(response, 'block in storage has different hash than requested'),
  ],
  ['that it has no such block', 'unavailable', (_request, response) => rpcError(response, 'ipld: could not find bafk')],
  ['a refusal', 'unavailable', (_request, response) => rpcError(response, '403 - Forbidden', 403)],
  ['no answer', 'unavailable', () => undefined],
  ['a beginning and no more', 'unavailable', (_request, response) => void response.write(block.bytes.subarray(0, 10))],
  ['a broken connection', 'unavailable', (request) => void request.socket.destroy()],
  ['a redirect', 'unavailable', (_request, response) => void response.writeHead(307, { location: '/x' }).end()],
])('a read that kubo answers by %s is %s', async (_what, code, behaviour) => {
  await expectCode((await kubo(behaviour)).get(block.cid), code);
});

test.each<[string, Behaviour]>([
  ['no answer', () => undefined],
  ['a fault', (_request, response) => rpcError(response, 'no space left on device')],
  ['a broken connection', (request) => void request.socket.destroy()],
  [
    'a pin that failed',
    (request, response) => answerImport(request, response, 'block was not found locally (offline)'),
  ],
  ['an answer for none of the roots', (request, response) => void request.resume().on('end', () => response.end())],
])('a write that kubo answers by %s is not acknowledged: unavailable', async (_what, behaviour) => {
  const root = linkingBlock([block.cid]);
  await expectCode((await kubo(behaviour)).putMany([block, root], { pinRoots: [root.cid] }), 'unavailable');
});

test.each<[string, Behaviour]>([
  ['another server', (_request, response) => void response.writeHead(404).end('404 page not found')],
  ['a kubo that hangs', () => undefined],
])('with %s behind the address, has() and isPinned() fail instead of saying no', async (_what, behaviour) => {
  const store = await kubo(behaviour);
  await expectCode(store.has(block.cid), 'unavailable');
  await expectCode(store.isPinned(block.cid), 'unavailable');
  await expectCode(store.stats(), 'unavailable');
  await expectCode(store.unpin(block.cid), 'unavailable');
});

test.each<[string, Behaviour, 'missing' | 'altered']>([
  ['it is not here', (_request, response) => rpcError(response, 'block was not found locally (offline)'), 'missing'],
  ['it is altered', (_request, response) => rpcError(response, 'different hash than requested'), 'altered'],
  ['other bytes', (_request, response) => void response.end(sampleBlock('wrong').bytes), 'altered'],
])('a check of what is held takes %s as what it says', async (_what, behaviour, kind) => {
  const report = await (await kubo(behaviour)).checkHeld(block.cid);
  expect(report).toMatchObject({ held: false, blocks: 0, missing: [], altered: [], [kind]: [block.cid] });
});

test.each<[string, Behaviour]>([
  ['no answer', () => undefined],
  ['a refusal', (_request, response) => rpcError(response, '403 - Forbidden', 403)],
  ['a broken connection', (request) => void request.socket.destroy()],
])('a check of what is held says nothing of blocks when kubo gives %s: unavailable', async (_what, behaviour) => {
  await expectCode((await kubo(behaviour)).checkHeld(block.cid), 'unavailable');
});

test('reads that are local, and checks, tell kubo to leave the swarm out; other reads do not', async () => {
  const asked: string[] = [];
  const store = await kubo((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://kubo').searchParams.get('offline') ?? 'online');
    response.end(block.bytes);
  });
  await store.get(block.cid);
  await store.get(block.cid, { local: true });
  await store.checkHeld(block.cid);
  expect(asked).toEqual(['online', 'true', 'true']);
});

test('a kubo that answers a repair and keeps the altered copy is unsupported', async () => {
  const store = await kubo((request, response) => {
    if (request.url?.includes('dag/import') === true) request.resume().on('end', () => response.end());
    else response.end(sampleBlock('still altered').bytes);
  });
  await expectCode(store.repair(block), 'unsupported');
});

test('a caller that gives up is answered at once with its own reason', async () => {
  const abort = new AbortController();
  const reason = new Error('enough');
  const store = await kubo(() => abort.abort(reason), { timeoutMs: 60_000 });
  await expect(store.get(block.cid, { signal: abort.signal })).rejects.toBe(reason);
});

test('calls under way end when the store is closed', async () => {
  const stores: ContentStore[] = [];
  const store = await kubo(() => void stores[0]?.close(), { timeoutMs: 60_000 });
  stores.push(store);
  await expectCode(store.get(block.cid), 'unavailable');
});

describe('authorization', () => {
  test.each([
    ['bearer', 'Bearer s3cret'],
    ['basic', `Basic ${Buffer.from('s3cret').toString('base64')}`],
  ] as const)('the secret of a file goes as %s with every call', async (scheme, header) => {
    const secretFile = join(await newFolder(), 'secret');
    await writeFile(secretFile, 's3cret\n');
    const seen = new Set<string | undefined>();
    const store = await kubo(
      (request, response) => {
        seen.add(request.headers.authorization);
        rpcError(response, 'no');
      },
      { authorization: { scheme, secretFile } },
    );
    await expectCode(store.get(block.cid), 'unavailable');
    await expectCode(store.has(block.cid), 'unavailable');
    await expectCode(store.putMany([block]), 'unavailable');
    expect([...seen]).toEqual([header]);
  });

  test('a missing, empty or malformed secret, and credentials in the address, are configuration-invalid', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'empty'), '\n');
    await writeFile(join(folder, 'lines'), 'a\nb');
    for (const name of ['missing', 'empty', 'lines']) {
      const authorization = { scheme: 'bearer', secretFile: join(folder, name) } as const;
      await expectCode(openKuboStore({ url: 'http://127.0.0.1:1', authorization }), 'configuration-invalid');
    }
    for (const url of ['http://user:secret@127.0.0.1:1', 'nonsense', 'file:///etc']) {
      await expectCode(openKuboStore({ url }), 'configuration-invalid');
    }
  });
});

describe('durability', () => {
  const flatfs = (sync: boolean): unknown => ({
    type: 'mount',
    mounts: [
      { mountpoint: '/blocks', type: 'measure', child: { type: 'flatfs', path: 'blocks', sync } },
      { mountpoint: '/', type: 'levelds' },
    ],
  });
  const withSpec =
    (spec: unknown): Behaviour =>
    (_request, response) =>
      void response.end(JSON.stringify({ Key: 'Datastore.Spec', Value: spec }));

  test.each([
    ['flatfs that does not sync', flatfs(false)],
    ['badgerds that does not sync', { type: 'badgerds', syncWrites: false }],
    ['a store nothing is known of', { type: 'pebbleds' }],
    ['no specification', null],
  ])('a kubo over %s is refused unless that is accepted', async (_what, spec) => {
    const url = await address(withSpec(spec));
    await expectCode(openKuboStore({ url }), 'configuration-invalid');
    await (await openKuboStore({ url, durability: 'as-configured' })).close();
  });

  test.each([
    ['flatfs', flatfs(true)],
    ['badgerds', { type: 'badgerds', syncWrites: true }],
  ])('a kubo over %s that syncs is accepted', async (_what, spec) => {
    await (await openKuboStore({ url: await address(withSpec(spec)) })).close();
  });
});

function answerImport(request: IncomingMessage, response: ServerResponse, pinError: string): void {
  request.resume().on('end', () => {
    const root = linkingBlock([block.cid]).cid.toString();
    response.end(`${JSON.stringify({ Root: { Cid: { '/': root }, PinErrorMsg: pinError } })}\n`);
  });
}

function endless(_request: IncomingMessage, response: ServerResponse): void {
  const more = (): void => {
    while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
}
