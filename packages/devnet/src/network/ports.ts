import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { DevnetError, codeOf, messageOf } from '../errors.ts';
import type { Topology } from './topology.ts';

/** Linux gives outgoing connections ports from 32768 on, others from 49152. */
const FIRST_PORT = 15_000;
const LAST_PORT = 32_000;
const MAX_ATTEMPTS = 1_000;

/** Replaces the ports that are 0 by free ones. */
export async function assignPorts(topology: Topology): Promise<Topology> {
  const needed = [topology.orderer, ...topology.organisations.flatMap(({ peers }) => peers)].map(({ port }) => port);
  const count = needed.filter((port) => port === 0).length;
  const free = await freePorts(topology.host, count, new Set(needed));
  const assign = <T extends { readonly port: number }>(node: T): T =>
    node.port === 0 ? { ...node, port: free.shift() ?? 0 } : node;
  const result = {
    ...topology,
    orderer: assign(topology.orderer),
    organisations: topology.organisations.map((organisation) => ({
      ...organisation,
      peers: organisation.peers.map(assign),
    })),
  };
  const ports = [result.orderer, ...result.organisations.flatMap(({ peers }) => peers)].map(({ port }) => port);
  if (new Set(ports).size !== ports.length) throw new DevnetError('OPTIONS_INVALID', 'ports must be distinct');
  return result;
}

/**
 * Ports that nobody listens on; all are held at once so that they differ. They are chosen from the range that no system gives
 * to outgoing connections, so that a network that was killed finds its ports free.
 */
async function freePorts(host: string, count: number, taken: ReadonlySet<number>): Promise<number[]> {
  const servers: Server[] = [];
  const ports: number[] = [];
  try {
    for (let attempt = 0; ports.length < count; attempt++) {
      const port = randomInt(FIRST_PORT, LAST_PORT + 1);
      if (taken.has(port)) continue;
      try {
        servers.push(await listen(host, port));
        ports.push(port);
      } catch (cause) {
        if (codeOf(cause) === 'EADDRINUSE' && attempt < MAX_ATTEMPTS) continue;
        throw new DevnetError('ADDRESS_IN_USE', `cannot listen on ${host}: ${messageOf(cause)}`, { cause });
      }
    }
    return ports;
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

function listen(host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}
