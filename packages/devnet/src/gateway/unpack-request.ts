import type { common, peer } from '@hyperledger/fabric-protos';
import { partsOf } from '../endorser/proposal-parts.ts';

/** What the gateway needs of a signed proposal. */
export interface GatewayProposal {
  readonly signedProposal: peer.SignedProposal;
  readonly header: common.Header;
  readonly payload: peer.ChaincodeProposalPayload;
  readonly channelId: string;
  /** Empty when there is none; `missing` says what is. */
  readonly chaincodeName: string;
  readonly missing: 'chaincode spec' | 'chaincode id' | 'chaincode name' | undefined;
  readonly hasTransientData: boolean;
}

/** Throws a plain Error with Fabric's text (internal/pkg/gateway/evaluate.go, getChannelAndChaincodeFromSignedProposal). */
export function unpackGatewayProposal(signedProposal: peer.SignedProposal): GatewayProposal {
  const { header, channelHeader, payload, invocation } = partsOf(signedProposal);
  const chaincodeId = invocation.getChaincodeSpec()?.getChaincodeId();
  const chaincodeName = chaincodeId?.getName() ?? '';
  return {
    signedProposal,
    header,
    payload,
    channelId: channelHeader.getChannelId(),
    chaincodeName,
    missing: whatIsMissing(invocation.hasChaincodeSpec(), chaincodeId !== undefined, chaincodeName),
    hasTransientData: payload.getTransientmapMap().getLength() > 0,
  };
}

function whatIsMissing(hasSpec: boolean, hasId: boolean, name: string): GatewayProposal['missing'] {
  if (!hasSpec) return 'chaincode spec';
  if (!hasId) return 'chaincode id';
  return name === '' ? 'chaincode name' : undefined;
}
