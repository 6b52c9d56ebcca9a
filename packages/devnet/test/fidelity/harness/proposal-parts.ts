import { createHash, randomBytes } from 'node:crypto';
import { common, peer } from '@hyperledger/fabric-protos';
import { createTimestamp } from '../../../src/block/timestamp.ts';
import type { SigningIdentity } from '../../../src/msp/index.ts';

/** Every part of a proposal, to be changed before it is put into the next one. */
export interface ProposalParts {
  readonly channelId: string;
  readonly chaincode: string;
  readonly args?: readonly (string | Uint8Array)[];
  readonly extension?: (extension: peer.ChaincodeHeaderExtension) => void;
  readonly extensionBytes?: Uint8Array;
  readonly signatureHeader?: (header: common.SignatureHeader) => void;
  readonly signatureHeaderBytes?: Uint8Array;
  readonly channelHeader?: (header: common.ChannelHeader) => void;
  readonly channelHeaderBytes?: Uint8Array;
  readonly spec?: (spec: peer.ChaincodeSpec) => void;
  readonly specBytes?: Uint8Array;
  readonly invocation?: (invocation: peer.ChaincodeInvocationSpec) => void;
  readonly payloadBytes?: Uint8Array;
  readonly headerBytes?: Uint8Array;
  readonly proposalBytes?: Uint8Array;
  readonly signature?: (signature: Uint8Array) => Uint8Array;
  readonly transient?: Readonly<Record<string, string>>;
}

/** A proposal whose transaction id fits the signature header as it ends up, unless `channelHeader` sets another one. */
export function buildProposal(signer: SigningIdentity, parts: ProposalParts): peer.SignedProposal {
  const id = new peer.ChaincodeID();
  id.setName(parts.chaincode);
  const extension = new peer.ChaincodeHeaderExtension();
  extension.setChaincodeId(id);
  parts.extension?.(extension);
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(signer.serialized);
  signatureHeader.setNonce(randomBytes(24));
  parts.signatureHeader?.(signatureHeader);
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(common.HeaderType.ENDORSER_TRANSACTION);
  channelHeader.setTimestamp(createTimestamp(Date.now()));
  channelHeader.setChannelId(parts.channelId);
  channelHeader.setTxId(
    createHash('sha256')
      .update(signatureHeader.getNonce_asU8())
      .update(signatureHeader.getCreator_asU8())
      .digest('hex'),
  );
  channelHeader.setExtension$(parts.extensionBytes ?? extension.serializeBinary());
  parts.channelHeader?.(channelHeader);
  const header = new common.Header();
  header.setChannelHeader(parts.channelHeaderBytes ?? channelHeader.serializeBinary());
  header.setSignatureHeader(parts.signatureHeaderBytes ?? signatureHeader.serializeBinary());
  const proposal = new peer.Proposal();
  proposal.setHeader(parts.headerBytes ?? header.serializeBinary());
  proposal.setPayload(parts.payloadBytes ?? buildPayload(parts, id));
  const signed = new peer.SignedProposal();
  signed.setProposalBytes(parts.proposalBytes ?? proposal.serializeBinary());
  const signature = signer.sign(signed.getProposalBytes_asU8());
  signed.setSignature(parts.signature?.(signature) ?? signature);
  return signed;
}

function buildPayload(parts: ProposalParts, id: peer.ChaincodeID): Uint8Array {
  const input = new peer.ChaincodeInput();
  input.setArgsList((parts.args ?? []).map((arg) => (typeof arg === 'string' ? Buffer.from(arg) : arg)));
  const spec = new peer.ChaincodeSpec();
  spec.setChaincodeId(id);
  spec.setInput(input);
  parts.spec?.(spec);
  const invocation = new peer.ChaincodeInvocationSpec();
  invocation.setChaincodeSpec(spec);
  parts.invocation?.(invocation);
  const payload = new peer.ChaincodeProposalPayload();
  payload.setInput(parts.specBytes ?? invocation.serializeBinary());
  for (const [name, value] of Object.entries(parts.transient ?? {})) {
    payload.getTransientmapMap().set(name, Buffer.from(value));
  }
  return payload.serializeBinary();
}
