import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSwarmKey, ensureSwarmKey, type KuboNodePlan, writeKuboFiles } from '@waymark/kubo-nodes';
import { expectCode } from '@waymark/testing/content-compliance';
import { base58btc } from 'multiformats/bases/base58';
import { newFolder, removeFolders } from './harness/folders.ts';

let folder: string;
let plan: KuboNodePlan;

beforeEach(async () => {
  folder = await newFolder();
  const swarmKeyFile = join(folder, 'swarm.key');
  await ensureSwarmKey(swarmKeyFile);
  plan = {
    hostName: 'ipfs.leader.example',
    folder: join(folder, 'leader'),
    swarmPort: 4001,
    apiPort: 5001,
    swarmKeyFile,
  };
});

afterEach(removeFolders);

interface Config {
  readonly Identity: { readonly PeerID: string; readonly PrivKey: string };
  readonly Addresses: Readonly<Record<string, unknown>>;
  readonly Peering: { readonly Peers: readonly { readonly ID: string }[] };
  readonly API: { readonly Authorizations: { readonly waymark: { readonly AuthSecret: string } } };
}

async function configOf(nodeDir: string): Promise<Config> {
  return JSON.parse(await readFile(join(nodeDir, 'config.json'), 'utf8')) as Config;
}

const other = {
  peerId: '12D3KooWGWSFAWTL9PeEu9PahgjDjkobmJvgrgQB7oTMQq9smtiy',
  address: '/dns4/ipfs.b.example/tcp/4001',
};

describe('the swarm key', () => {
  test('is a 256-bit PSK file, different each time', () => {
    expect(createSwarmKey()).toMatch(/^\/key\/swarm\/psk\/1\.0\.0\/\n\/base16\/\n[0-9a-f]{64}\n$/);
    expect(createSwarmKey()).not.toBe(createSwarmKey());
  });

  test('is made once, whoever asks at the same time, and only its owner reads it', async () => {
    const file = join(folder, 'net', 'swarm.key');
    await Promise.all(Array.from({ length: 8 }, () => ensureSwarmKey(file)));
    const first = await readFile(file, 'utf8');
    await ensureSwarmKey(file);
    expect(await readFile(file, 'utf8')).toBe(first);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('that is none is configuration-invalid, never replaced', async () => {
    await writeFile(plan.swarmKeyFile, 'hunter2');
    await expectCode(ensureSwarmKey(plan.swarmKeyFile), 'configuration-invalid');
    await expectCode(writeKuboFiles(plan), 'configuration-invalid');
    expect(await readFile(plan.swarmKeyFile, 'utf8')).toBe('hunter2');
  });
});

test('identity and API secret stay, ports and addresses follow the plan', async () => {
  const first = await writeKuboFiles(plan);
  const before = await configOf(first.nodeDir);
  const secret = await readFile(first.secretFile, 'utf8');
  const second = await writeKuboFiles({
    ...plan,
    apiPort: 5002,
    listenHost: '0.0.0.0',
    advertiseHost: 'ipfs.leader.example',
  });
  const after = await configOf(second.nodeDir);
  expect(after.Identity).toEqual(before.Identity);
  expect(await readFile(second.secretFile, 'utf8')).toBe(secret);
  expect(after.API.Authorizations.waymark.AuthSecret).toBe(`bearer:${secret.trim()}`);
  expect(after.Addresses).toMatchObject({
    Swarm: ['/ip4/0.0.0.0/tcp/4001'],
    API: '/ip4/0.0.0.0/tcp/5002',
    Announce: ['/dns4/ipfs.leader.example/tcp/4001'],
  });
  expect(second.self).toEqual({ peerId: first.self.peerId, address: '/dns4/ipfs.leader.example/tcp/4001' });
});

test('the peer id is the hash of the public half of the key', async () => {
  const { nodeDir, self } = await writeKuboFiles(plan);
  const { PeerID, PrivKey } = (await configOf(nodeDir)).Identity;
  const publicKey = Buffer.from(PrivKey, 'base64').subarray(4 + 32);
  expect(publicKey).toHaveLength(32);
  expect(Buffer.from(base58btc.baseDecode(PeerID)).toString('hex')).toBe(`002408011220${publicKey.toString('hex')}`);
  expect(self.peerId).toBe(PeerID);
});

test('peers stay until others are given, and a node is not its own peer', async () => {
  const { self } = await writeKuboFiles(plan);
  const withPeers = await writeKuboFiles({ ...plan, peers: [other, self] });
  expect(withPeers.peers).toEqual([other]);
  expect((await writeKuboFiles(plan)).peers).toEqual([other]);
  expect((await configOf(withPeers.nodeDir)).Peering.Peers.map(({ ID }) => ID)).toEqual([other.peerId]);
  expect((await writeKuboFiles({ ...plan, peers: [] })).peers).toEqual([]);
});

test('what holds a secret is read by its owner alone', async () => {
  const { nodeDir } = await writeKuboFiles(plan);
  await chmod(join(nodeDir, 'config.json'), 0o644);
  await writeKuboFiles(plan);
  for (const name of ['config.json', 'swarm.key', 'api-secret']) {
    expect([name, (await stat(join(nodeDir, name))).mode & 0o777]).toEqual([name, 0o600]);
  }
});

test('the files name nothing outside their folder: it can be moved', async () => {
  const { nodeDir } = await writeKuboFiles(plan);
  for (const name of ['config.json', 'start.sh']) {
    expect(await readFile(join(nodeDir, name), 'utf8')).not.toContain(folder);
  }
});

test.each<[string, Partial<KuboNodePlan>]>([
  ['a listening host that is a name', { listenHost: 'localhost' }],
  ['an advertised host with a slash', { advertiseHost: 'a/tcp/1' }],
  ['port 0', { swarmPort: 0 }],
  ['a port over 65535', { apiPort: 70_000 }],
  ['a peer without an id', { peers: [{ peerId: '', address: other.address }] }],
  ['a peer with an address that is not TCP', { peers: [{ ...other, address: '/ip4/10.0.0.1/udp/1/quic-v1' }] }],
])('%s is configuration-invalid', async (_what, change) => {
  await expectCode(writeKuboFiles({ ...plan, ...change }), 'configuration-invalid');
});

test('an altered configuration is refused instead of giving the node a new identity', async () => {
  const { nodeDir } = await writeKuboFiles(plan);
  for (const text of ['', '{', '{}', '{"Identity":{}}']) {
    await writeFile(join(nodeDir, 'config.json'), text);
    await expectCode(writeKuboFiles(plan), 'configuration-invalid');
  }
});
