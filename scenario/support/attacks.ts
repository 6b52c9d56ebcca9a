import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Identity } from './running-consortium.ts';

/** Where something listens, and how it is reached. */
export interface Listener {
  readonly name: string;
  readonly port: number;
  readonly kind: 'grpc' | 'https' | 'http' | 'chaincode';
  /** Undefined: no TLS. */
  readonly tlsRootPem: string | undefined;
  /** Shown to listeners that ask for a certificate. */
  readonly identity: Identity | undefined;
}

const patienceMs = 30_000;

/** Sends bytes that are no protocol at all; resolves when the other side has closed, or has taken them and says nothing for a moment. */
export async function sendGarbage({ port }: Listener, garbage = randomBytes(64 * 1024)): Promise<void> {
  const socket = connectTcp({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  socket.setTimeout(500, () => socket.destroy());
  socket.write(garbage);
  socket.resume();
  await closed(socket);
}

/** A plain HTTP/1.1 request to a listener that speaks something else. Returns what came back. */
export async function sendHttp1(listener: Listener): Promise<string> {
  const socket = await openTls(listener, ['http/1.1']);
  if (socket === undefined) return '';
  socket.setTimeout(5_000, () => socket.destroy());
  return talk(socket, 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
}

/** Bytes over TLS; resolves with everything the other side said until it closed. */
export async function sendOverTls(listener: Listener, ...pieces: (string | Buffer)[]): Promise<string> {
  const socket = await openTls(listener, listener.kind === 'https' ? ['http/1.1'] : ['h2']);
  if (socket === undefined) throw new Error(`${listener.name}: no TLS connection`);
  socket.setTimeout(patienceMs, () => socket.destroy());
  return talk(socket, ...pieces);
}

/** The first answer to a request over TLS, and after how many milliseconds it was there; the connection is left to itself then. */
export async function firstAnswer(
  listener: Listener,
  ...pieces: (string | Buffer)[]
): Promise<{ text: string; afterMs: number }> {
  const socket = await openTls(listener, ['http/1.1']);
  if (socket === undefined) throw new Error(`${listener.name}: no TLS connection`);
  const startMs = performance.now();
  socket.setTimeout(patienceMs, () => socket.destroy());
  let text = '';
  const answered = new Promise<void>((resolve) => {
    socket.once('close', resolve);
    socket.on('data', (piece: Buffer) => {
      text += piece.toString('latin1');
      const [head = '', body] = text.split('\r\n\r\n');
      const length = /^content-length: ([0-9]+)/im.exec(head)?.[1];
      if (body !== undefined && length !== undefined && body.length >= Number(length)) resolve();
    });
  });
  for (const piece of pieces) if (!socket.destroyed) socket.write(piece);
  await answered;
  socket.destroy();
  return { text, afterMs: performance.now() - startMs };
}

/** Opens a TLS connection; undefined when the other side refuses. */
export async function openTls(
  { port, tlsRootPem, identity }: Listener,
  protocols: string[],
): Promise<TLSSocket | undefined> {
  const socket = connectTls({
    host: '127.0.0.1',
    port,
    ...(tlsRootPem === undefined ? {} : { ca: tlsRootPem }),
    ...(identity === undefined ? {} : { cert: identity.certificatePem, key: identity.privateKeyPem }),
    ALPNProtocols: protocols,
    checkServerIdentity: () => undefined,
  });
  socket.on('error', () => undefined);
  await Promise.race([once(socket, 'secureConnect'), once(socket, 'close')]).catch(() => undefined);
  return socket.destroyed ? undefined : socket;
}

/** Opens TCP connections that say nothing. */
export async function openIdle(port: number, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connectTcp({ host: '127.0.0.1', port }));
  await Promise.all(
    sockets.map(async (socket) => {
      socket.on('error', () => undefined);
      socket.resume();
      await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
    }),
  );
  return sockets;
}

/** How a gRPC call ended. */
export interface GrpcEnd {
  /** gRPC status code; -1 when the stream was cut without one. */
  readonly status: number;
  readonly message: string;
}

/** Calls a gRPC method with bytes as they are: a frame of its own making, right or wrong. */
export async function callRaw(listener: Listener, path: string, body: Buffer): Promise<GrpcEnd> {
  const session = connectHttp2(
    `${listener.tlsRootPem === undefined ? 'http' : 'https'}://127.0.0.1:${String(listener.port)}`,
    {
      ...(listener.tlsRootPem === undefined ? {} : { ca: listener.tlsRootPem }),
      ...(listener.identity === undefined
        ? {}
        : { cert: listener.identity.certificatePem, key: listener.identity.privateKeyPem }),
      checkServerIdentity: () => undefined,
    },
  );
  session.on('error', () => undefined);
  const end: { status: number; message: string } = { status: -1, message: '' };
  try {
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: path,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [constants.HTTP2_HEADER_TE]: 'trailers',
    });
    const note = (headers: Record<string, unknown>): void => {
      if (headers['grpc-status'] !== undefined) end.status = Number(headers['grpc-status']);
      if (typeof headers['grpc-message'] === 'string') end.message = decodeURIComponent(headers['grpc-message']);
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('error', () => undefined);
    stream.setTimeout(patienceMs, () => stream.destroy());
    stream.resume();
    stream.end(body);
    await new Promise((resolve) => stream.once('close', resolve));
  } finally {
    session.destroy();
  }
  return end;
}

/** One gRPC message in its frame. */
export function framed(message: Uint8Array, announcedBytes = message.length): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(announcedBytes, 1);
  return Buffer.concat([header, message]);
}

async function talk(socket: Socket, ...pieces: (string | Buffer)[]): Promise<string> {
  const said: Buffer[] = [];
  socket.on('data', (piece: Buffer) => said.push(piece));
  for (const piece of pieces) if (!socket.destroyed) socket.write(piece);
  await closed(socket);
  return Buffer.concat(said).toString('latin1');
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.destroyed) await once(socket, 'close').catch(() => undefined);
}
