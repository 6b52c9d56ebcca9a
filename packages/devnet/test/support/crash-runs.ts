import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { common } from '@hyperledger/fabric-protos';
import { openPeerLedger, type PeerLedger } from '../../src/ledger/index.ts';
import { openOrderingService, type OrderingService } from '../../src/orderer/index.ts';
import { parseTransaction } from '../../src/validation/parsed-transaction.ts';
import { createTestChannel, type TestChannel } from './test-channel.ts';
import { createDefinitionTransaction } from './test-transaction.ts';
import { codesOf } from './test-chain.ts';
import { storeChannel } from './stored-channel.ts';
import { temporaryFolder } from './temporary-folder.ts';

const CHILD = join(import.meta.dirname, 'crash-child.ts');

interface Acknowledged {
  readonly txId: string;
  readonly key: string;
  readonly value: string;
}

/** Small and repeatable: mulberry32. */
function random(seed: number): number {
  let t = (seed + 0x6d2b79f5) | 0;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/** Runs the child until it kills itself at the given point; gives what it had acknowledged. */
function runUntilKilled(dir: string, point: number): Promise<Acknowledged[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, dir, String(point)], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('close', (code, signal) => {
      if (signal !== 'SIGKILL') {
        reject(new Error(`the child ended by itself with ${String(code)}: ${errors}`));
        return;
      }
      const lines = output.split('\n').filter((line) => line.startsWith('acked '));
      resolve(
        lines.map((line) => line.split(' ')).map(([, txId = '', key = '', value = '']) => ({ txId, key, value })),
      );
    });
  });
}

interface Network {
  readonly orderer: OrderingService;
  readonly peers: readonly PeerLedger[];
  close(): Promise<void>;
}

async function openNetwork(dir: string, channel: TestChannel): Promise<Network> {
  const { genesisBlock } = channel;
  const orderer = await openOrderingService({ dir: join(dir, 'orderer'), genesisBlock, signer: channel.orderer });
  const peers = await Promise.all(
    ['peer0', 'peer1'].map((name) => openPeerLedger({ dir: join(dir, name), genesisBlock })),
  );
  return {
    orderer,
    peers,
    close: async () => {
      await orderer.close();
      await Promise.all(peers.map((peer) => peer.close()));
    },
  };
}

async function catchUp({ orderer, peers }: Network): Promise<void> {
  for (const peer of peers) {
    for (let number = peer.height; number < orderer.height; number++) {
      const block = await orderer.getBlock(number);
      if (block !== undefined) await peer.commit(block);
    }
  }
}

/** The state that the blocks amount to, computed apart from the ledger's own code for it. */
async function expectedState(peer: PeerLedger): Promise<Map<string, string>> {
  const state = new Map<string, string>();
  for (let number = 1n; number < peer.height; number++) {
    const committed = await peer.getBlock(number);
    if (committed === undefined) throw new Error(`block ${number} is missing`);
    const codes = codesOf(committed);
    for (const [index, envelope] of (committed.block.getData()?.getDataList_asU8() ?? []).entries()) {
      if (codes[index] !== 0) continue;
      for (const { namespace, writes } of parseTransaction(envelope).action?.namespaces ?? []) {
        if (namespace !== 'basic') continue;
        for (const { key, value } of writes) state.set(key, Buffer.from(value ?? []).toString());
      }
    }
  }
  return state;
}

async function storedState(peer: PeerLedger): Promise<Map<string, string>> {
  const snapshot = await peer.snapshot();
  const state = new Map<string, string>();
  for await (const { key, value } of snapshot.range('basic', '', '')) state.set(key, Buffer.from(value).toString());
  snapshot.release();
  return state;
}

const sorted = (state: Map<string, string>) => [...state].sort(([a], [b]) => (a < b ? -1 : 1));

async function commitHashOf(peer: PeerLedger): Promise<string> {
  const newest = await peer.getBlock(peer.height - 1n);
  const slot = newest?.block.getMetadata()?.getMetadataList_asU8()[common.BlockMetadataIndex.COMMIT_HASH];
  return Buffer.from(slot ?? []).toString('hex');
}

/** So many seeded numbers of points to pass before the kill: the first dozen one by one, then anywhere. */
export function crashPoints(count: number, firstSeed = 0): number[] {
  return Array.from({ length: count }, (_, index) => {
    const seed = firstSeed + index;
    return seed < 12 ? seed : Math.floor(random(seed) * 150);
  });
}

/**
 * Lets an orderer and two peers be killed at each of the points, one after the other on the same folder, and expects after
 * each restart what was acknowledged, the same height, commit hash and state. Gives the number of acknowledged transactions.
 */
export async function expectNothingLost(points: readonly number[]): Promise<number> {
  const channel = await createTestChannel({ batchTimeoutMs: 20, batchSize: { maxMessageCount: 6 } });
  const dir = await temporaryFolder();
  await storeChannel(dir, channel);
  const first = await openNetwork(dir, channel);
  await first.orderer.broadcast(createDefinitionTransaction(channel).envelope);
  await first.close();

  const acknowledged: Acknowledged[] = [];
  for (const point of points) {
    const acked = await runUntilKilled(dir, point);
    acknowledged.push(...acked);
    const network = await openNetwork(dir, channel);
    for (const peer of network.peers) {
      // The orderer synced a block before any peer saw it.
      expect(peer.height <= network.orderer.height).toBe(true);
      for (const { txId } of acked) expect((await peer.getTransaction(txId))?.validationCode).toBe(0);
    }
    await catchUp(network);
    const [one, two] = network.peers;
    if (one === undefined || two === undefined) throw new Error('two peers were opened');
    expect(one.height).toBe(network.orderer.height);
    expect(two.height).toBe(network.orderer.height);
    expect(await commitHashOf(one)).toBe(await commitHashOf(two));
    const expected = sorted(await expectedState(one));
    expect(sorted(await storedState(one))).toEqual(expected);
    expect(sorted(await storedState(two))).toEqual(expected);
    await network.close();
  }
  const final = await openNetwork(dir, channel);
  for (const { txId } of acknowledged) {
    expect((await final.peers[0]?.getTransaction(txId))?.validationCode).toBe(0);
  }
  await final.close();
  return acknowledged.length;
}
