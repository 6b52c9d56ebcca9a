import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { X509Certificate } from 'node:crypto';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import type { OrganisationCa } from '@waymark/devnet/ca';
import { WaymarkError } from '@waymark/protocol';
import type { Express } from 'express';
import {
  createApiServer,
  createApplication,
  createHttpMetrics,
  createMetrics,
  peerIdentity,
  type ApiServer,
  type ApiServerOptions,
} from '../src/index.ts';
import { captureLog, createCa, removeFolders, temporaryFolder, tlsFiles, type LogCapture } from './fixture.ts';

let ca: OrganisationCa;
let server: ApiServer;
let log: LogCapture;
let client: { readonly cert: string; readonly key: string };
const metrics = createMetrics('test');
const httpMetrics = createHttpMetrics(metrics);

function routes(app: Express): void {
  app.post('/v1/echo', (incoming, response) => void response.json(incoming.body));
  app.get('/v1/who', (incoming, response) => {
    response.json({ certificate: Buffer.from(peerIdentity(incoming).certificate).toString('hex') });
  });
  app.get('/v1/items/:id', () => {
    throw new WaymarkError('refused', 'not yours or not there');
  });
  app.get('/v1/fault', () => Promise.reject(new Error('canary-secret')));
  app.get('/v1/slow', () => undefined);
}

async function start(options: Partial<ApiServerOptions> = {}): Promise<ApiServer> {
  const application = createApplication({
    logger: log.logger,
    metrics: httpMetrics,
    routes,
    responseTimeoutMs: 300,
  });
  const tls = await tlsFiles(temporaryFolder(), ca);
  const made = createApiServer({ host: '127.0.0.1', port: 0, tls, handler: application, ...options });
  await made.start();
  return made;
}

beforeAll(async () => {
  ca = await createCa();
  const issued = await ca.issue({ enrolmentId: 'reader-1', role: 'client' });
  client = { cert: issued.certificatePem, key: issued.privateKeyPem };
  log = captureLog();
  server = await start();
});
afterAll(async () => {
  await server.stop();
  removeFolders();
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Record<string, unknown>;
}

async function call(
  method: string,
  path: string,
  options: RequestOptions & { body?: string | Buffer } = {},
): Promise<Answer> {
  const { body, ...rest } = options;
  const outgoing = request({
    host: '127.0.0.1',
    port: server.port,
    servername: 'localhost',
    ca: ca.tlsRootCertPem,
    ...client,
    method,
    path,
    agent: false,
    ...rest,
  });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}

/** Unlike `once`, this does not mind an error before. */
function closed(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

const json = { 'content-type': 'application/json' };

test('a client of the organisation is served and known by its certificate', async () => {
  const answer = await call('GET', '/v1/who');
  expect(answer.body['certificate']).toBe(new X509Certificate(client.cert).raw.toString('hex'));
  expect(answer.headers).toMatchObject({ 'x-content-type-options': 'nosniff' });
  expect(answer.headers).not.toHaveProperty('x-powered-by');
});

test('without a certificate, or with one of another CA, there is no connection', async () => {
  await expect(call('GET', '/v1/who', { cert: undefined, key: undefined })).rejects.toThrow();
  const other = await (await createCa()).issue({ enrolmentId: 'reader-1', role: 'client' });
  await expect(call('GET', '/v1/who', { cert: other.certificatePem, key: other.privateKeyPem })).rejects.toThrow();
});

test('a refusal is problem+json with the stable code and the request id', async () => {
  const answer = await call('GET', '/v1/items/7', { headers: { 'x-request-id': 'abc-1' } });
  expect(answer.status).toBe(403);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(answer.body).toMatchObject({ code: 'refused', status: 403, requestId: 'abc-1' });
  expect(answer.headers['x-request-id']).toBe('abc-1');
});

test('the log names the route, never the ids in the address', async () => {
  await call('GET', '/v1/items/canary-91?token=canary-92');
  expect(log.text()).toContain('/v1/items/:id');
  expect(log.text()).not.toMatch(/canary-9/);
});

test('an unforeseen fault is a 500 without its text, and the process goes on', async () => {
  const answer = await call('GET', '/v1/fault');
  expect(answer).toMatchObject({ status: 500, body: { code: 'internal' } });
  expect(JSON.stringify(answer.body) + log.text()).not.toContain('canary-secret');
  expect((await call('GET', '/v1/who')).status).toBe(200);
});

test.each<[string, { headers: Readonly<Record<string, string>>; body: string | Buffer }, number, string]>([
  ['no JSON', { headers: json, body: '{"a":' }, 400, 'input-invalid'],
  ['two equal keys', { headers: json, body: '{"a":1,"a":2}' }, 400, 'input-invalid'],
  ['a number out of range', { headers: json, body: '{"a":1e400}' }, 400, 'input-invalid'],
  ['__proto__', { headers: json, body: '{"__proto__":{"x":1}}' }, 400, 'input-invalid'],
  ['another type', { headers: { 'content-type': 'text/plain' }, body: '{}' }, 415, 'input-invalid'],
  ['no type', { headers: {}, body: '{}' }, 415, 'input-invalid'],
  ['more than 1 MiB', { headers: json, body: `"${'x'.repeat(1024 * 1024)}"` }, 413, 'limit-exceeded'],
  ['compression', { headers: { ...json, 'content-encoding': 'gzip' }, body: gzipSync('{}') }, 415, 'input-invalid'],
])('a body with %s is refused by type', async (_name, options, status, code) => {
  expect(
    await call('POST', '/v1/echo', {
      body: options.body,
      headers: { ...options.headers, 'content-length': String(options.body.length) },
    }),
  ).toMatchObject({
    status,
    body: { code },
  });
});

test('a body in order is parsed', async () => {
  expect(await call('POST', '/v1/echo', { headers: json, body: '{"a":[1,"ä"]}' })).toMatchObject({
    status: 200,
    body: { a: [1, 'ä'] },
  });
});

test('an unknown address is a problem too', async () => {
  expect(await call('GET', '/nowhere')).toMatchObject({ status: 404, body: { code: 'unsupported' } });
});

test('an answer that takes too long is given up with 503', async () => {
  expect(await call('GET', '/v1/slow')).toMatchObject({ status: 503, body: { code: 'unavailable' } });
});

test('requests are counted by route', async () => {
  expect(await metrics.metrics()).toMatch(
    /waymark_http_request_duration_seconds_count\{.*route="\/v1\/items\/:id".*status="403".*\} \d/,
  );
});

test('a client that sends its headers slowly is cut off, and others are served meanwhile', async () => {
  const strict = await start({ headersTimeoutMs: 300, requestTimeoutMs: 600 });
  const socket = connectTls({
    host: '127.0.0.1',
    port: strict.port,
    servername: 'localhost',
    ca: ca.tlsRootCertPem,
    ...client,
  });
  await once(socket, 'secureConnect');
  socket.write('GET /v1/who HTTP/1.1\r\nHost: x\r\n');
  expect((await call('GET', '/v1/who', { port: strict.port })).status).toBe(200);
  socket.resume();
  await closed(socket);
  await strict.stop();
});

test('a client that sends its body slowly is cut off', async () => {
  const strict = await start({ headersTimeoutMs: 300, requestTimeoutMs: 600 });
  const socket = connectTls({
    host: '127.0.0.1',
    port: strict.port,
    servername: 'localhost',
    ca: ca.tlsRootCertPem,
    ...client,
  });
  await once(socket, 'secureConnect');
  socket.on('error', () => undefined);
  socket.write('POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{');
  socket.resume();
  await closed(socket);
  await strict.stop();
});

test('connections over the limit are not taken', async () => {
  const strict = await start({ maxConnections: 1 });
  const options = { host: '127.0.0.1', port: strict.port, servername: 'localhost', ca: ca.tlsRootCertPem, ...client };
  const first = connectTls(options);
  await once(first, 'secureConnect');
  const second = connectTls(options);
  second.on('error', () => undefined);
  await closed(second);
  first.destroy();
  await strict.stop();
});

test('a TLS file that is missing or no PEM is a configuration error', async () => {
  const tls = await tlsFiles(temporaryFolder(), ca);
  await expect(start({ tls: { ...tls, certificateFile: '/nonexistent.pem' } })).rejects.toMatchObject({
    code: 'configuration-invalid',
  });
  await expect(start({ tls: { ...tls, certificateFile: import.meta.filename } })).rejects.toMatchObject({
    code: 'configuration-invalid',
  });
  await expect(start({ tls: { ...tls, clientCaFiles: [] } })).rejects.toMatchObject({ code: 'configuration-invalid' });
});
