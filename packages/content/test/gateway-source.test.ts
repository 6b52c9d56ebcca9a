import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  type Block,
  createGatewayHandler,
  createGatewaySource,
  type GatewayContentSource,
  writeCar,
} from '@waymark/content';
import { collect, expectCode, linkingBlock, sampleBlock, sampleBlocks } from '@waymark/testing/content-compliance';
import { newAuthority } from './harness/certificates.ts';
import { serve, type TestServer } from './harness/http.ts';

const block = sampleBlock('wanted');
const leaves = sampleBlocks('leaves', 10);
const root = linkingBlock(leaves.map((leaf) => leaf.cid));
const known = new Map([block, root, ...leaves].map((one) => [one.cid.toString(), one]));
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

/** @param timeoutMs short only where silence is what is tested: nothing else may depend on speed */
async function gateway(
  behaviour: Behaviour,
  timeoutMs = 20_000,
): Promise<{ source: GatewayContentSource; server: TestServer }> {
  const server = await serve(behaviour);
  const source = createGatewaySource({ baseUrl: server.url, timeoutMs });
  closers.push(
    () => source.close(),
    () => server.close(),
  );
  return { source, server };
}

/** Serves blocks rightly, and CARs as the test wants them. */
function withCar(car: (response: ServerResponse) => void): Behaviour {
  return (request, response) => {
    const url = request.url ?? '';
    if (url.includes('format=car')) {
      response.setHeader('content-type', 'application/vnd.ipld.car; version=1');
      car(response);
      return;
    }
    const found = known.get(/\/ipfs\/(\w+)/.exec(url)?.[1] ?? '');
    response.statusCode = found === undefined ? 404 : 200;
    response.end(found?.bytes);
  };
}

async function carBytes(blocks: readonly Block[]): Promise<Buffer> {
  return Buffer.concat(await collect(writeCar([root.cid], blocks)));
}

describe('a gateway that misbehaves', () => {
  test.each<[string, 'data-abnormal' | 'unavailable', Behaviour]>([
    ['wrong bytes', 'data-abnormal', (_request, response) => void response.end(sampleBlock('wrong').bytes)],
    ['one byte less', 'data-abnormal', (_request, response) => void response.end(block.bytes.subarray(1))],
    ['no bytes', 'data-abnormal', (_request, response) => void response.end()],
    ['bytes without end', 'data-abnormal', endless],
    ['an HTML page', 'data-abnormal', (_request, response) => void response.end('<html></html>')],
    ['no answer', 'unavailable', () => undefined],
    [
      'a beginning and no more',
      'unavailable',
      (_request, response) => void response.write(block.bytes.subarray(0, 100)),
    ],
    ['a broken connection', 'unavailable', (request) => void request.socket.destroy()],
    ['a broken body', 'unavailable', (request, response) => brokenBody(request, response)],
    [
      'a redirect',
      'unavailable',
      (_request, response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
    ],
    ['a refusal', 'unavailable', (_request, response) => void response.writeHead(403).end('no')],
    ['an overload', 'unavailable', (_request, response) => void response.writeHead(429).end()],
    ['a fault', 'unavailable', (_request, response) => void response.writeHead(500).end('{"code":"other"}')],
    ['an endless fault', 'unavailable', (_request, response) => endless(_request, response.writeHead(500))],
  ])('%s: %s', async (_what, code, behaviour) => {
    const { source } = await gateway(behaviour, code === 'unavailable' ? 300 : undefined);
    await expectCode(source.get(block.cid), code);
  });

  test('no listener at all is unavailable', async () => {
    const { source, server } = await gateway(() => undefined);
    await server.close();
    closers.pop();
    await expectCode(source.get(block.cid), 'unavailable');
    await expectCode(source.has(block.cid), 'unavailable');
  });

  test('kept connections that were closed meanwhile are replaced, however many there are', async () => {
    const used = new WeakSet();
    const { source } = await gateway((request, response) => {
      if (used.has(request.socket)) request.socket.destroy();
      else withCar(() => undefined)(request, response);
      used.add(request.socket);
    });
    await Promise.all(leaves.map(({ cid }) => source.get(cid).catch(() => undefined)));
    expect(await source.has(block.cid)).toBe(true);
    expect(await source.get(leaves[0]?.cid ?? block.cid)).toEqual(leaves[0]?.bytes);
  });

  test('has() is an error, not "no", when the gateway cannot tell', async () => {
    const { source } = await gateway((_request, response) => void response.writeHead(502).end());
    await expectCode(source.has(block.cid), 'unavailable');
  });

  test('a caller that gives up is answered at once with its own reason', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const { source } = await gateway(() => abort.abort(reason));
    await expect(source.get(block.cid, { signal: abort.signal, timeoutMs: 60_000 })).rejects.toBe(reason);
  });

  test.each(['not a url', 'ftp://127.0.0.1/', ''])('the address "%s" is configuration-invalid', (baseUrl) => {
    expect(() => createGatewaySource({ baseUrl })).toThrow(
      expect.objectContaining({ code: 'configuration-invalid' }) as Error,
    );
  });
});

describe('reading a DAG', () => {
  test.each<[string, (response: ServerResponse) => void, number]>([
    ['a whole CAR', (response) => void carBytes([root, ...leaves]).then((car) => response.end(car)), 0],
    ['a CAR in another order', (response) => void carBytes([...leaves, root]).then((car) => response.end(car)), 1],
    [
      'a CAR without some blocks',
      (response) => void carBytes([root, ...leaves.slice(0, 5)]).then((car) => response.end(car)),
      5,
    ],
    ['a CAR with an altered block', (response) => void altered().then((car) => response.end(car)), 10],
    [
      'a CAR with foreign blocks',
      (response) => void carBytes([block, root, ...leaves]).then((car) => response.end(car)),
      11,
    ],
    [
      'a CAR cut off',
      (response) => void carBytes([root, ...leaves]).then((car) => response.end(car.subarray(0, 3000))),
      8,
    ],
    [
      'a CAR that stalls',
      (response) => void carBytes([root, ...leaves]).then((car) => response.write(car.subarray(0, 3000))),
      8,
    ],
    ['a CAR bomb', (response) => void response.end(Buffer.from('ffffffff7f00', 'hex')), 11],
    ['no CAR', (response) => void response.writeHead(406).end(), 11],
  ])('%s: the blocks come all, in order and right', async (what, car, singles) => {
    const { source, server } = await gateway(withCar(car), what.endsWith('stalls') ? 2_000 : undefined);
    const got = await collect(source.readDag(root.cid));
    expect(got.map((one) => one.cid.toString())).toEqual([root, ...leaves].map((one) => one.cid.toString()));
    expect(server.asked.filter((path) => path.includes('format=raw'))).toHaveLength(singles);
  });

  test('a DAG over the limit of the caller is limit-exceeded', async () => {
    const { source } = await gateway(
      withCar((response) => void carBytes([root, ...leaves]).then((car) => response.end(car))),
    );
    await expectCode(collect(source.readDag(root.cid, { maxBlocks: 5 })), 'limit-exceeded');
    await expectCode(collect(source.readDag(root.cid, { maxSizeBytes: 5000 })), 'limit-exceeded');
  });
});

test('TLS: the private CA is checked, and the client shows its certificate', async () => {
  const authority = await newAuthority('gateway test');
  const stranger = await newAuthority('somebody else');
  const own = await authority.issue('server');
  const handler = createGatewayHandler({ get: () => Promise.resolve(block.bytes) });
  const server = createHttpsServer(
    {
      cert: own.certificate,
      key: own.privateKey,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    },
    handler,
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const read = async (
    ca: string | undefined,
    client: { certificate: string; privateKey: string } | undefined,
  ): Promise<Uint8Array> => {
    const source = createGatewaySource({ baseUrl, tls: { ca, ...client } });
    try {
      return await source.get(block.cid);
    } finally {
      await source.close();
    }
  };
  const client = await authority.issue('client');
  expect(await read(authority.certificate, client)).toHaveLength(1024);
  await expectCode(read(authority.certificate, undefined), 'unavailable');
  await expectCode(read(authority.certificate, await stranger.issue('client')), 'unavailable');
  await expectCode(read(undefined, client), 'unavailable');
  await expectCode(read(stranger.certificate, client), 'unavailable');
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function endless(_request: IncomingMessage, response: ServerResponse): void {
  const more = (): void => {
    while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
}

function brokenBody(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-length': '1024' });
  response.write(block.bytes.subarray(0, 10), () => request.socket.destroy());
}

async function altered(): Promise<Buffer> {
  const car = await carBytes([root, ...leaves]);
  const at = car.indexOf(Buffer.from(leaves[0]?.bytes ?? []));
  car[at] = (car[at] ?? 0) ^ 1;
  return car;
}
