import type { common, peer } from '@hyperledger/fabric-protos';
import { partsOf, type ProposalParts } from './proposal-parts.ts';

/** A signed proposal taken apart. */
export interface UnpackedProposal {
  readonly signedProposal: peer.SignedProposal;
  readonly parts: ProposalParts;
  readonly channelHeader: common.ChannelHeader;
  readonly signatureHeader: common.SignatureHeader;
  readonly channelId: string;
  readonly txId: string;
  readonly chaincodeName: string;
  /** As the call itself has it, which is not what is executed; undefined when it has none. */
  readonly invokedName: string | undefined;
  readonly input: peer.ChaincodeInput;
  /** SHA-256 over both headers and the payload without its transient data. */
  readonly proposalHash: Uint8Array;
}

/** Fabric: core/endorser/msgvalidation.go, UnpackProposal. Throws a plain Error with Fabric's text. */
export function unpackProposal(signedProposal: peer.SignedProposal): UnpackedProposal {
  const parts = partsOf(signedProposal);
  const { channelHeader, signatureHeader, extension } = parts;
  const chaincodeId = extension.getChaincodeId();
  if (chaincodeId === undefined) throw new Error('ChaincodeHeaderExtension.ChaincodeId is nil');
  const chaincodeName = chaincodeId.getName();
  if (chaincodeName === '') throw new Error('ChaincodeHeaderExtension.ChaincodeId.Name is empty');
  const spec = parts.invocation.getChaincodeSpec();
  if (spec === undefined) throw new Error('chaincode invocation spec did not contain chaincode spec');
  const input = spec.getInput();
  if (input === undefined) throw new Error('chaincode input did not contain any input');
  return {
    signedProposal,
    parts,
    channelHeader,
    signatureHeader,
    channelId: channelHeader.getChannelId(),
    txId: channelHeader.getTxId(),
    chaincodeName,
    invokedName: spec.getChaincodeId()?.getName(),
    input,
    proposalHash: parts.hash,
  };
}
