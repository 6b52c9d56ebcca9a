import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevnet, type Devnet, type DevnetOptions } from '@waymark/devnet';
import { startAssetContract, type ChaincodeProcess } from './chaincode-process.ts';
import { connectClient, type TestClient } from './client.ts';

export const CHANNEL = 'mychannel';
export const CHAINCODE = 'assets';
const READY_TIMEOUT_MS = 20_000;

/** Two organisations of two peers each, one chaincode process for all, a client of each organisation. */
export interface TestNetwork {
  readonly devnet: Devnet;
  readonly chaincode: ChaincodeProcess;
  readonly dataDir: string;
  readonly client: TestClient;
  readonly otherClient: TestClient;
  stop(): Promise<void>;
}

export async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'devnet-test-'));
}

export function twoOrganisations(
  dataDir: string,
  chaincodeAddress: string,
  options: Partial<DevnetOptions> = {},
): DevnetOptions {
  const peers = [{ name: 'peer0' }, { name: 'peer1' }];
  return {
    dataDir,
    organisations: [
      { mspId: 'Org1MSP', peers },
      { mspId: 'Org2MSP', peers },
    ],
    chaincodes: [{ name: CHAINCODE, address: chaincodeAddress }],
    batch: { timeoutMs: 50 },
    ...options,
  };
}

export async function startTestNetwork(
  options: Partial<DevnetOptions> | ((chaincodeAddress: string) => Partial<DevnetOptions>) = {},
): Promise<TestNetwork> {
  const dataDir = await temporaryFolder();
  const chaincode = await startAssetContract();
  const changes = typeof options === 'function' ? options(chaincode.address) : options;
  const devnet = await startDevnet(twoOrganisations(dataDir, chaincode.address, changes)).catch(
    async (error: unknown) => {
      await chaincode.stop();
      throw error;
    },
  );
  await devnet.chaincodesReady(READY_TIMEOUT_MS);
  const [org1, org2] = devnet.organisations;
  if (org1 === undefined || org2 === undefined) throw new Error('two organisations expected');
  const client = connectClient(org1.gateway, org1.user);
  const otherClient = connectClient(org2.gateway, org2.user);
  return {
    devnet,
    chaincode,
    dataDir,
    client,
    otherClient,
    stop: async () => {
      client.close();
      otherClient.close();
      await devnet.stop();
      await chaincode.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Resolves when all peers have the blocks that one of them has: they commit one after the other. */
export async function sameHeight(devnet: Devnet): Promise<void> {
  while (new Set(Object.values(devnet.heights())).size > 1) await once(devnet.events, 'block');
}
