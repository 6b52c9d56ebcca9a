import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import type { ControlPlace } from './control-file.ts';

const maxBodyBytes = 64 * 1024;

/** What a supervisor does when it is told to: by name, with a JSON argument and a JSON answer. */
export type ControlActions = Readonly<
  Record<string, (argument: unknown, say: (step: string) => void) => Promise<unknown>>
>;

/** A running control server. */
export interface ControlServer {
  readonly place: ControlPlace;
  close(): Promise<void>;
}

/**
 * Serves a supervisor's actions on loopback. An answer is a stream of JSON lines, `{step}` while it goes on and at the end `{result}` or
 * `{code, message}`, so that whoever waits sees what happens.
 */
export async function startControlServer(actions: ControlActions): Promise<ControlServer> {
  const token = randomBytes(32).toString('base64url');
  const server = createServer((request, response) => {
    void answer(actions, token, request, response);
  });
  server.requestTimeout = 10_000;
  server.maxConnections = 32;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new WaymarkError('internal', 'no port to listen on');
  return {
    place: { pid: process.pid, port: address.port, token },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(
  actions: ControlActions,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const line = (value: object): void => void response.write(`${JSON.stringify(value)}\n`);
  try {
    if (!isAuthorized(request, token)) {
      response.writeHead(401).end();
      return;
    }
    const name = (request.url ?? '').slice(1);
    const action = request.method === 'POST' && Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) {
      response.writeHead(404).end();
      return;
    }
    const argument = parsed(await bodyOf(request));
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    line({ result: (await action(argument, (step) => line({ step }))) ?? null });
  } catch (error) {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const known = isWaymarkError(error);
    const message = error instanceof Error ? error.message : String(error);
    line({ code: known ? error.code : 'internal', message });
  } finally {
    response.end();
  }
}

function isAuthorized(request: IncomingMessage, token: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? '');
  const expected = Buffer.from(`Bearer ${token}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBodyBytes) throw new WaymarkError('limit-exceeded', 'the argument is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new WaymarkError('input-invalid', 'the argument is no JSON', { cause });
  }
}
