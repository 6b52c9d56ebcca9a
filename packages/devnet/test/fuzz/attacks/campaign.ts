import { createHealthCheck, type HealthCheck } from '../health.ts';
import { createHostileIdentities, type HostileIdentity } from '../inputs/hostile-identities.ts';
import { createRandom, type Random } from '../inputs/random.ts';
import { createRawClient, type RawClient } from '../inputs/raw-client.ts';
import { createSeedMaker, type SeedMaker } from '../inputs/seeds.ts';
import type { Measurement } from '../target/messages.ts';
import { startTarget, type Target } from '../target/target.ts';
import { startHostileChaincode, type HostileChaincode } from './chaincode.ts';

/** Everything that attacks one devnet in a process of its own, from one seed. */
export interface Campaign {
  readonly random: Random;
  readonly target: Target;
  readonly health: HealthCheck;
  readonly seeds: SeedMaker;
  readonly peers: readonly RawClient[];
  readonly leader: RawClient;
  readonly orderer: RawClient;
  readonly identities: readonly HostileIdentity[];
  readonly chaincode: HostileChaincode;
  stop(): Promise<void>;
}

export async function startCampaign(seed: number): Promise<Campaign> {
  const random = createRandom(seed);
  const chaincode = await startHostileChaincode(random.fork('chaincode'));
  const target = await startTarget({ hostileAddress: chaincode.address });
  const peers = target.peers.map((peer) => createRawClient(peer));
  const orderer = createRawClient(target.orderer);
  const health = createHealthCheck(target);
  await health.untilServing();
  const [leader] = peers;
  if (leader === undefined) throw new Error('a network has a peer');
  return {
    random,
    target,
    health,
    seeds: await createSeedMaker(target, leader),
    peers,
    leader,
    orderer,
    identities: await createHostileIdentities(target.user.mspId, target.user.certificatePem),
    chaincode,
    stop: async () => {
      for (const client of [...peers, orderer]) client.close();
      health.close();
      await target.stop();
      await chaincode.close();
    },
  };
}

/** What is in use when all garbage is gone. */
export function usedBytes({ heapBytes, externalBytes }: Measurement): number {
  return heapBytes + externalBytes;
}
