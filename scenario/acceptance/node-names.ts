import type { Consortium } from '@waymark/network';

/** Names of the processes of a consortium, by what each is. */
export interface NodeNames {
  /** Everything that makes up the channel, chaincodes aside: one process on devnet. */
  readonly channel: readonly string[];
  /** Empty on devnet. */
  readonly orderers: readonly string[];
  /** By MSP id, the leader peer first; empty on devnet. */
  readonly peers: ReadonlyMap<string, readonly string[]>;
  readonly chaincodes: readonly string[];
  /** IPFS nodes by MSP id; empty where content stores are embedded in the centers. */
  readonly kubos: ReadonlyMap<string, string>;
  readonly services: readonly string[];
  /** By MSP id. */
  readonly centers: ReadonlyMap<string, string>;
  readonly outlets: ReadonlyMap<string, string>;
}

/** Finds out what each process of a consortium is: a peer's process is named after its host. */
export function nodeNames({ topology, channel, content, services }: Consortium): NodeNames {
  const running = channel.nodes.map(({ name }) => name);
  const hosts = new Map(
    topology.organisations.map(({ mspId, leaderPeer }) => {
      const own = channel.peers.filter((peer) => peer.mspId === mspId);
      const ordered = own.sort((a, b) => Number(b.name === leaderPeer) - Number(a.name === leaderPeer));
      return [mspId, ordered.map(({ hostName }) => hostName).filter((host) => running.includes(host))];
    }),
  );
  const peers = [...hosts.values()].flat();
  const separate = peers.length > 0;
  const serviceOf = (kind: 'center' | 'outlet'): Map<string, string> =>
    new Map(
      services
        .filter((service) => service.kind === kind)
        .reverse() // an organisation with several outlets is reached through its first
        .map(({ organisation, process }) => [organisation.mspId, process.name]),
    );
  return {
    channel: running,
    orderers: separate ? running.filter((name) => !peers.includes(name)) : [],
    peers: hosts,
    chaincodes: channel.chaincodes.map(({ name }) => name),
    kubos: new Map(
      topology.organisations.flatMap(({ mspId, domain }) => {
        const kubo = content.nodes.find(({ name }) => name.endsWith(`.${domain}`));
        return kubo === undefined ? [] : [[mspId, kubo.name] as const];
      }),
    ),
    services: services.map(({ process }) => process.name),
    centers: serviceOf('center'),
    outlets: serviceOf('outlet'),
  };
}
