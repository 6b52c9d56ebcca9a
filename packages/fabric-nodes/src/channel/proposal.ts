import { createHash, randomBytes } from 'node:crypto';
import type { Client } from '@grpc/grpc-js';
import { common, peer } from '@hyperledger/fabric-protos';
import { createSigningIdentity, createTimestamp, type SigningIdentity } from '@waymark/devnet/fabric';
import { WaymarkError } from '@waymark/protocol';
import type { Member } from '../membership/membership.ts';

const CALL_TIMEOUT_MS = 300_000;
const NONCE_BYTES = 24;

/**
 * Calls a system chaincode on one peer, as the `peer` command does: for what concerns the peer alone and has no channel yet.
 *
 * @param timeoutMs by default long: a peer may build a chaincode meanwhile
 * @throws WaymarkError `chaincode-error` with the peer's message, or `unavailable`
 */
export async function proposeTo(
  client: Client,
  signer: Member,
  call: ChaincodeCall,
  timeoutMs = CALL_TIMEOUT_MS,
): Promise<Uint8Array> {
  const { processProposal } = peer.EndorserService;
  const response = await new Promise<peer.ProposalResponse>((resolve, reject) => {
    client.makeUnaryRequest(
      processProposal.path,
      processProposal.requestSerialize,
      processProposal.responseDeserialize,
      buildSignedProposal(createSigningIdentity(signer), call).signed,
      { deadline: Date.now() + timeoutMs },
      (error, value) => {
        if (error !== null) reject(new WaymarkError('unavailable', error.details, { cause: error }));
        else if (value === undefined) reject(new WaymarkError('unavailable', 'the peer gave no answer'));
        else resolve(value);
      },
    );
  });
  const answer = response.getResponse();
  if (answer === undefined || answer.getStatus() !== 200) {
    throw new WaymarkError('chaincode-error', answer?.getMessage() ?? 'the peer gave no response');
  }
  return answer.getPayload_asU8();
}

/** What one call to a chaincode consists of. */
export interface ChaincodeCall {
  /** Empty for calls that concern the peer alone. */
  readonly channel: string;
  readonly chaincode: string;
  /** The function's name first. */
  readonly args: readonly Uint8Array[];
}

/** A signed proposal as client libraries make it, with its transaction id: hex SHA-256 of nonce and creator. */
export function buildSignedProposal(
  signer: SigningIdentity,
  call: ChaincodeCall,
): { readonly txId: string; readonly signed: peer.SignedProposal } {
  const id = new peer.ChaincodeID();
  id.setName(call.chaincode);
  const extension = new peer.ChaincodeHeaderExtension();
  extension.setChaincodeId(id);
  const { header, txId } = buildHeader(signer, {
    type: common.HeaderType.ENDORSER_TRANSACTION,
    channel: call.channel,
    extension: extension.serializeBinary(),
  });
  const input = new peer.ChaincodeInput();
  input.setArgsList([...call.args]);
  const spec = new peer.ChaincodeSpec();
  spec.setType(peer.ChaincodeSpec.Type.GOLANG);
  spec.setChaincodeId(id);
  spec.setInput(input);
  const invocation = new peer.ChaincodeInvocationSpec();
  invocation.setChaincodeSpec(spec);
  const payload = new peer.ChaincodeProposalPayload();
  payload.setInput(invocation.serializeBinary());
  const proposal = new peer.Proposal();
  proposal.setHeader(header.serializeBinary());
  proposal.setPayload(payload.serializeBinary());
  const signed = new peer.SignedProposal();
  signed.setProposalBytes(proposal.serializeBinary());
  signed.setSignature(signer.sign(signed.getProposalBytes_asU8()));
  return { txId, signed };
}

/** The header of anything that a client signs, with a fresh nonce. */
export function buildHeader(
  signer: SigningIdentity,
  fields: {
    readonly type: common.HeaderTypeMap[keyof common.HeaderTypeMap];
    readonly channel: string;
    readonly extension?: Uint8Array;
  },
): { readonly header: common.Header; readonly txId: string } {
  const nonce = randomBytes(NONCE_BYTES);
  const txId = createHash('sha256').update(nonce).update(signer.serialized).digest('hex');
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(fields.type);
  channelHeader.setTimestamp(createTimestamp(Date.now()));
  channelHeader.setChannelId(fields.channel);
  channelHeader.setTxId(txId);
  if (fields.extension !== undefined) channelHeader.setExtension$(fields.extension);
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(signer.serialized);
  signatureHeader.setNonce(nonce);
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  header.setSignatureHeader(signatureHeader.serializeBinary());
  return { header, txId };
}
