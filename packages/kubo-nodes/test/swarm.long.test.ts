import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type ContentStore, openKuboStore } from '@waymark/content';
import {
  ensureSwarmKey,
  type KuboNode,
  type KuboNodePlan,
  locateKubo,
  startKuboNode,
  writeKuboFiles,
} from '@waymark/kubo-nodes';
import { expectCode, linkingBlock, sampleBlock, sampleBlocks } from '@waymark/testing/content-compliance';
import { blockFileOf, freePorts } from '@waymark/testing/kubo-peer';
import { newFolder, removeFolders } from './harness/folders.ts';
import { socketsOf } from './harness/sockets.ts';

/** Daemons of a busy machine take their time. */
const limitMs = 120_000;

const present = locateKubo() !== undefined;
if (!present) process.stderr.write('skipped: kubo in a private swarm (no `ipfs` on PATH)\n');
const describeWithKubo = present ? describe : describe.skip;

describeWithKubo(`kubo in a private swarm${present ? '' : ': skipped, no `ipfs` on PATH'}`, () => {
  let folder: string;
  const nodes: KuboNode[] = [];
  const stores: ContentStore[] = [];

  beforeEach(async () => {
    folder = await newFolder();
  });

  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    await Promise.all(nodes.splice(0).map((node) => node.stop()));
    await removeFolders();
  }, limitMs);

  async function plans(names: readonly string[], swarm = 'swarm.key'): Promise<KuboNodePlan[]> {
    const swarmKeyFile = join(folder, swarm);
    await ensureSwarmKey(swarmKeyFile);
    const ports = await freePorts(names.length * 2);
    return names.map((name, at) => ({
      hostName: `ipfs.${name}.example`,
      folder: join(folder, name),
      swarmPort: ports[2 * at] ?? 0,
      apiPort: ports[2 * at + 1] ?? 0,
      swarmKeyFile,
    }));
  }

  async function start(plan: KuboNodePlan): Promise<KuboNode> {
    const node = await startKuboNode(plan);
    nodes.push(node);
    return node;
  }

  async function open(node: KuboNode, timeoutMs?: number): Promise<ContentStore> {
    const store = await openKuboStore({ url: node.apiUrl, authorization: node.authorization, timeoutMs });
    stores.push(store);
    return store;
  }

  /** Members that are all peered with each other, and connected. */
  async function swarmOf<Names extends readonly string[]>(...names: Names): Promise<{ [At in keyof Names]: KuboNode }> {
    const of = await plans(names);
    const peers = (await Promise.all(of.map((plan) => writeKuboFiles(plan)))).map(({ self }) => self);
    const started = await Promise.all(of.map((plan) => start({ ...plan, peers })));
    for (const node of started) expect(await node.reconnect()).toEqual([]);
    return started as { [At in keyof Names]: KuboNode };
  }

  test(
    'what A stores, B and C pin; with A gone B reads it, and what is damaged on B is repaired from C (S5, S7)',
    async () => {
      const [a, b, c] = await swarmOf('a', 'b', 'c');
      const [onA, onB, onC] = [await open(a), await open(b), await open(c)];
      const leaves = sampleBlocks('envelope', 500, 2000);
      const root = linkingBlock(
        leaves.map(({ cid }) => cid),
        'batch',
      );
      await onA.putMany([...leaves, root], { pinRoots: [root.cid] });
      await Promise.all([onB.pin(root.cid), onC.pin(root.cid)]);
      for (const store of [onA, onB, onC]) {
        expect(await store.isPinned(root.cid)).toBe(true);
        expect(await store.checkHeld(root.cid)).toMatchObject({ held: true, blocks: 501 });
      }

      a.kill('SIGKILL');
      await a.exited;
      const [altered = root, lost = root] = leaves;
      expect(Buffer.compare(await onB.get(altered.cid, { local: true }), altered.bytes)).toBe(0);

      await writeFile(blockFileOf(b.repositoryDir, altered.cid), sampleBlock('other bytes', 2000).bytes);
      await rm(blockFileOf(b.repositoryDir, lost.cid));
      await expectCode(onB.get(altered.cid), 'data-abnormal');
      await expectCode(onB.get(lost.cid, { local: true }), 'unavailable');
      const report = await onB.checkHeld(root.cid);
      expect(report.held).toBe(false);
      expect(report.altered.map(String)).toEqual([altered.cid.toString()]);
      expect(report.missing.map(String)).toEqual([lost.cid.toString()]);

      for (const cid of [...report.altered, ...report.missing]) {
        await onB.repair({ cid, bytes: await onC.get(cid, { local: true }) });
      }
      expect(await onB.checkHeld(root.cid)).toMatchObject({ held: true, blocks: 501 });
      expect(await onB.isPinned(root.cid)).toBe(true);
      expect(Buffer.compare(await onB.get(altered.cid), altered.bytes)).toBe(0);

      await a.restart();
      expect(await onA.checkHeld(root.cid)).toMatchObject({ held: true, blocks: 501 });
      expect(await onA.isPinned(root.cid)).toBe(true);
    },
    limitMs,
  );

  test(
    'a read asks the swarm unless it is local, and a block that is nowhere is unavailable in time',
    async () => {
      const [a, b] = await swarmOf('a', 'b');
      const [onA, onB] = [await open(a), await open(b, 1500)];
      const block = sampleBlock('on A only');
      await onA.putMany([block]);
      await expectCode(onB.get(block.cid, { local: true }), 'unavailable');
      expect(await onB.has(block.cid)).toBe(false);
      expect((await onB.checkHeld(block.cid)).missing.map(String)).toEqual([block.cid.toString()]);
      expect(Buffer.compare(await onB.get(block.cid), block.bytes)).toBe(0);
      expect(await onB.has(block.cid)).toBe(true);
      const nowhere = sampleBlock('nowhere').cid;
      await expect(onB.get(nowhere)).rejects.toMatchObject({ code: 'unavailable', details: { reason: 'timeout' } });
      await expect(onB.pin(nowhere, { timeoutMs: 1500 })).rejects.toMatchObject({
        code: 'unavailable',
        details: { reason: 'timeout' },
      });
      expect(await onB.isPinned(nowhere)).toBe(false);
    },
    limitMs,
  );

  test(
    'a daemon with another swarm key gets no connection, either way',
    async () => {
      const [a] = await swarmOf('a');
      const [plan] = await plans(['stranger'], 'another.key');
      if (plan === undefined) throw new Error('no plan');
      const stranger = await start({ ...plan, peers: [a.self] });
      await a.setPeers([stranger.self]);
      expect(await Promise.all([stranger.reconnect(), a.reconnect()])).toEqual([[a.self], [stranger.self]]);
      expect([await a.connectedPeers(), await stranger.connectedPeers()]).toEqual([[], []]);
      const block = sampleBlock('not for strangers');
      await (await open(a)).putMany([block]);
      await expectCode((await open(stranger, 1000)).get(block.cid), 'unavailable');
    },
    limitMs,
  );

  test(
    'an organisation is added while the others run, and left out again; both outlast a restart',
    async () => {
      const [a, b] = await swarmOf('a', 'b');
      const [plan] = await plans(['c']);
      if (plan === undefined) throw new Error('no plan');
      const c = await start({ ...plan, peers: [a.self, b.self] });
      await Promise.all([a.setPeers([b.self, c.self]), b.setPeers([a.self, c.self])]);
      expect(await a.reconnect()).toEqual([]);
      const block = sampleBlock('for the new member');
      await (await open(a)).putMany([block]);
      await (await open(c)).pin(block.cid);
      await a.restart();
      expect(await a.reconnect()).toEqual([]);
      expect(new Set(await a.connectedPeers())).toEqual(new Set([b.self.peerId, c.self.peerId]));

      await c.stop();
      await Promise.all([a.setPeers([b.self]), b.setPeers([a.self]), c.setPeers([])]);
      expect(await a.connectedPeers()).toEqual([b.self.peerId]);
      await c.restart();
      expect(await c.connectedPeers()).toEqual([]);
      await a.restart();
      expect(await a.reconnect()).toEqual([]);
      expect(await a.connectedPeers()).toEqual([b.self.peerId]);
    },
    limitMs,
  );

  test(
    'a daemon that was killed, also while it was made, starts again with what it acknowledged',
    async () => {
      const [plan] = await plans(['a']);
      if (plan === undefined) throw new Error('no plan');
      const a = await start(plan);
      const pidFile = join(plan.folder, 'run', `${plan.hostName}.pid`);
      expect(Number(await readFile(pidFile, 'utf8'))).toBe(a.pid);
      const store = await open(a);
      for (let round = 0; round < 5; round++) {
        const block = sampleBlock(`round ${round}`);
        await store.putMany([block], { pinRoots: [block.cid] });
        a.kill('SIGKILL');
        expect(await a.exited).toEqual({ code: null, signal: 'SIGKILL' });
        await a.restart();
        expect(await store.checkHeld(block.cid)).toMatchObject({ held: true });
        expect(await store.isPinned(block.cid)).toBe(true);
      }
      const peerId = a.self.peerId;
      a.kill('SIGKILL');
      await a.exited;
      // As after a kill in the middle of `ipfs init`.
      await rm(a.repositoryDir, { recursive: true });
      await writeFile(`${a.repositoryDir}.new`, 'half');
      await a.restart();
      expect((await store.stats()).pinnedRoots).toBeGreaterThanOrEqual(0);
      expect(a.self.peerId).toBe(peerId);
      await a.stop();
      await expect(stat(pidFile)).rejects.toMatchObject({ code: 'ENOENT' });
    },
    limitMs,
  );

  test(
    'only the swarm port and the API are open, on the loopback; the API answers to its secret alone',
    async () => {
      const [a, b] = await swarmOf('a', 'b');
      for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
        for (const command of ['id', 'repo/stat', 'config/show', 'shutdown']) {
          const response = await fetch(`${a.apiUrl}/api/v0/${command}`, { method: 'POST', headers });
          expect([command, response.status]).toEqual([command, 403]);
        }
      }
      expect(await a.connectedPeers()).toEqual([b.self.peerId]);
      const apiPort = Number(new URL(a.apiUrl).port);
      for (const host of outsideAddresses()) expect([host, await accepts(host, apiPort)]).toEqual([host, false]);
      if (process.platform !== 'linux') {
        process.stderr.write('not checked here: the sockets of a process are known on Linux only\n');
        return;
      }
      const sockets = await socketsOf(a.pid);
      const swarmPort = Number(a.self.address.split('/').at(-1));
      expect(sockets.filter(({ protocol }) => protocol === 'udp')).toEqual([]);
      const listening = sockets.filter((socket) => socket.listening);
      expect(listening.map(({ localPort }) => localPort).sort()).toEqual([swarmPort, apiPort].sort());
      expect(new Set(sockets.map(({ local }) => local))).toEqual(new Set(['127.0.0.1']));
      const remotes = sockets.filter((socket) => !socket.listening).map(({ remote }) => remote);
      expect(remotes.length).toBeGreaterThan(0);
      expect(new Set(remotes)).toEqual(new Set(['127.0.0.1']));
    },
    limitMs,
  );

  function outsideAddresses(): string[] {
    return Object.values(networkInterfaces()).flatMap((addresses) =>
      (addresses ?? []).flatMap(({ address, family, internal }) => (family === 'IPv4' && !internal ? [address] : [])),
    );
  }

  function accepts(host: string, port: number): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect({ host, port });
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
  }
});
