import { discovery, type peer } from '@hyperledger/fabric-protos';
import { describeInterest } from '../gateway/endorsement-descriptor.ts';
import { definitionsOnPeers, describePeer } from './channel-view.ts';
import type { DiscoveryContext } from './context.ts';
import { interestText } from './interest-text.ts';

/** Which peers together satisfy the policies of a transaction (Fabric: discovery/endorsement). Throws Fabric's texts. */
export async function answerChaincodeQuery(
  context: DiscoveryContext,
  query: discovery.ChaincodeQuery,
): Promise<discovery.QueryResult> {
  const interests = query.getInterestsList();
  checkInterests(interests);
  const result = new discovery.ChaincodeQueryResult();
  for (const interest of interests) {
    try {
      result.addContent(await describeEndorsement(context, interest));
    } catch (cause) {
      throw new Error(`failed constructing descriptor for ${interestText(interest)}`, { cause });
    }
  }
  const answer = new discovery.QueryResult();
  answer.setCcQueryRes(result);
  return answer;
}

function checkInterests(interests: readonly peer.ChaincodeInterest[]): void {
  if (interests.length === 0) throw new Error('chaincode query must have at least one chaincode interest');
  for (const interest of interests) {
    const calls = interest.getChaincodesList();
    if (calls.length === 0) throw new Error('chaincode interest must contain at least one chaincode');
    if (calls.some((call) => call.getName() === '')) throw new Error('chaincode name in interest cannot be empty');
  }
}

async function describeEndorsement(
  context: DiscoveryContext,
  interest: peer.ChaincodeInterest,
): Promise<discovery.EndorsementDescriptor> {
  const calls = interest.getChaincodesList();
  checkSupported(calls);
  const { layouts, endorsersByGroup } = await describeInterest(context.channel, context.channelId, interest);
  const channel = { channelId: context.channelId, definitions: await definitionsOnPeers(context) };
  const descriptor = new discovery.EndorsementDescriptor();
  descriptor.setChaincode(calls[0]?.getName() ?? '');
  for (const layout of layouts) {
    const described = new discovery.Layout();
    for (const [group, quantity] of layout) described.getQuantitiesByGroupMap().set(group, quantity);
    descriptor.addLayouts(described);
  }
  const known = new Map(context.peers().map((peer) => [peer.address, describePeer(peer, channel)]));
  for (const [group, endorsers] of endorsersByGroup) {
    const list = new discovery.Peers();
    list.setPeersList(endorsers.flatMap(({ address }) => known.get(address) ?? []));
    descriptor.getEndorsersByGroupsMap().set(group, list);
  }
  return descriptor;
}

function checkSupported(calls: readonly peer.ChaincodeCall[]): void {
  for (const call of calls) {
    if (call.getCollectionNamesList().length > 0) {
      throw new Error('UNIMPLEMENTED: private data collections are not supported by devnet');
    }
  }
}
