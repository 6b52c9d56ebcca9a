import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { isListening } from '@waymark/fabric-nodes';
import { WaymarkError } from '@waymark/protocol';

/**
 * Ports are taken from here: below what any system gives to outgoing connections (Linux starts at 32768, others at 49152). A process that is
 * started again must find its port free, and a client that keeps dialling it must not have taken it for its own end meanwhile.
 */
const lowest = 20_000;
const highest = 32_000;
const maxAttempts = 1_000;
/**
 * Each process draws from a part of its own first: while a node is being started again its port is free, and somebody else who plans a network must not take
 * it meanwhile.
 */
const partSize = 240;
const ownLowest = lowest + (process.pid % Math.floor((highest - lowest) / partSize)) * partSize;

/**
 * Free TCP ports on loopback; held together until all are found, so that they are different ones.
 *
 * @param promised not these, even if nobody listens there at the moment
 * @throws WaymarkError unavailable when there are not enough
 */
export async function freePorts(count: number, promised: ReadonlySet<number> = new Set()): Promise<number[]> {
  const held = new Map<number, Server>();
  try {
    for (let attempt = 0; held.size < count; attempt += 1) {
      if (attempt === maxAttempts + count) throw new WaymarkError('unavailable', `no ${String(count)} free ports`);
      const isOwnPart = attempt < maxAttempts / 2;
      const port = isOwnPart ? randomInt(ownLowest, ownLowest + partSize) : randomInt(lowest, highest);
      const server = held.has(port) || promised.has(port) ? undefined : await tryToListen(port);
      if (server !== undefined) held.set(port, server);
    }
    return [...held.keys()];
  } finally {
    await Promise.all([...held.values()].map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

function tryToListen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

const listenTimeoutMs = 30_000;
const pollMs = 50;

/**
 * Waits until somebody listens on a port of this machine.
 *
 * @param stillComing throws when nobody will any more
 * @throws WaymarkError unavailable after 30 s
 */
export async function untilListening(port: number, stillComing: () => void = () => undefined): Promise<void> {
  const deadline = Date.now() + listenTimeoutMs;
  while (Date.now() < deadline) {
    stillComing();
    if (await isListening(port)) return;
    await delay(pollMs);
  }
  throw new WaymarkError('unavailable', `nothing listens on port ${port}`, { details: { port } });
}
