import { createHash, createPrivateKey, randomBytes, sign } from 'node:crypto';
import { common, gateway, msp, orderer, peer } from '@hyperledger/fabric-protos';

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

const nonceBytes = 24;
/** A ChannelHeader with an empty timestamp (field 3): fabric-protos takes timestamps of its own protobuf library alone. */
const headerWithTimestamp = Uint8Array.of(0x1a, 0x00);

export function createProposalSigner(identity: ClientIdentity, channel: string, chaincode: string): ProposalSigner {
  const signBytes = createSigner(identity.privateKeyPem);
  const serialized = new msp.SerializedIdentity();
  serialized.setMspid(identity.mspId);
  serialized.setIdBytes(Buffer.from(identity.certificatePem));
  const creator = serialized.serializeBinary();
  const chaincodeId = new peer.ChaincodeID();
  chaincodeId.setName(chaincode);

  const buildHeader = (
    type: common.HeaderTypeMap[keyof common.HeaderTypeMap],
  ): { readonly header: common.Header; readonly txId: string } => {
    const nonce = randomBytes(nonceBytes);
    const txId = createHash('sha256').update(nonce).update(creator).digest('hex');
    const extension = new peer.ChaincodeHeaderExtension();
    extension.setChaincodeId(chaincodeId);
    const channelHeader = common.ChannelHeader.deserializeBinary(headerWithTimestamp);
    channelHeader.setType(type);
    channelHeader.setTxId(txId);
    channelHeader.getTimestamp()?.fromDate(new Date());
    channelHeader.setChannelId(channel);
    channelHeader.setExtension$(extension.serializeBinary());
    const signatureHeader = new common.SignatureHeader();
    signatureHeader.setCreator(creator);
    signatureHeader.setNonce(nonce);
    const header = new common.Header();
    header.setChannelHeader(channelHeader.serializeBinary());
    header.setSignatureHeader(signatureHeader.serializeBinary());
    return { header, txId };
  };

  return {
    prepare: (name, args) => {
      const { header, txId } = buildHeader(common.HeaderType.ENDORSER_TRANSACTION);
      const input = new peer.ChaincodeInput();
      input.setArgsList([name, ...args].map((argument) => Buffer.from(argument)));
      const spec = new peer.ChaincodeSpec();
      spec.setType(peer.ChaincodeSpec.Type.NODE);
      spec.setChaincodeId(chaincodeId);
      spec.setInput(input);
      const invocation = new peer.ChaincodeInvocationSpec();
      invocation.setChaincodeSpec(spec);
      const payload = new peer.ChaincodeProposalPayload();
      payload.setInput(invocation.serializeBinary());
      const proposal = new peer.Proposal();
      proposal.setHeader(header.serializeBinary());
      proposal.setPayload(payload.serializeBinary());
      const proposalBytes = proposal.serializeBinary();
      const signed = new peer.SignedProposal();
      signed.setProposalBytes(proposalBytes);
      signed.setSignature(signBytes(proposalBytes));
      const request = new gateway.EndorseRequest();
      request.setTransactionId(txId);
      request.setChannelId(channel);
      request.setProposedTransaction(signed);
      return { txId, request: request.serializeBinary() };
    },
    signTransaction: (txId, endorsed) => {
      const envelope = gateway.EndorseResponse.deserializeBinary(endorsed).getPreparedTransaction();
      if (envelope === undefined) throw new Error('an endorsement without a transaction');
      envelope.setSignature(signBytes(envelope.getPayload_asU8()));
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
      payload.setHeader(buildHeader(common.HeaderType.DELIVER_SEEK_INFO).header);
      payload.setData(seek.serializeBinary());
      const payloadBytes = payload.serializeBinary();
      const envelope = new common.Envelope();
      envelope.setPayload(payloadBytes);
      envelope.setSignature(signBytes(payloadBytes));
      return envelope.serializeBinary();
    },
  };
}

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const fieldBytes = 32;

/** ECDSA P-256 over SHA-256, DER, with the smaller of the two possible s: Fabric refuses the other. */
function createSigner(privateKeyPem: string): (message: Uint8Array) => Uint8Array {
  const key = createPrivateKey(privateKeyPem);
  return (message) => {
    const rs = sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' });
    const s = BigInt(`0x${rs.subarray(fieldBytes).toString('hex')}`);
    const lowS = s > order / 2n ? order - s : s;
    const body = Buffer.concat([
      derInteger(rs.subarray(0, fieldBytes)),
      derInteger(Buffer.from(lowS.toString(16).padStart(2 * fieldBytes, '0'), 'hex')),
    ]);
    return Buffer.concat([Buffer.of(0x30, body.length), body]);
  };
}

function derInteger(unsigned: Buffer): Buffer {
  let start = 0;
  while (start < unsigned.length - 1 && unsigned[start] === 0) start += 1;
  const digits = unsigned.subarray(start);
  const sign = (digits[0] ?? 0) >= 0x80 ? Buffer.of(0) : Buffer.alloc(0);
  return Buffer.concat([Buffer.of(0x02, sign.length + digits.length), sign, digits]);
}
