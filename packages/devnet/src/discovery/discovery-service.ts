import { status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { discovery } from '@hyperledger/fabric-protos';
import { messageOf } from '../errors.ts';
import type { SignedData } from '../policy/policy.ts';
import { answerChaincodeQuery } from './chaincode-query.ts';
import { answerConfigQuery } from './config-query.ts';
import type { DiscoveryContext } from './context.ts';
import { answerLocalPeersQuery, answerMembershipQuery } from './membership-query.ts';

const { QueryCase } = discovery.Query;
const ACCESS_DENIED = 'access denied';
const UNKNOWN_TYPE = 'unknown or missing request type';
/** More queries in one request are refused: each costs signatures. */
const MAX_QUERIES = 100;

/** The handlers of `discovery.Discovery` (Fabric: discovery/service.go). */
export function createDiscoveryService(context: DiscoveryContext): discovery.IDiscoveryServer {
  return {
    discover: (
      call: ServerUnaryCall<discovery.SignedRequest, discovery.Response>,
      callback: sendUnaryData<discovery.Response>,
    ) => {
      discover(context, call.request).then(
        (response) => callback(null, response),
        (error: unknown) => callback({ code: status.UNKNOWN, details: messageOf(error) }),
      );
    },
  };
}

/** Throws, with Fabric's text, what makes the whole request wrong; what makes one query wrong is in its result. */
async function discover(context: DiscoveryContext, request: discovery.SignedRequest): Promise<discovery.Response> {
  const { queries, signed } = readRequest(request);
  const response = new discovery.Response();
  for (const query of queries) {
    try {
      response.addResults(await answer(context, query, signed));
    } catch (error) {
      response.addResults(buildError(messageOf(error)));
    }
  }
  return response;
}

/** As on a Fabric peer that does not insist on client certificates, the hash of one in the request is not looked at. */
function readRequest(signedRequest: discovery.SignedRequest): {
  queries: readonly discovery.Query[];
  signed: SignedData;
} {
  const data = signedRequest.getPayload_asU8();
  let request: discovery.Request;
  try {
    request = discovery.Request.deserializeBinary(data);
  } catch (cause) {
    throw new Error('failed parsing request: proto: cannot parse invalid wire-format data', { cause });
  }
  const authentication = request.getAuthentication();
  if (authentication === undefined) throw new Error('access denied, no authentication info in request');
  const identity = authentication.getClientIdentity_asU8();
  if (identity.length === 0) throw new Error("access denied, client identity wasn't supplied");
  const queries = request.getQueriesList();
  if (queries.length > MAX_QUERIES) throw new Error(`a request holds at most ${MAX_QUERIES} queries`);
  return { queries, signed: { data, identity, signature: signedRequest.getSignature_asU8() } };
}

async function answer(
  context: DiscoveryContext,
  query: discovery.Query,
  signed: SignedData,
): Promise<discovery.QueryResult> {
  const channelId = query.getChannel();
  checkEligible(context, channelId, signed);
  if (channelId === '') {
    if (query.getQueryCase() !== QueryCase.LOCAL_PEERS) throw new Error(UNKNOWN_TYPE);
    return answerLocalPeersQuery(context);
  }
  switch (query.getQueryCase()) {
    case QueryCase.CONFIG_QUERY:
      return answerConfigQuery(context.channel.config());
    case QueryCase.PEER_QUERY:
      return answerMembershipQuery(context, query.getPeerQuery()?.getFilter());
    case QueryCase.CC_QUERY:
      return answerChaincodeQuery(context, query.getCcQuery() ?? new discovery.ChaincodeQuery());
    default:
      throw new Error(UNKNOWN_TYPE);
  }
}

/** Fabric tells nobody why. */
function checkEligible(context: DiscoveryContext, channelId: string, signed: SignedData): void {
  try {
    if (channelId === '') context.checkLocalAccess(signed);
    else if (channelId === context.channelId) context.checkChannelAccess(signed);
    else throw new Error('no such channel');
  } catch (cause) {
    throw new Error(ACCESS_DENIED, { cause });
  }
}

function buildError(content: string): discovery.QueryResult {
  const error = new discovery.Error();
  error.setContent(content);
  const result = new discovery.QueryResult();
  result.setError(error);
  return result;
}
