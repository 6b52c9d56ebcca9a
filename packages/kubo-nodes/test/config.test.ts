import { kuboConfig } from '@waymark/kubo-nodes';

const parts = {
  identity: { peerId: '12D3KooWself', privateKey: 'cHJpdmF0ZQ==' },
  apiSecret: 'opens-the-api',
  listen: { swarm: '/ip4/127.0.0.1/tcp/4001', api: '/ip4/127.0.0.1/tcp/5001' },
  announce: '/dns4/ipfs.leader.example/tcp/4001',
  peers: [],
  storageMaxBytes: 5_000_000,
};

function setting(path: string, config: unknown = kuboConfig(parts)): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>> | undefined)?.[key], config);
}

test.each<[string, unknown]>([
  ['Bootstrap', []],
  ['Routing.Type', 'none'],
  ['Routing.DelegatedRouters', []],
  ['Ipns.DelegatedPublishers', []],
  ['Provide.Enabled', false],
  ['Import.FastProvideRoot', false],
  ['Import.FastProvideDAG', false],
  ['Discovery.MDNS.Enabled', false],
  ['AutoConf.Enabled', false],
  ['AutoTLS.Enabled', false],
  ['AutoNAT.ServiceMode', 'disabled'],
  ['HTTPRetrieval.Enabled', false],
  ['Version.SwarmCheckEnabled', false],
  ['Plugins.Plugins.telemetry.Disabled', true],
  ['Swarm.DisableNatPortMap', true],
  ['Swarm.EnableHolePunching', false],
  ['Swarm.RelayClient.Enabled', false],
  ['Swarm.RelayService.Enabled', false],
])('nothing leaves the swarm: %s is %j', (path, expected) => {
  expect(setting(path)).toEqual(expected);
});

test('only TCP carries the swarm, because only TCP carries a pre-shared key', () => {
  const network = setting('Swarm.Transports.Network') as Readonly<Record<string, boolean>>;
  expect(Object.entries(network).flatMap(([name, on]) => (on ? [name] : []))).toEqual(['TCP']);
  expect(setting('Addresses.Swarm')).toEqual(['/ip4/127.0.0.1/tcp/4001']);
});

test('the API is opened by the bearer secret alone, and there is no gateway unless asked for', () => {
  expect(setting('API.Authorizations')).toEqual({
    waymark: { AuthSecret: 'bearer:opens-the-api', AllowedPaths: ['/api/v0'] },
  });
  expect(setting('Addresses.Gateway')).toEqual([]);
  const withGateway = kuboConfig({ ...parts, listen: { ...parts.listen, gateway: '/ip4/127.0.0.1/tcp/8080' } });
  expect(setting('Addresses.Gateway', withGateway)).toBe('/ip4/127.0.0.1/tcp/8080');
  expect(setting('Gateway.NoFetch', withGateway)).toBe(true);
});

test('every write is synced, every read hashed, and a put writes over what is there', () => {
  expect(setting('Datastore.Spec.mounts.0')).toMatchObject({ mountpoint: '/blocks', type: 'flatfs', sync: true });
  expect(setting('Datastore.HashOnRead')).toBe(true);
  expect(setting('Datastore.WriteThrough')).toBe(true);
  expect(setting('Datastore.BlockKeyCacheSize')).toBe(0);
  expect(setting('Datastore.StorageMax')).toBe('5000000B');
});

test('addresses of one peer stand together in Peering.Peers', () => {
  const config = kuboConfig({
    ...parts,
    peers: [
      { peerId: 'A', address: '/ip4/10.0.0.1/tcp/1' },
      { peerId: 'B', address: '/ip4/10.0.0.2/tcp/1' },
      { peerId: 'A', address: '/dns4/a.example/tcp/1' },
      { peerId: 'B', address: '/ip4/10.0.0.2/tcp/1' },
    ],
  });
  expect(setting('Peering.Peers', config)).toEqual([
    { ID: 'A', Addrs: ['/ip4/10.0.0.1/tcp/1', '/dns4/a.example/tcp/1'] },
    { ID: 'B', Addrs: ['/ip4/10.0.0.2/tcp/1'] },
  ]);
});
