import { common, peer } from '@hyperledger/fabric-protos';
import { decode } from '../endorser/proposal.ts';

/** What the gateway needs of a signed proposal. */
export interface GatewayProposal {
  readonly signedProposal: peer.SignedProposal;
  readonly header: common.Header;
  readonly payload: peer.ChaincodeProposalPayload;
  readonly channelId: string;
  readonly chaincodeName: string;
  readonly hasTransientData: boolean;
}

/** Throws a plain Error with Fabric's text (internal/pkg/gateway/evaluate.go, getChannelAndChaincodeFromSignedProposal). */
export function unpackGatewayProposal(signedProposal: peer.SignedProposal): GatewayProposal {
  const proposal = decode('Proposal', peer.Proposal, signedProposal.getProposalBytes_asU8());
  const header = decode('Header', common.Header, proposal.getHeader_asU8());
  const channelHeader = decode('ChannelHeader', common.ChannelHeader, header.getChannelHeader_asU8());
  const payload = decode('ChaincodeProposalPayload', peer.ChaincodeProposalPayload, proposal.getPayload_asU8());
  const invocation = decode('ChaincodeInvocationSpec', peer.ChaincodeInvocationSpec, payload.getInput_asU8());
  return {
    signedProposal,
    header,
    payload,
    channelId: channelHeader.getChannelId(),
    chaincodeName: invocation.getChaincodeSpec()?.getChaincodeId()?.getName() ?? '',
    hasTransientData: payload.getTransientmapMap().getLength() > 0,
  };
}
