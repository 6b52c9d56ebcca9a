import { discovery } from '@hyperledger/fabric-protos';
import type { ChaincodeDefinition } from '../lifecycle/chaincode-definition.ts';
import type { DiscoverablePeer, DiscoveryContext } from './context.ts';
import { buildAliveEnvelope, buildStateInfoEnvelope } from './gossip-envelopes.ts';

/** The chaincodes that peers have and the channel defines, at one moment. */
export async function definitionsOnPeers(context: DiscoveryContext): Promise<ChaincodeDefinition[]> {
  const names = new Set(context.peers().flatMap(({ chaincodes }) => chaincodes));
  const snapshot = await context.channel.ledger.snapshot();
  try {
    const found = await Promise.all([...names].map((name) => context.channel.readDefinition(snapshot, name)));
    return found.filter((definition) => definition !== undefined);
  } finally {
    snapshot.release();
  }
}

/** A peer with its signed gossip messages; without definitions, only that it is there. */
export function describePeer(
  peer: DiscoverablePeer,
  channel: { readonly channelId: string; readonly definitions: readonly ChaincodeDefinition[] } | undefined,
): discovery.Peer {
  const described = new discovery.Peer();
  described.setIdentity(peer.identity.serialized);
  described.setMembershipInfo(buildAliveEnvelope(peer));
  if (channel !== undefined) {
    described.setStateInfo(buildStateInfoEnvelope(peer, channel.channelId, channel.definitions));
  }
  return described;
}
