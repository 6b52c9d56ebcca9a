import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFabricNetwork, type FabricNetworkPlan, type PeerPlan } from '@waymark/fabric-nodes';
import { freePorts } from '@waymark/network';
import { startAssetContract } from '../../devnet/test/harness/chaincode-process.ts';
import type { TestNetwork } from './network.ts';

const channel = 'mychannel';
const chaincode = 'assets';

/** Real Fabric from PATH: two organisations of two peers each, one orderer, the contract of `examples/` endorsed by both. */
export async function startNativeNetwork(): Promise<TestNetwork & { readonly fabricVersion: string }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ledger-native-'));
  const ports = await freePorts(16);
  const port = (): number => ports.pop() ?? 0;
  const peers = (): PeerPlan[] =>
    ['peer0', 'peer1'].map((name) => ({ name, port: port(), chaincodePort: port(), operationsPort: port() }));
  const plan: FabricNetworkPlan = {
    dataDir,
    channel,
    organisations: ['org1', 'org2'].map((name, index) => ({
      mspId: `Org${index + 1}MSP`,
      domain: `${name}.example.com`,
      peers: peers(),
    })),
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
    batch: {
      timeoutMs: 100,
      maxMessageCount: 50,
      preferredMaxBytes: 2 ** 21,
      absoluteMaxBytes: 10 * 2 ** 20,
    },
  };
  const fabric = await startFabricNetwork(plan);
  const contractPort = port();
  const address = Object.fromEntries(plan.organisations.map(({ mspId }) => [mspId, `127.0.0.1:${contractPort}`]));
  const ids = await fabric.deploy({
    name: chaincode,
    version: '1',
    sequence: 1,
    address,
    endorsementPolicy: "AND('Org1MSP.peer', 'Org2MSP.peer')",
  });
  const [packageId = ''] = Object.values(ids);
  const contract = await startAssetContract({ port: contractPort, packageId });
  return {
    channel,
    chaincode,
    fabricVersion: fabric.fabricVersion,
    organisations: fabric.organisations,
    orderers: fabric.orderers,
    stop: async () => {
      await fabric.stop();
      await contract.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
