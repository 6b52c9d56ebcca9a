import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { NodeConnection } from '@waymark/devnet';
import type { Random } from '../inputs/random.ts';
import { Reporter, type Report } from './report.ts';

const WAIT_MS = 400;

/** Something to say to a port before, in or after the TLS handshake. */
type TlsInput = (random: Random, node: NodeConnection) => Promise<string>;

const INPUTS: Readonly<Record<string, TlsInput>> = {
  nothing: (_random, node) => say(node, []),
  noise: (random, node) => say(node, [random.bytes(1 + random.below(2000))]),
  'plain HTTP/1.1': (_random, node) => say(node, [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')]),
  'plain HTTP/2': (_random, node) => say(node, [Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0')]),
  'cut hello': (random, node) => {
    const hello = clientHello(random);
    return say(node, [hello.subarray(0, 1 + random.below(hello.length - 1))]);
  },
  'hello byte by byte': (random, node) =>
    say(
      node,
      [...clientHello(random)].map((byte) => Buffer.of(byte)),
    ),
  'flipped hello': (random, node) => {
    const hello = clientHello(random);
    for (let i = 1 + random.below(8); i > 0; i--) hello[random.below(hello.length)] = random.below(256);
    return say(node, [hello]);
  },
  'hello with huge lengths': (_random, node) =>
    say(node, [Buffer.concat([Buffer.from([22, 3, 1, 0xff, 0xff, 1, 0xff, 0xff, 0xff]), Buffer.alloc(70_000, 3)])]),
  'records of nothing': (_random, node) =>
    say(node, [Buffer.concat(Array.from({ length: 2000 }, () => Buffer.from([22, 3, 1, 0, 0])))]),
  alerts: (_random, node) =>
    say(node, [Buffer.concat(Array.from({ length: 500 }, () => Buffer.from([21, 3, 3, 0, 2, 1, 0])))]),
  'reset at once': (_random, node) =>
    new Promise((resolve) => {
      const socket = connectTo(node, () => {
        socket.resetAndDestroy();
        resolve('reset');
      });
      socket.on('error', () => resolve('error'));
    }),
  'TLS 1.0': (_random, node) =>
    shake(node, { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }),
  'TLS 1.1': (_random, node) =>
    shake(node, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
  'ALPN http/1.1': (_random, node) => shake(node, { ALPNProtocols: ['http/1.1'] }),
  'ALPN of nobody': (random, node) => shake(node, { ALPNProtocols: [random.bytes(20).toString('hex')] }),
  'no ALPN, HTTP/1.1 inside': (_random, node) =>
    shake(node, { ALPNProtocols: [] }, Buffer.from('GET / HTTP/1.1\r\n\r\n')),
  'h2, noise inside': (random, node) => shake(node, { ALPNProtocols: ['h2'] }, random.bytes(500)),
  'h2, silence inside': (_random, node) => shake(node, { ALPNProtocols: ['h2'] }),
  'half closed after the handshake': (_random, node) => shake(node, { ALPNProtocols: ['h2'] }, undefined, true),
};

export const TLS_INPUTS: readonly string[] = Object.keys(INPUTS);

/** Every input once for every port, in parallel; what matters is that the process stays whole. */
export async function attackTls(random: Random, nodes: readonly NodeConnection[]): Promise<Report> {
  const reporter = new Reporter();
  await Promise.all(
    nodes.flatMap((node, index) =>
      TLS_INPUTS.map(async (name) => {
        const outcome = (await INPUTS[name]?.(random.fork(`${name} ${index}`), node)) ?? '';
        reporter.sent(outcome);
        if (name.startsWith('TLS 1.') && outcome === 'secure') reporter.violation(`${node.address} spoke ${name}`);
      }),
    ),
  );
  return reporter.report;
}

function connectTo(node: NodeConnection, connected: () => void): Socket {
  const [host = '', port = ''] = node.address.split(':');
  return connectTcp(Number(port), host, connected);
}

/** Says it and listens for a moment, or until the port hangs up. */
function say(node: NodeConnection, chunks: readonly Buffer[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTo(node, () => {
      socket.setNoDelay();
      for (const chunk of chunks) socket.write(chunk);
    });
    const done = (outcome: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => done('open'), WAIT_MS);
    socket.on('error', () => done('error'));
    socket.on('close', () => done('closed'));
    socket.resume();
  });
}

function shake(node: NodeConnection, options: ConnectionOptions, inside?: Buffer, halfClose = false): Promise<string> {
  const [host = '', port = ''] = node.address.split(':');
  return new Promise((resolve) => {
    const socket = connectTls(
      {
        host,
        port: Number(port),
        ca: node.tlsRootCertPem,
        servername: node.name,
        checkServerIdentity: () => undefined,
        ...options,
      },
      () => {
        if (inside !== undefined) socket.write(inside);
        if (halfClose) socket.end();
        timer = setTimeout(() => done('secure'), WAIT_MS);
      },
    );
    let timer = setTimeout(() => done('open'), WAIT_MS * 4);
    const done = (outcome: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    socket.on('error', () => done('refused'));
    socket.on('close', () => done('closed'));
    socket.resume();
  });
}

/** A small TLS 1.2 hello that a server would go on with. */
function clientHello(random: Random): Buffer {
  const ciphers = Buffer.from([0x00, 0x04, 0xc0, 0x2b, 0xc0, 0x2f]);
  const groups = Buffer.from([0x00, 0x0a, 0x00, 0x04, 0x00, 0x02, 0x00, 0x17]);
  const signatures = Buffer.from([0x00, 0x0d, 0x00, 0x04, 0x00, 0x02, 0x04, 0x03]);
  const extensions = Buffer.concat([groups, signatures]);
  const body = Buffer.concat([
    Buffer.from([0x03, 0x03]),
    random.bytes(32),
    Buffer.from([0x00]),
    ciphers,
    Buffer.from([0x01, 0x00, 0x00, extensions.length]),
    extensions,
  ]);
  const handshake = Buffer.concat([Buffer.from([0x01, 0x00, 0x00, body.length]), body]);
  return Buffer.concat([Buffer.from([0x16, 0x03, 0x01, 0x00, handshake.length]), handshake]);
}
