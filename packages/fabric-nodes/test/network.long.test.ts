import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@waymark/network';
import { findProgram, startFabricNetwork, type FabricNetworkPlan } from '../src/index.ts';

const missing = ['peer', 'orderer'].filter((name) => findProgram(name) === undefined);
const title = 'a network of real Fabric nodes';
const describeNative =
  missing.length === 0
    ? describe
    : (name: string, body: () => void) => {
        describe.skip(`${name} (not on PATH: ${missing.join(', ')})`, body);
      };

describeNative(title, () => {
  test('starts from nothing, and again from its folder; a node that was killed comes back', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'fabric-nodes-'));
    const ports = await freePorts(6);
    const port = (): number => ports.pop() ?? 0;
    const plan: FabricNetworkPlan = {
      dataDir,
      channel: 'mychannel',
      organisations: [
        {
          mspId: 'Org1MSP',
          domain: 'org1.example.com',
          peers: [{ name: 'peer0', port: port(), chaincodePort: port(), operationsPort: port() }],
        },
      ],
      ordering: {
        type: 'raft',
        organisations: [
          {
            mspId: 'OrdererMSP',
            domain: 'orderer.example.com',
            orderers: [{ name: 'orderer0', port: port(), adminPort: port(), operationsPort: port() }],
          },
        ],
      },
      batch: { timeoutMs: 100, maxMessageCount: 10, preferredMaxBytes: 2 ** 20, absoluteMaxBytes: 2 ** 21 },
    };
    try {
      const first = await startFabricNetwork(plan);
      const definition = { name: 'nothing', version: '1', sequence: 1, address: { Org1MSP: '127.0.0.1:1' } };
      const ids = await first.deploy(definition);
      expect(await first.deploy(definition)).toEqual(ids);
      first.nodes.get('peer0.org1.example.com')?.kill('SIGKILL');
      await first.restart('peer0.org1.example.com');
      await first.stop();
      const second = await startFabricNetwork(plan);
      expect((await second.heights())['peer0.org1.example.com']).toBeGreaterThanOrEqual(3n);
      await second.stop();
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  }, 120_000);
});
