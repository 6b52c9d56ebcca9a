import { createHash } from 'node:crypto';
import { common, peer } from '@hyperledger/fabric-protos';

/** A signed proposal taken apart. */
export interface UnpackedProposal {
  readonly signedProposal: peer.SignedProposal;
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
  const proposal = decode('Proposal', peer.Proposal, signedProposal.getProposalBytes_asU8());
  const header = decode('Header', common.Header, proposal.getHeader_asU8());
  const channelHeader = decode('ChannelHeader', common.ChannelHeader, header.getChannelHeader_asU8());
  const signatureHeader = decode('SignatureHeader', common.SignatureHeader, header.getSignatureHeader_asU8());
  const extension = decode(
    'ChaincodeHeaderExtension',
    peer.ChaincodeHeaderExtension,
    channelHeader.getExtension_asU8(),
  );
  const chaincodeId = extension.getChaincodeId();
  if (chaincodeId === undefined) throw new Error('ChaincodeHeaderExtension.ChaincodeId is nil');
  if (chaincodeId.getName() === '') throw new Error('ChaincodeHeaderExtension.ChaincodeId.Name is empty');
  const payload = decode('ChaincodeProposalPayload', peer.ChaincodeProposalPayload, proposal.getPayload_asU8());
  const invocation = decode('ChaincodeInvocationSpec', peer.ChaincodeInvocationSpec, payload.getInput_asU8());
  const spec = invocation.getChaincodeSpec();
  if (spec === undefined) throw new Error('chaincode invocation spec did not contain chaincode spec');
  const input = spec.getInput();
  if (input === undefined) throw new Error('chaincode input did not contain any input');
  return {
    signedProposal,
    channelHeader,
    signatureHeader,
    channelId: channelHeader.getChannelId(),
    txId: channelHeader.getTxId(),
    chaincodeName: chaincodeId.getName(),
    invokedName: spec.getChaincodeId()?.getName(),
    input,
    proposalHash: createHash('sha256')
      .update(header.getChannelHeader_asU8())
      .update(header.getSignatureHeader_asU8())
      .update(withoutTransient(payload))
      .digest(),
  };
}

/** `ChaincodeProposalPayload` bytes as they may go into a block. */
export function withoutTransient(payload: peer.ChaincodeProposalPayload): Uint8Array {
  const visible = new peer.ChaincodeProposalPayload();
  visible.setInput(payload.getInput_asU8());
  return visible.serializeBinary();
}

/** Reads a message; what cannot be read is an error that names the message. */
export function decode<T>(name: string, type: { deserializeBinary(bytes: Uint8Array): T }, bytes: Uint8Array): T {
  try {
    return type.deserializeBinary(bytes);
  } catch (cause) {
    throw new Error(`error unmarshalling ${name}: proto: cannot parse invalid wire-format data`, { cause });
  }
}
