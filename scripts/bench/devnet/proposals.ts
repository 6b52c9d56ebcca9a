import { common, gateway, orderer } from '@hyperledger/fabric-protos';
import { createSigningIdentity } from '@waymark/devnet/fabric';
import { buildHeader, buildSignedProposal } from '@waymark/fabric-nodes';

/** A client of one organisation, as it signs. */
export interface ClientIdentity {
  readonly mspId: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** A transaction that is ready to be sent. */
export interface PreparedCall {
  readonly txId: string;
  /** A signed `gateway.EndorseRequest` or, for evaluations, `gateway.EvaluateRequest`: they have the same fields. */
  readonly request: Uint8Array;
}

/** Builds and signs what one client sends to one chaincode. */
export interface ProposalSigner {
  prepare(name: string, args: readonly (string | Uint8Array)[]): PreparedCall;
  /** `gateway.SubmitRequest` of what was endorsed: a `gateway.EndorseResponse`. */
  signTransaction(txId: string, endorsed: Uint8Array): Uint8Array;
  /** `common.Envelope` that asks for the newest block and all that come. */
  newestBlocks(): Uint8Array;
}

export function createProposalSigner(identity: ClientIdentity, channel: string, chaincode: string): ProposalSigner {
  const signer = createSigningIdentity(identity);
  return {
    prepare: (name, args) => {
      const call = { channel, chaincode, args: [name, ...args].map((argument) => Buffer.from(argument)) };
      const { txId, signed } = buildSignedProposal(signer, call);
      const request = new gateway.EndorseRequest();
      request.setTransactionId(txId);
      request.setChannelId(channel);
      request.setProposedTransaction(signed);
      return { txId, request: request.serializeBinary() };
    },
    signTransaction: (txId, endorsed) => {
      const envelope = gateway.EndorseResponse.deserializeBinary(endorsed).getPreparedTransaction();
      if (envelope === undefined) throw new Error('an endorsement without a transaction');
      envelope.setSignature(signer.sign(envelope.getPayload_asU8()));
      const request = new gateway.SubmitRequest();
      request.setTransactionId(txId);
      request.setChannelId(channel);
      request.setPreparedTransaction(envelope);
      return request.serializeBinary();
    },
    newestBlocks: () => {
      const start = new orderer.SeekPosition();
      start.setNewest(new orderer.SeekNewest());
      const specified = new orderer.SeekSpecified();
      specified.setNumber(Number.MAX_SAFE_INTEGER);
      const stop = new orderer.SeekPosition();
      stop.setSpecified(specified);
      const seek = new orderer.SeekInfo();
      seek.setStart(start);
      seek.setStop(stop);
      seek.setBehavior(orderer.SeekInfo.SeekBehavior.BLOCK_UNTIL_READY);
      const payload = new common.Payload();
      payload.setHeader(buildHeader(signer, { type: common.HeaderType.DELIVER_SEEK_INFO, channel }).header);
      payload.setData(seek.serializeBinary());
      const payloadBytes = payload.serializeBinary();
      const envelope = new common.Envelope();
      envelope.setPayload(payloadBytes);
      envelope.setSignature(signer.sign(payloadBytes));
      return envelope.serializeBinary();
    },
  };
}
