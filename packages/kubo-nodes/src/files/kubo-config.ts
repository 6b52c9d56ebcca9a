import type { SwarmPeer } from '../plan.ts';
import type { PeerIdentity } from '../swarm/identity.ts';

/** What differs from one daemon of a private swarm to another. */
export interface KuboConfigParts {
  readonly identity: PeerIdentity;
  /** Bearer token of the RPC API. */
  readonly apiSecret: string;
  /** Multiaddresses to listen on. */
  readonly listen: { readonly swarm: string; readonly api: string; readonly gateway?: string | undefined };
  /** Multiaddress told to other members. */
  readonly announce: string;
  readonly peers: readonly SwarmPeer[];
  readonly storageMaxBytes: number;
}

/**
 * kubo's configuration for a member of a private swarm. Nothing leaves the swarm: no bootstrap peers, no DHT or delegated
 * routing, no mDNS, no relays, no address discovery or port mapping, no AutoConf, AutoTLS, version check or telemetry.
 * Members find blocks by asking the members they are peered with. Only TCP carries a pre-shared key. Every write is
 * synced, every read is hashed, and a put writes over what is there, which is what repairs a damaged block.
 */
export function kuboConfig(parts: KuboConfigParts): Readonly<Record<string, unknown>> {
  return {
    Identity: { PeerID: parts.identity.peerId, PrivKey: parts.identity.privateKey },
    Addresses: {
      Swarm: [parts.listen.swarm],
      Announce: [parts.announce],
      AppendAnnounce: [],
      NoAnnounce: [],
      API: parts.listen.api,
      Gateway: parts.listen.gateway ?? [],
    },
    API: {
      HTTPHeaders: {},
      Authorizations: { waymark: { AuthSecret: `bearer:${parts.apiSecret}`, AllowedPaths: ['/api/v0'] } },
    },
    Peering: { Peers: peeringOf(parts.peers) },
    Datastore: datastore(parts.storageMaxBytes),
    ...nothingLeavesTheSwarm,
    ...little,
  };
}

/** The form of `Peering.Peers`; addresses of one peer stand together. */
export function peeringOf(peers: readonly SwarmPeer[]): { readonly ID: string; readonly Addrs: readonly string[] }[] {
  const addresses = new Map<string, Set<string>>();
  for (const { peerId, address } of peers) {
    addresses.set(peerId, (addresses.get(peerId) ?? new Set()).add(address));
  }
  return [...addresses].map(([ID, found]) => ({ ID, Addrs: [...found] }));
}

function datastore(storageMaxBytes: number): unknown {
  return {
    StorageMax: `${storageMaxBytes}B`,
    StorageGCWatermark: 90,
    GCPeriod: '1h', // collection itself is switched on by a flag of the daemon, which is not given
    HashOnRead: true,
    WriteThrough: true,
    BloomFilterSize: 0,
    BlockKeyCacheSize: 0, // a cache of what is there would hide blocks that were lost behind kubo's back
    Spec: {
      type: 'mount',
      mounts: [
        {
          mountpoint: '/blocks',
          type: 'flatfs',
          path: 'blocks',
          prefix: 'flatfs.datastore',
          shardFunc: '/repo/flatfs/shard/v1/next-to-last/2',
          sync: true,
        },
        { mountpoint: '/', type: 'levelds', path: 'datastore', prefix: 'leveldb.datastore', compression: 'none' },
      ],
    },
  };
}

const nothingLeavesTheSwarm = {
  Bootstrap: [],
  Routing: { Type: 'none', DelegatedRouters: [], Methods: {} },
  Ipns: { DelegatedPublishers: [], UsePubsub: false },
  Provide: { Enabled: false, DHT: { Interval: '0' } },
  Import: { FastProvideRoot: false, FastProvideDAG: false, FastProvideWait: false },
  Discovery: { MDNS: { Enabled: false } },
  AutoConf: { Enabled: false },
  AutoTLS: { Enabled: false },
  AutoNAT: { ServiceMode: 'disabled' },
  DNS: { Resolvers: {} },
  HTTPRetrieval: { Enabled: false },
  Gateway: { NoFetch: true, NoDNSLink: true, DeserializedResponses: false, ExposeRoutingAPI: false },
  Version: { SwarmCheckEnabled: false },
  Plugins: { Plugins: { telemetry: { Disabled: true, Config: { Mode: 'off' } } } },
  Pubsub: { Enabled: false },
  Swarm: {
    AddrFilters: null,
    DisableNatPortMap: true,
    EnableHolePunching: false,
    RelayClient: { Enabled: false },
    RelayService: { Enabled: false },
    Transports: {
      Network: { TCP: true, QUIC: false, WebTransport: false, WebRTCDirect: false, Websocket: false, Relay: false },
      Security: {},
      Multiplexers: {},
    },
    DisableBandwidthMetrics: true,
    ConnMgr: { Type: 'basic', LowWater: 64, HighWater: 128, GracePeriod: '30s' },
    ResourceMgr: {},
  },
};

const little = {
  Mounts: { IPFS: '/ipfs', IPNS: '/ipns', MFS: '/mfs' },
  Experimental: {},
  Internal: { ShutdownTimeout: '15s', Bitswap: { BroadcastControl: { Enable: false } } },
};
