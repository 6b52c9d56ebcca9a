import { status } from '@grpc/grpc-js';
import { gateway, peer } from '@hyperledger/fabric-protos';
import type { EndorsementPlan } from './endorsement-plan.ts';
import type { GatewayChannel, GatewayContext, GatewayEndorser } from './gateway-context.ts';
import { planForInterest, planForOrganisations } from './plan-endorsement.ts';
import { prepareTransaction } from './prepare-transaction.ts';
import { responseStatus } from './response-status.ts';
import { RpcError, type EndpointError } from './rpc-error.ts';
import { unpackGatewayProposal, type GatewayProposal } from './unpack-request.ts';
import { messageOf } from '../errors.ts';

/** Collects endorsements until the policies are satisfied (Fabric: internal/pkg/gateway/endorse.go). */
export async function endorse(
  context: GatewayContext,
  request: gateway.EndorseRequest,
): Promise<gateway.EndorseResponse> {
  const proposal = unpack(request);
  const channel = context.channel(proposal.channelId);
  const named = request.getEndorsingOrganizationsList();
  const plan =
    named.length > 0 ? planForNamed(channel, proposal, named) : await planFromFirstEndorser(context, channel, proposal);
  while (!plan.isComplete) {
    const endorsers = plan.endorsers();
    if (endorsers === undefined) break;
    const failed = await Promise.all(endorsers.map((endorser) => collectFromGroup(plan, endorser, proposal)));
    plan.abandonGroups(failed.filter((group) => group !== undefined));
  }
  const { result } = plan;
  if (result === undefined) {
    throw new RpcError(
      status.ABORTED,
      'failed to collect enough transaction endorsements, see attached details for more info',
      plan.errors,
    );
  }
  const response = new gateway.EndorseResponse();
  response.setPreparedTransaction(prepareTransaction(proposal, result.payload, result.endorsements));
  return response;
}

function unpack(request: gateway.EndorseRequest): GatewayProposal {
  const signedProposal = request.getProposedTransaction();
  if (signedProposal === undefined || signedProposal.getProposalBytes_asU8().length === 0) {
    throw new RpcError(status.INVALID_ARGUMENT, 'the proposed transaction must contain a signed proposal');
  }
  try {
    return unpackGatewayProposal(signedProposal);
  } catch (error) {
    throw new RpcError(status.INVALID_ARGUMENT, messageOf(error));
  }
}

/** The client answers for the choice of organisations. */
function planForNamed(
  channel: GatewayChannel | undefined,
  proposal: GatewayProposal,
  mspIds: readonly string[],
): EndorsementPlan {
  try {
    if (channel === undefined) {
      throw new Error(`failed to find any endorsing peers for org(s): ${mspIds.join(', ')}`);
    }
    return planForOrganisations(channel, proposal.chaincodeName, mspIds);
  } catch (error) {
    throw new RpcError(status.UNAVAILABLE, messageOf(error));
  }
}

/** Asks one peer, of the gateway's own organisation if it has one, and plans the rest by what its simulation touched. */
async function planFromFirstEndorser(
  context: GatewayContext,
  channel: GatewayChannel | undefined,
  proposal: GatewayProposal,
): Promise<EndorsementPlan> {
  if (channel === undefined) {
    throw new RpcError(
      status.FAILED_PRECONDITION,
      `no combination of peers can be derived which satisfy the endorsement policy: No metadata was found for chaincode ${proposal.chaincodeName} in channel ${proposal.channelId}`,
    );
  }
  const firstPlan = await planForFirst(context, channel, proposal);
  const { endorser, response } = await firstEndorsement(firstPlan, proposal);
  const interest = response.getInterest();
  const known = interest !== undefined && interest.getChaincodesList().length > 0;
  try {
    const plan = await planForInterest(
      channel,
      proposal.channelId,
      known ? interest : defaultInterest(proposal),
      endorser,
    );
    plan.addEndorsement(endorser, response);
    return plan;
  } catch (error) {
    throw new RpcError(status.FAILED_PRECONDITION, messageOf(error));
  }
}

async function planForFirst(
  context: GatewayContext,
  channel: GatewayChannel,
  proposal: GatewayProposal,
): Promise<EndorsementPlan> {
  try {
    return planForOrganisations(channel, proposal.chaincodeName, [context.mspId]);
  } catch {
    if (proposal.hasTransientData) {
      throw new RpcError(
        status.FAILED_PRECONDITION,
        "no endorsers found in the gateway's organization; retry specifying endorsing organization(s) to protect transient data",
      );
    }
  }
  try {
    return await planForInterest(channel, proposal.channelId, defaultInterest(proposal), undefined);
  } catch (error) {
    throw new RpcError(status.FAILED_PRECONDITION, messageOf(error));
  }
}

async function firstEndorsement(
  plan: EndorsementPlan,
  proposal: GatewayProposal,
): Promise<{ endorser: GatewayEndorser; response: peer.ProposalResponse }> {
  const details: EndpointError[] = [];
  let endorser = plan.endorsers()?.[0];
  while (endorser !== undefined) {
    const answer = responseStatus(await endorser.processProposal(proposal.signedProposal));
    if (answer.ok) return { endorser, response: answer.response };
    details.push({ address: endorser.address, mspId: endorser.mspId, message: answer.message });
    endorser = plan.nextInGroup(endorser);
  }
  throw new RpcError(status.ABORTED, 'failed to endorse transaction, see attached details for more info', details);
}

/** One endorsement of the endorser's group; returns the group when none of its peers could give one. */
async function collectFromGroup(
  plan: EndorsementPlan,
  first: GatewayEndorser,
  proposal: GatewayProposal,
): Promise<string | undefined> {
  for (
    let endorser: GatewayEndorser | undefined = first;
    endorser !== undefined;
    endorser = plan.nextInGroup(endorser)
  ) {
    const answer = responseStatus(await endorser.processProposal(proposal.signedProposal));
    if (!answer.ok) plan.addError(endorser, answer.message);
    else if (plan.addEndorsement(endorser, answer.response)) return undefined;
  }
  return plan.groupOf(first);
}

function defaultInterest(proposal: GatewayProposal): peer.ChaincodeInterest {
  const call = new peer.ChaincodeCall();
  call.setName(proposal.chaincodeName);
  const interest = new peer.ChaincodeInterest();
  interest.setChaincodesList([call]);
  return interest;
}
