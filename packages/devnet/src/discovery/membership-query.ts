import { discovery, type peer } from '@hyperledger/fabric-protos';
import { definitionsOnPeers, describePeer } from './channel-view.ts';
import type { DiscoverablePeer, DiscoveryContext } from './context.ts';

/** The peers of the channel by organisation; with a filter, those that have its chaincodes. Throws Fabric's text. */
export async function answerMembershipQuery(
  context: DiscoveryContext,
  filter: peer.ChaincodeInterest | undefined,
): Promise<discovery.QueryResult> {
  const definitions = await definitionsOnPeers(context);
  const wanted = (filter?.getChaincodesList() ?? []).map((call) => call.getName());
  const missing = wanted.find((name) => !definitions.some((definition) => definition.name === name));
  if (missing !== undefined) {
    throw new Error(`No metadata was found for chaincode ${missing} in channel ${context.channelId}`);
  }
  const channel = { channelId: context.channelId, definitions };
  return byOrganisation(context.peers(), (peer) =>
    wanted.every((name) => peer.chaincodes.includes(name)) ? describePeer(peer, channel) : undefined,
  );
}

/** The peers that this one knows of, channel or not. */
export function answerLocalPeersQuery(context: DiscoveryContext): discovery.QueryResult {
  return byOrganisation(context.peers(), (peer) => describePeer(peer, undefined));
}

function byOrganisation(
  peers: readonly DiscoverablePeer[],
  describe: (peer: DiscoverablePeer) => discovery.Peer | undefined,
): discovery.QueryResult {
  const result = new discovery.PeerMembershipResult();
  for (const mspId of new Set(peers.map((peer) => peer.mspId))) {
    const list = new discovery.Peers();
    const described = peers.filter((peer) => peer.mspId === mspId).map(describe);
    list.setPeersList(described.filter((peer) => peer !== undefined));
    result.getPeersByOrgMap().set(mspId, list);
  }
  const answer = new discovery.QueryResult();
  answer.setMembers(result);
  return answer;
}
