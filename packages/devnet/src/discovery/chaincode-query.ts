import { discovery, type peer } from '@hyperledger/fabric-protos';
import { layoutsForInterest } from '../gateway/plan-endorsement.ts';
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

/** Groups are organisations under a name that says nothing, as Fabric's do. */
async function describeEndorsement(
  context: DiscoveryContext,
  interest: peer.ChaincodeInterest,
): Promise<discovery.EndorsementDescriptor> {
  const calls = interest.getChaincodesList();
  checkSupported(calls);
  const layouts = await layoutsForInterest(context.channel, context.channelId, interest);
  if (layouts.length === 0) throw new Error('no peer combination can satisfy the endorsement policy');
  const channel = { channelId: context.channelId, definitions: await definitionsOnPeers(context) };
  const groups = new Map<string, string>();
  const descriptor = new discovery.EndorsementDescriptor();
  descriptor.setChaincode(calls[0]?.getName() ?? '');
  for (const layout of layouts) {
    const described = new discovery.Layout();
    for (const [mspId, quantity] of layout) {
      const group = groups.get(mspId) ?? `G${groups.size}`;
      groups.set(mspId, group);
      described.getQuantitiesByGroupMap().set(group, quantity);
    }
    descriptor.addLayouts(described);
  }
  for (const [mspId, group] of groups) {
    const endorsers = context
      .peers()
      .filter((peer) => peer.mspId === mspId && calls.every((call) => peer.chaincodes.includes(call.getName())));
    const list = new discovery.Peers();
    list.setPeersList(endorsers.map((peer) => describePeer(peer, channel)));
    descriptor.getEndorsersByGroupsMap().set(group, list);
  }
  return descriptor;
}

function checkSupported(calls: readonly peer.ChaincodeCall[]): void {
  for (const call of calls) {
    if (call.getCollectionNamesList().length > 0) {
      throw new Error('UNIMPLEMENTED: private data collections are not supported by devnet');
    }
    if (call.getDisregardNamespacePolicy() && call.getKeyPoliciesList().length === 0) {
      throw new Error(
        `requested to disregard chaincode ${call.getName()}'s policy but key and collection policies are missing`,
      );
    }
  }
}
