import type { DevnetOptions } from '../../src/index.ts';

/** Two organisations of two peers each, small blocks cut quickly: many of them in a short life. */
export function networkOptions(dataDir: string, chaincodeAddress: string): DevnetOptions {
  return {
    dataDir,
    organisations: ['Org1MSP', 'Org2MSP'].map((mspId) => ({ mspId, peers: [{ name: 'peer0' }, { name: 'peer1' }] })),
    chaincodes: [{ name: 'assets', address: chaincodeAddress }],
    batch: { timeoutMs: 15, maxMessageCount: 4 },
  };
}
