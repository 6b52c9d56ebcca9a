import { createServer, type Server } from 'node:net';
import { DevnetError } from '../errors.ts';
import type { Topology } from './topology.ts';

/** Replaces the ports that are 0 by free ones. */
export async function assignPorts(topology: Topology): Promise<Topology> {
  const needed = [topology.orderer, ...topology.organisations.flatMap(({ peers }) => peers)];
  const free = await freePorts(topology.host, needed.filter(({ port }) => port === 0).length);
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

/** Ports that nobody listens on; all are held at once so that they differ. */
async function freePorts(host: string, count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(host)));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function listen(host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (cause) => {
      reject(new DevnetError('ADDRESS_IN_USE', `cannot listen on ${host}: ${cause.message}`, { cause }));
    });
    server.listen(0, host, () => resolve(server));
  });
}
