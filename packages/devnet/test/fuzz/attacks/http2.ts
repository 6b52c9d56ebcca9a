import { connect as connectTls, type TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import type { NodeConnection } from '@waymark/devnet';
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEADERS,
  PING,
  PREFACE,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
  callHeaders,
  frame,
  grpcMessage,
  headerBlock,
} from '../inputs/frames.ts';
import type { Random } from '../inputs/random.ts';
import { Reporter, type Report } from './report.ts';

const WAIT_MS = 300;
const EVALUATE = '/gateway.Gateway/Evaluate';

/** What is sent over a connection whose preface and settings were right. `size` says how much of it. */
type Http2Input = (random: Random, size: number) => Buffer[];

const repeat = (count: number, make: (index: number) => Buffer) => Array.from({ length: count }, (_, i) => make(i));
/** The stream ids that clients use. */
const id = (index: number) => 2 * index + 1;
const open = (index: number, path = EVALUATE, flags = END_HEADERS) =>
  frame(HEADERS, flags, id(index), callHeaders(path));
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};
const setting = (name: number, value: number) => Buffer.concat([Buffer.from([0, name]), u32(value)]);

const INPUTS: Readonly<Record<string, Http2Input>> = {
  'random frames': (random, size) =>
    repeat(size, () => frame(random.below(12), random.below(256), random.below(20), random.bytes(random.below(40)))),
  'frames with wrong lengths': (random, size) =>
    repeat(Math.min(size, 20), (i) => frame(random.below(10), 0, id(i), random.bytes(10), random.below(2 ** 24))),
  'rapid reset': (_random, size) => repeat(size, (i) => Buffer.concat([open(i), frame(RST_STREAM, 0, id(i), u32(8))])),
  'calls that say nothing': (_random, size) => repeat(size, (i) => open(i)),
  'calls that say nothing and end': (_random, size) => repeat(size, (i) => open(i, EVALUATE, END_HEADERS | END_STREAM)),
  'calls of no method': (random, size) =>
    repeat(size, (i) =>
      open(i, random.pick(['/x', '/', '', '/gateway.Gateway/None', `/${'y'.repeat(5000)}`]), END_HEADERS | END_STREAM),
    ),
  'PING flood': (_random, size) => repeat(size * 20, () => frame(PING, 0, 0, Buffer.alloc(8, 1))),
  'SETTINGS flood': (random, size) =>
    repeat(size * 5, () => frame(SETTINGS, 0, 0, setting(random.pick([1, 3, 4, 5, 6]), 65_535))),
  'hostile settings': () => [
    frame(SETTINGS, 0, 0, Buffer.concat([setting(1, 2 ** 32 - 1), setting(2, 7), setting(4, 2 ** 31), setting(5, 1)])),
  ],
  'settings of half a setting': () => [frame(SETTINGS, 0, 0, Buffer.alloc(5))],
  'window of nothing, then calls': (_random, size) => [
    frame(SETTINGS, 0, 0, setting(4, 0)),
    ...repeat(size, (i) => Buffer.concat([open(i), frame(DATA, END_STREAM, id(i), grpcMessage(Buffer.alloc(0)))])),
  ],
  'window overflow': () => [
    open(0),
    ...repeat(3, () => frame(WINDOW_UPDATE, 0, 0, u32(2 ** 31 - 1))),
    frame(WINDOW_UPDATE, 0, 1, u32(0)),
  ],
  'CONTINUATION flood': (_random, size) => [
    frame(HEADERS, 0, 1, callHeaders(EVALUATE)),
    ...repeat(size, () => frame(CONTINUATION, 0, 1, headerBlock([['x', 'y'.repeat(1000)]]))),
  ],
  'CONTINUATION of nothing': (_random, size) => [
    frame(HEADERS, 0, 1),
    ...repeat(size * 5, () => frame(CONTINUATION, 0, 1)),
  ],
  'CONTINUATION without a beginning': () => [frame(CONTINUATION, END_HEADERS, 1, callHeaders(EVALUATE))],
  'oversized headers': () => [frame(HEADERS, END_HEADERS, 1, callHeaders(EVALUATE, [['big', 'z'.repeat(15_000)]]))],
  'many headers': () => [
    frame(
      HEADERS,
      END_HEADERS,
      1,
      callHeaders(
        EVALUATE,
        repeat(1000, (i) => Buffer.from(`h${i}`)).map((name) => [name, 'v']),
      ),
    ),
  ],
  'HPACK noise': (random, size) => repeat(size, (i) => frame(HEADERS, END_HEADERS, id(i), random.bytes(60))),
  'HPACK table bomb': (_random, size) => {
    const entry = Buffer.concat([Buffer.from([0x40, 1, 0x61, 0x7f, 0x81, 0x1e]), Buffer.alloc(4000, 0x62)]);
    return [
      frame(HEADERS, END_HEADERS, 1, Buffer.concat([callHeaders(EVALUATE), entry])),
      ...repeat(size, (i) => frame(HEADERS, END_HEADERS, id(i + 1), Buffer.alloc(4000, 0xbe))),
    ];
  },
  'hostile header values': (_random, size) =>
    repeat(size, (i) =>
      frame(
        HEADERS,
        END_HEADERS,
        id(i),
        callHeaders(EVALUATE, [
          ['grpc-timeout', ['-1S', '99999999H', 'x', '0n', '1'.repeat(300)][i % 5] ?? ''],
          ['grpc-encoding', ['gzip', 'none', '__proto__'][i % 3] ?? ''],
          ['meta-bin', '!!!'],
        ]),
      ),
    ),
  'other content types': (_random, size) =>
    repeat(size, (i) =>
      frame(
        HEADERS,
        END_HEADERS | END_STREAM,
        id(i),
        headerBlock([
          [':method', 'GET'],
          [':scheme', 'https'],
          [':path', '/'],
          [':authority', 'x'],
        ]),
      ),
    ),
  'empty DATA flood': (_random, size) => [open(0), ...repeat(size * 20, () => frame(DATA, 0, 1))],
  'DATA of one byte each': (_random, size) => [
    open(0),
    frame(DATA, 0, 1, grpcMessage(Buffer.alloc(0), 100_000_000)),
    ...repeat(Math.min(size * 20, 60_000), () => frame(DATA, 0, 1, Buffer.of(7))),
  ],
  'padding only': (_random, size) => [
    open(0),
    ...repeat(size, () => frame(DATA, 8, 1, Buffer.concat([Buffer.of(200), Buffer.alloc(200)]))),
  ],
  'DATA without a call': () => [frame(DATA, 0, 5, Buffer.from('x'))],
  'DATA after the end': () => [open(0), frame(DATA, END_STREAM, 1), frame(DATA, 0, 1, Buffer.from('x'))],
  'message larger than the limit': () => [open(0), frame(DATA, 0, 1, grpcMessage(Buffer.from('x'), 2 ** 32 - 1))],
  'many messages in a unary call': (_random, size) => [
    open(0),
    ...repeat(size, () => frame(DATA, 0, 1, grpcMessage(Buffer.alloc(0)))),
  ],
  'empty messages packed tight': (_random, size) => [
    open(0, '/protos.Deliver/Deliver'),
    ...repeat(Math.min(4, size), () => frame(DATA, 0, 1, Buffer.alloc(16_000))),
  ],
  'compressed noise': (_random, size) =>
    repeat(Math.min(size, 50), (i) =>
      Buffer.concat([
        frame(
          HEADERS,
          END_HEADERS,
          id(i),
          callHeaders(EVALUATE, [['grpc-encoding', i % 2 === 0 ? 'gzip' : 'deflate']]),
        ),
        frame(DATA, END_STREAM, id(i), grpcMessage(Buffer.from('not gzip'), 8, 1)),
      ]),
    ),
  'gzip bomb': () => {
    const bomb = gzipSync(Buffer.alloc(12_000_000));
    return [
      frame(HEADERS, END_HEADERS, 1, callHeaders(EVALUATE, [['grpc-encoding', 'gzip']])),
      frame(DATA, END_STREAM, 1, grpcMessage(bomb, bomb.length, 1).subarray(0, 16_384)),
    ];
  },
  'compressed without saying how': () => [open(0), frame(DATA, END_STREAM, 1, grpcMessage(Buffer.from('x'), 1, 1))],
  'unknown compression': () => [
    frame(HEADERS, END_HEADERS, 1, callHeaders(EVALUATE, [['grpc-encoding', 'zstd']])),
    frame(DATA, END_STREAM, 1, grpcMessage(Buffer.from('x'), 1, 1)),
  ],
  'priority flood': (random, size) =>
    repeat(size * 10, () =>
      frame(PRIORITY, 0, id(random.below(1000)), Buffer.concat([u32(random.below(100)), Buffer.of(1)])),
    ),
  'priority of itself': () => [frame(PRIORITY, 0, 1, Buffer.concat([u32(1), Buffer.of(1)]))],
  'pushed by a client': () => [frame(PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([u32(2), callHeaders('/')]))],
  'GOAWAY, then calls': (_random, size) => [
    frame(GOAWAY, 0, 0, Buffer.concat([u32(0), u32(0)])),
    ...repeat(size, (i) => open(i)),
  ],
  'streams backwards': () => [open(9), open(3), open(1)],
  'even stream': () => [frame(HEADERS, END_HEADERS, 2, callHeaders(EVALUATE))],
  'RST of streams that are not there': (_random, size) => repeat(size, (i) => frame(RST_STREAM, 0, id(i), u32(8))),
  'frame of 16 MiB announced': () => [frame(DATA, 0, 1, Buffer.alloc(0), 0xff_ffff)],
};

export const HTTP2_INPUTS: readonly string[] = Object.keys(INPUTS);

/**
 * Every input for every port, `atOnce` connections at a time. The connection is not read by half of them, so that what the
 * port answers has nowhere to go.
 */
export async function attackHttp2(
  random: Random,
  nodes: readonly NodeConnection[],
  options: { readonly size: number; readonly inputs?: readonly string[]; readonly waitMs?: number },
): Promise<Report> {
  const reporter = new Reporter();
  const shots = nodes.flatMap((node) => (options.inputs ?? HTTP2_INPUTS).map((name) => ({ node, name })));
  let next = 0;
  const shoot = async () => {
    for (let shot = shots[next++]; shot !== undefined; shot = shots[next++]) {
      const source = random.fork(`${shot.name} ${shot.node.address}`);
      const frames = INPUTS[shot.name]?.(source, options.size) ?? [];
      reporter.sent(await send(shot.node, frames, source.chance(0.5), options.waitMs ?? WAIT_MS));
    }
  };
  await Promise.all(Array.from({ length: 12 }, shoot));
  return reporter.report;
}

export function connectHttp2(node: NodeConnection): TLSSocket {
  const [host = '', port = ''] = node.address.split(':');
  return connectTls({
    host,
    port: Number(port),
    ca: node.tlsRootCertPem,
    servername: node.name,
    checkServerIdentity: () => undefined,
    ALPNProtocols: ['h2'],
  });
}

function send(node: NodeConnection, frames: readonly Buffer[], reads: boolean, waitMs: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectHttp2(node);
    const done = (outcome: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    let timer = setTimeout(() => done('not connected'), 5_000);
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0), ...frames]), () => {
        timer = setTimeout(() => done('open'), waitMs);
      });
      timer = setTimeout(() => done('not taken'), 5_000);
    });
    socket.on('error', () => done('broken off'));
    socket.on('close', () => done('closed'));
    if (reads) socket.resume();
    else socket.pause();
  });
}
