import type { FabricNetworkPlan, OrdererPlan, OrderingType, PeerPlan } from '../../src/index.ts';

/** A plan that is never started: one organisation with peers, orderers of an organisation of their own. */
export function planWith(orderers: number, type: OrderingType = 'raft'): FabricNetworkPlan {
  return {
    dataDir: '/nowhere',
    channel: 'mychannel',
    organisations: [{ mspId: 'Org1MSP', domain: 'org1.example.com', peers: [peerAt('peer0', 7051)] }],
    ordering: {
      type,
      organisations: [
        {
          mspId: 'OrdererMSP',
          domain: 'orderer.example.com',
          orderers: Array.from({ length: orderers }, (_, index) => ordererAt(`orderer${index}`, 8050 + 10 * index)),
        },
      ],
    },
    batch: { timeoutMs: 100, maxMessageCount: 10, preferredMaxBytes: 2 ** 20, absoluteMaxBytes: 2 ** 21 },
  };
}

export function peerAt(name: string, port: number): PeerPlan {
  return { name, port, chaincodePort: port + 1, operationsPort: port + 2 };
}

export function ordererAt(name: string, port: number): OrdererPlan {
  return { name, port, adminPort: port + 1, operationsPort: port + 2 };
}
