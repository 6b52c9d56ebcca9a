import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import type { ServiceError } from '@grpc/grpc-js';
import type { NodeConnection } from '@waymark/devnet';
import { DATA, END_HEADERS, HEADERS, PREFACE, SETTINGS, callHeaders, frame, grpcMessage } from '../inputs/frames.ts';
import type { Random } from '../inputs/random.ts';
import { createRawClient, type RawClient } from '../inputs/raw-client.ts';
import type { SeedMaker } from '../inputs/seeds.ts';
import { BROADCAST, CHAINCODE_EVENTS, DELIVER, EVALUATE, type Method } from '../inputs/services.ts';
import { judge } from '../rules.ts';
import { connectHttp2 } from './http2.ts';
import { Reporter, type Report } from './report.ts';

/** SETTINGS_INITIAL_WINDOW_SIZE = 0. */
const NO_WINDOW = Buffer.from([0, 4, 0, 0, 0, 0]);
const FULL_MESSAGE_BYTES = 100 * 1024 * 1024;

export interface PressureAttack {
  readonly random: Random;
  readonly seeds: SeedMaker;
  readonly peer: NodeConnection;
  readonly orderer: NodeConnection;
}

/** Streams of blocks that are asked for from the beginning and never read. Resolves with what ends them. */
export async function openUnread(attack: PressureAttack, method: Method, count: number): Promise<() => void> {
  const sockets: TLSSocket[] = [];
  const perConnection = 100;
  for (let opened = 0; opened < count; opened += perConnection) {
    const socket = connectHttp2(method === DELIVER || method === CHAINCODE_EVENTS ? attack.peer : attack.orderer);
    socket.on('error', () => undefined);
    sockets.push(socket);
    await new Promise<void>((resolve) => socket.once('secureConnect', resolve));
    socket.pause();
    socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0)]));
    for (let i = 0; i < Math.min(perConnection, count - opened); i++) {
      const seed = attack.seeds.fromTheBeginning(method);
      const request = grpcMessage(seed.wrap(seed.signed, seed.signer.sign(seed.signed)));
      socket.write(
        Buffer.concat([
          frame(HEADERS, END_HEADERS, 2 * i + 1, callHeaders(method.path)),
          frame(DATA, 0, 2 * i + 1, request),
        ]),
      );
    }
  }
  return () => sockets.forEach((socket) => socket.destroy());
}

/** Right envelopes without end, on a stream that has no room for a single answer. */
export async function floodBroadcast(attack: PressureAttack, count: number): Promise<Report> {
  const reporter = new Reporter();
  const socket = connectHttp2(attack.orderer);
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.once('secureConnect', resolve));
  socket.pause();
  socket.write(
    Buffer.concat([
      PREFACE,
      frame(SETTINGS, 0, 0, NO_WINDOW),
      frame(HEADERS, END_HEADERS, 1, callHeaders(BROADCAST.path)),
    ]),
  );
  const seed = attack.seeds.make(attack.random, BROADCAST);
  const message = grpcMessage(seed.wrap(seed.signed, seed.signer.sign(seed.signed)));
  for (let i = 0; i < count; i++) {
    socket.write(frame(DATA, 0, 1, message));
    reporter.sent('sent');
    if (i % 200 === 0) await sleep(1);
  }
  await sleep(300);
  socket.destroy();
  return reporter.report;
}

/**
 * More calls at once than the service takes, all of a kind that waits. Resolves with the texts of the first `surplus` that are
 * refused, when they are; then gives up the others.
 */
export async function crowd(
  attack: PressureAttack,
  method: Method,
  count: number,
  surplus: number,
): Promise<readonly string[]> {
  const clients = Array.from({ length: 4 }, () => createRawClient(attack.peer));
  const calls = Array.from({ length: count }, (_, index) => {
    const seed = attack.seeds.make(attack.random, method);
    const call = (clients[index % clients.length] ?? createRawClient(attack.peer)).open(method.path);
    call.on('data', () => undefined);
    call.write(Buffer.from(seed.wrap(seed.signed, seed.signer.sign(seed.signed))));
    call.end();
    return call;
  });
  const refused: string[] = [];
  await new Promise<void>((resolve) => {
    for (const call of calls) {
      call.on('error', (error: ServiceError) => {
        refused.push(`${error.code} ${error.details}`);
        if (refused.length === surplus) resolve();
      });
    }
  });
  const texts = refused.slice();
  for (const call of calls) call.cancel();
  for (const client of clients) client.close();
  return texts;
}

/** Calls that are given up as soon as they are made. */
export async function giveUp(attack: PressureAttack, count: number): Promise<Report> {
  const reporter = new Reporter();
  const client = createRawClient(attack.peer);
  for (let i = 0; i < count; i++) {
    const seed = attack.seeds.make(attack.random, EVALUATE);
    const call = client.open(EVALUATE.path);
    call.on('error', () => undefined);
    call.on('data', () => undefined);
    call.write(Buffer.from(seed.wrap(seed.signed, seed.signer.sign(seed.signed))));
    call.end();
    if (i % 3 === 0) call.cancel();
    else setTimeout(() => call.cancel(), attack.random.below(20));
    reporter.sent('given up');
    if (i % 100 === 0) await sleep(5);
  }
  await sleep(100);
  client.close();
  return reporter.report;
}

/** Messages at the limit of gRPC, one byte over it, and announced but never finished. */
export async function sendLarge(client: RawClient, sizesBytes: readonly number[]): Promise<Report> {
  const reporter = new Reporter();
  for (const sizeBytes of sizesBytes) {
    const outcome = await client.unary(EVALUATE.path, Buffer.alloc(sizeBytes), 20_000);
    reporter.sent(outcome.code);
    const reason = judge(EVALUATE, outcome);
    if (reason !== undefined) reporter.violation(`${reason}\n  after ${sizeBytes} bytes`);
    if (sizeBytes > FULL_MESSAGE_BYTES && outcome.code !== 8)
      reporter.violation(`${sizeBytes} bytes gave ${outcome.code}`);
  }
  return reporter.report;
}

/** Large messages that never become whole. The result ends them. */
export async function holdBack(attack: PressureAttack, count: number, sizeBytes: number): Promise<() => void> {
  const client = createRawClient(attack.peer);
  const sockets: TLSSocket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = connectHttp2(attack.peer);
    sockets.push(socket);
    socket.on('error', () => undefined);
    await new Promise<void>((resolve) => socket.once('secureConnect', resolve));
    // The answers are read: window updates come with them, and are not needed to fill what is open from the start.
    socket.resume();
    socket.write(
      Buffer.concat([
        PREFACE,
        frame(SETTINGS, 0, 0),
        frame(HEADERS, END_HEADERS, 1, callHeaders(EVALUATE.path)),
        frame(DATA, 0, 1, grpcMessage(Buffer.alloc(0), FULL_MESSAGE_BYTES)),
      ]),
    );
    const chunk = Buffer.concat([...Array.from({ length: 64 }, () => frame(DATA, 0, 1, Buffer.alloc(16_384)))]);
    for (let sent = 0; sent < sizeBytes && !socket.destroyed; sent += 64 * 16_384) {
      if (!socket.write(chunk))
        await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), sleep(200)]);
    }
  }
  client.close();
  return () => sockets.forEach((socket) => socket.destroy());
}

/** Connections that do nothing at all, or nothing after TLS. The result says how many are open, and ends them. */
export async function openIdle(node: NodeConnection, count: number): Promise<{ open: () => number; end: () => void }> {
  const sockets = Array.from({ length: count }, () => connectHttp2(node));
  for (const socket of sockets) {
    socket.on('error', () => undefined);
    socket.on('secureConnect', () => socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0)])));
    socket.resume();
  }
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve) => {
          socket.once('secureConnect', () => resolve());
          socket.once('close', () => resolve());
        }),
    ),
  );
  return {
    open: () => sockets.filter((socket) => !socket.destroyed).length,
    end: () => sockets.forEach((socket) => socket.destroy()),
  };
}
