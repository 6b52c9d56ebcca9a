import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { openPeerLedger, type LedgerFaults } from '../../src/ledger/index.ts';
import { openOrderingService } from '../../src/orderer/index.ts';
import { loadChannel } from './stored-channel.ts';
import { createTransaction } from './test-transaction.ts';

/**
 * Orders and commits on one orderer and two peers until it kills itself: `crash-child.ts FOLDER POINT`, POINT being how many
 * times a point where data is written may be passed. Prints `acked TXID KEY VALUE` when both peers have committed.
 */
const [, , dir = '', point = '0'] = process.argv;
let left = Number(point);
const faults: LedgerFaults = {
  at: () => {
    if (left-- === 0) process.kill(process.pid, 'SIGKILL');
  },
};

const channel = await loadChannel(dir);
const { genesisBlock } = channel;
const orderer = await openOrderingService({ dir: join(dir, 'orderer'), genesisBlock, signer: channel.orderer, faults });
const peers = await Promise.all(
  ['peer0', 'peer1'].map((name) => openPeerLedger({ dir: join(dir, name), genesisBlock, faults })),
);
const waiting = new Map<string, { left: number; line: string }>();

async function follow(peer: (typeof peers)[number]): Promise<void> {
  for await (const block of orderer.blocks(peer.height)) {
    await peer.commit(block);
    for (const [txId, entry] of waiting) {
      const location = await peer.getTransaction(txId);
      if (location?.blockNumber !== peer.height - 1n) continue;
      if (--entry.left === 0) {
        waiting.delete(txId);
        writeSync(1, `${entry.line}\n`);
      }
    }
  }
}

for (const peer of peers) void follow(peer);
for (let i = 0; ; i++) {
  const key = `key${i % 7}`;
  const value = `${process.pid}-${i}`;
  const { txId, envelope } = createTransaction({
    creator: channel.client1,
    endorsers: [channel.peer1, channel.peer2],
    simulate: (set) => {
      set.addWrite('basic', key, Buffer.from(value));
    },
  });
  waiting.set(txId, { left: peers.length, line: `acked ${txId} ${key} ${value}` });
  await orderer.broadcast(envelope);
  // Leaves the loop to the blocks now and then, so that batches of several sizes are cut.
  if (i % 5 === 4) await new Promise((resolve) => setImmediate(resolve));
}
