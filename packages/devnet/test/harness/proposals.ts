import { createHash, randomBytes } from 'node:crypto';
import { common, orderer, peer } from '@hyperledger/fabric-protos';
import { createTimestamp } from '../../src/block/timestamp.ts';
import type { SigningIdentity } from '../../src/msp/index.ts';

/** A proposal as a client library makes one, with any part of it changed. */
export function buildSignedProposal(
  signer: SigningIdentity,
  options: {
    readonly channelId: string;
    readonly chaincode: string;
    readonly args: readonly (string | Uint8Array)[];
    readonly timeMs?: number;
    readonly txId?: string;
    readonly nonce?: Uint8Array;
    readonly type?: number;
    readonly isInit?: boolean;
  },
): peer.SignedProposal {
  const nonce = options.nonce ?? randomBytes(24);
  const id = new peer.ChaincodeID();
  id.setName(options.chaincode);
  const extension = new peer.ChaincodeHeaderExtension();
  extension.setChaincodeId(id);
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(options.type ?? common.HeaderType.ENDORSER_TRANSACTION);
  channelHeader.setTimestamp(createTimestamp(options.timeMs ?? Date.now()));
  channelHeader.setChannelId(options.channelId);
  channelHeader.setTxId(options.txId ?? createHash('sha256').update(nonce).update(signer.serialized).digest('hex'));
  channelHeader.setExtension$(extension.serializeBinary());
  const input = new peer.ChaincodeInput();
  input.setArgsList(options.args.map((arg) => (typeof arg === 'string' ? Buffer.from(arg) : arg)));
  input.setIsInit(options.isInit ?? false);
  const spec = new peer.ChaincodeSpec();
  spec.setChaincodeId(id);
  spec.setInput(input);
  const invocation = new peer.ChaincodeInvocationSpec();
  invocation.setChaincodeSpec(spec);
  const payload = new peer.ChaincodeProposalPayload();
  payload.setInput(invocation.serializeBinary());
  const proposal = new peer.Proposal();
  proposal.setHeader(buildHeader(channelHeader, signer, nonce).serializeBinary());
  proposal.setPayload(payload.serializeBinary());
  const signed = new peer.SignedProposal();
  signed.setProposalBytes(proposal.serializeBinary());
  signed.setSignature(signer.sign(signed.getProposalBytes_asU8()));
  return signed;
}

export type Position = 'oldest' | 'newest' | number;

/** A signed request for blocks. */
export function buildSeek(
  signer: SigningIdentity,
  options: {
    readonly channelId: string;
    readonly start?: Position;
    readonly stop?: Position;
    readonly failIfNotReady?: boolean;
    readonly headersOnly?: boolean;
    readonly timeMs?: number;
  },
): common.Envelope {
  const seek = new orderer.SeekInfo();
  if (options.start !== undefined) seek.setStart(buildPosition(options.start));
  if (options.stop !== undefined) seek.setStop(buildPosition(options.stop));
  if (options.failIfNotReady === true) seek.setBehavior(orderer.SeekInfo.SeekBehavior.FAIL_IF_NOT_READY);
  if (options.headersOnly === true) seek.setContentType(orderer.SeekInfo.SeekContentType.HEADER_WITH_SIG);
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(common.HeaderType.DELIVER_SEEK_INFO);
  channelHeader.setTimestamp(createTimestamp(options.timeMs ?? Date.now()));
  channelHeader.setChannelId(options.channelId);
  const payload = new common.Payload();
  payload.setHeader(buildHeader(channelHeader, signer, randomBytes(24)));
  payload.setData(seek.serializeBinary());
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  envelope.setSignature(signer.sign(envelope.getPayload_asU8()));
  return envelope;
}

function buildHeader(channelHeader: common.ChannelHeader, signer: SigningIdentity, nonce: Uint8Array): common.Header {
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(signer.serialized);
  signatureHeader.setNonce(nonce);
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  header.setSignatureHeader(signatureHeader.serializeBinary());
  return header;
}

function buildPosition(position: Position): orderer.SeekPosition {
  const result = new orderer.SeekPosition();
  if (position === 'oldest') result.setOldest(new orderer.SeekOldest());
  else if (position === 'newest') result.setNewest(new orderer.SeekNewest());
  else {
    const specified = new orderer.SeekSpecified();
    specified.setNumber(position);
    result.setSpecified(specified);
  }
  return result;
}

/** Calls an endorser and waits for what it answers. */
export function processProposal(
  client: peer.EndorserClient,
  proposal: peer.SignedProposal,
): Promise<peer.ProposalResponse> {
  return new Promise((resolve, reject) => {
    client.processProposal(proposal, (error, response) => {
      if (error === null && response !== undefined) resolve(response);
      else reject(error ?? new Error('neither an answer nor an error'));
    });
  });
}
