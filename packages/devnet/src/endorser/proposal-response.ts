import { peer } from '@hyperledger/fabric-protos';
import type { SigningIdentity } from '../msp/msp.ts';

export interface ProposalOutcome {
  readonly proposalHash: Uint8Array;
  readonly chaincodeName: string;
  readonly chaincodeVersion: string;
  readonly response: peer.Response;
  readonly event: peer.ChaincodeEvent | undefined;
  readonly readWriteSet: Uint8Array;
}

/** `ProposalResponsePayload` bytes: what endorsers sign and all of them must agree on. */
export function buildProposalResponsePayload(outcome: ProposalOutcome): Uint8Array {
  const chaincodeId = new peer.ChaincodeID();
  chaincodeId.setName(outcome.chaincodeName);
  chaincodeId.setVersion(outcome.chaincodeVersion);
  const action = new peer.ChaincodeAction();
  action.setResults(outcome.readWriteSet);
  if (outcome.event !== undefined) action.setEvents(outcome.event.serializeBinary());
  action.setResponse(outcome.response);
  action.setChaincodeId(chaincodeId);
  const payload = new peer.ProposalResponsePayload();
  payload.setProposalHash(outcome.proposalHash);
  payload.setExtension$(action.serializeBinary());
  return payload.serializeBinary();
}

export function buildEndorsement(payload: Uint8Array, endorser: SigningIdentity): peer.Endorsement {
  const endorsement = new peer.Endorsement();
  endorsement.setEndorser(endorser.serialized);
  endorsement.setSignature(endorser.sign(Buffer.concat([payload, endorser.serialized])));
  return endorsement;
}

/** A response that the peer itself gives: no payload, no endorsement. */
export function buildPeerError(message: string): peer.ProposalResponse {
  const response = new peer.Response();
  response.setStatus(500);
  response.setMessage(message);
  const proposalResponse = new peer.ProposalResponse();
  proposalResponse.setResponse(response);
  return proposalResponse;
}
