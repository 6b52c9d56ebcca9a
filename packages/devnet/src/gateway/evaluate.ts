import { status } from '@grpc/grpc-js';
import { gateway, peer } from '@hyperledger/fabric-protos';
import type { GatewayChannel, GatewayContext, GatewayEndorser } from './gateway-context.ts';
import { endorsersByOrganisation, mostAdvancedFirst } from './plan-endorsement.ts';
import { responseStatus } from './response-status.ts';
import { RpcError, type EndpointError } from './rpc-error.ts';
import { unpackGatewayProposal, type GatewayProposal } from './unpack-request.ts';
import { messageOf } from '../errors.ts';

/** Runs a transaction function on one peer and returns what it answers (Fabric: internal/pkg/gateway/evaluate.go). */
export async function evaluate(
  context: GatewayContext,
  request: gateway.EvaluateRequest,
): Promise<gateway.EvaluateResponse> {
  const proposal = unpack(request);
  const channel = context.channel(proposal.channelId);
  if (channel === undefined) {
    throw new RpcError(
      status.UNAVAILABLE,
      `failed to get config for channel [${proposal.channelId}]: could not get last config for channel ${proposal.channelId}`,
    );
  }
  const details: EndpointError[] = [];
  let code = status.UNAVAILABLE;
  for (const endorser of selectEndorsers(context, channel, proposal, request.getTargetOrganizationsList())) {
    const answer = responseStatus(
      await endorser.processProposal(proposal.signedProposal, { withoutEndorsement: true }),
    );
    if (answer.ok) return buildResponse(answer.response);
    details.push({ address: endorser.address, mspId: endorser.mspId, message: answer.message });
    code = answer.code;
    if (!answer.retry) {
      throw new RpcError(code, `evaluate call to endorser returned error: ${answer.message}`, details);
    }
  }
  throw new RpcError(code, 'failed to evaluate transaction, see attached details for more info', details);
}

function unpack(request: gateway.EvaluateRequest): GatewayProposal {
  try {
    const signedProposal = request.getProposedTransaction();
    if (signedProposal === undefined || signedProposal.getProposalBytes_asU8().length === 0) {
      throw new Error('a signed proposal is required');
    }
    const proposal = unpackGatewayProposal(signedProposal);
    if (proposal.channelId === '') throw new Error('no channel id provided');
    if (proposal.missing !== undefined) {
      throw new Error(`no ${proposal.missing} is provided, channel id [${proposal.channelId}]`);
    }
    return proposal;
  } catch (error) {
    const reason = messageOf(error);
    throw new RpcError(status.INVALID_ARGUMENT, `failed to unpack transaction proposal: ${reason}`);
  }
}

/** Own organisation first; transient data does not leave it unless the client names organisations. */
function selectEndorsers(
  context: GatewayContext,
  channel: GatewayChannel,
  proposal: GatewayProposal,
  targetOrganisations: readonly string[],
): readonly GatewayEndorser[] {
  const byOrganisation = endorsersByOrganisation(channel, proposal.chaincodeName);
  const protectTransient = proposal.hasTransientData && targetOrganisations.length === 0;
  const named = protectTransient ? [context.mspId] : targetOrganisations;
  const allowed = named.length === 0 ? [...byOrganisation.keys()] : named;
  const own = allowed.includes(context.mspId) ? (byOrganisation.get(context.mspId) ?? []) : [];
  const others = allowed
    .filter((mspId) => mspId !== context.mspId)
    .flatMap((mspId) => byOrganisation.get(mspId) ?? [])
    .sort(mostAdvancedFirst);
  if (own.length + others.length === 0) {
    const reason = `no peers available to evaluate chaincode ${proposal.chaincodeName} in channel ${proposal.channelId}`;
    throw new RpcError(
      status.FAILED_PRECONDITION,
      protectTransient
        ? `no endorsers found in the gateway's organization; retry specifying target organization(s) to protect transient data: ${reason}`
        : reason,
    );
  }
  return [...own, ...others];
}

/** The result that was endorsed is the one in the payload. */
function buildResponse(answer: peer.ProposalResponse): gateway.EvaluateResponse {
  const response = answer.getResponse() ?? new peer.Response();
  const payload = answer.getPayload_asU8();
  if (payload.length > 0) {
    const extension = peer.ProposalResponsePayload.deserializeBinary(payload).getExtension_asU8();
    response.setPayload(peer.ChaincodeAction.deserializeBinary(extension).getResponse()?.getPayload_asU8() ?? '');
  }
  const result = new gateway.EvaluateResponse();
  result.setResult(response);
  return result;
}
