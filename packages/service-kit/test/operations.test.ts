import {
  createMetrics,
  createOperationsServer,
  type OperationsServer,
  type OperationsServerOptions,
} from '../src/index.ts';

const running: OperationsServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

async function start(options: Partial<OperationsServerOptions> = {}): Promise<string> {
  const server = createOperationsServer({ port: 0, registry: createMetrics('test'), checks: [], ...options });
  await server.start();
  running.push(server);
  return `http://127.0.0.1:${server.port}`;
}

test('health says what is wrong, by check, and whether to restart or to wait', async () => {
  let connected = false;
  const url = await start({
    checks: [
      { name: 'disk', kind: 'live', check: () => undefined },
      {
        name: 'ledger',
        kind: 'ready',
        check: () => (connected ? Promise.resolve() : Promise.reject(new Error('away'))),
      },
    ],
  });
  const health = async (path: string) => {
    const response = await fetch(url + path);
    return { status: response.status, body: await response.json() };
  };
  expect(await health('/healthz')).toEqual({
    status: 503,
    body: { live: true, ready: false, checks: { disk: 'ok', ledger: 'failing' } },
  });
  expect(await health('/healthz/live')).toMatchObject({ status: 200 });
  expect(await health('/healthz/ready')).toMatchObject({ status: 503 });
  connected = true;
  expect(await health('/healthz')).toMatchObject({ status: 200, body: { ready: true } });
});

test('a check that hangs counts as failing', async () => {
  const url = await start({ checks: [{ name: 'x', kind: 'ready', check: () => new Promise(() => undefined) }] });
  expect((await fetch(`${url}/healthz`)).status).toBe(503);
});

test('metrics are Prometheus text with the name of the service', async () => {
  const response = await fetch(`${await start()}/metrics`);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
  expect(await response.text()).toMatch(/process_cpu_user_seconds_total\{service="test"\}/);
});

test('the OpenAPI document and the docs are served when there are any', async () => {
  const url = await start({
    openApi: { openapi: '3.1.0' },
    docs: [(_request, response) => void response.send('docs')],
  });
  expect(await (await fetch(`${url}/openapi.json`)).json()).toEqual({ openapi: '3.1.0' });
  expect(await (await fetch(`${url}/docs`)).text()).toBe('docs');
  expect((await fetch(`${await start()}/openapi.json`)).status).toBe(404);
});

test('an address that others can reach needs to be asked for', () => {
  const options = { host: '0.0.0.0', port: 0, registry: createMetrics('test'), checks: [] };
  expect(() => createOperationsServer(options)).toThrow(/loopback/);
  expect(() => createOperationsServer({ ...options, allowRemote: true })).not.toThrow();
});
