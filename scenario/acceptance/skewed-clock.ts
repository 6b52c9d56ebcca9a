import { createPrivateKey } from 'node:crypto';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, hash, signers } from '@hyperledger/fabric-gateway';
import { common, gateway as gatewayMessages, peer } from '@hyperledger/fabric-protos';
import { createTimestamp } from '@waymark/devnet/fabric';
import type { Firm, Identity } from '../support/running-consortium.ts';

/**
 * Submits a transaction of a client whose clock is wrong.
 *
 * @param fn with its contract, as `contract:function`
 * @param offsetMs how far the client's clock is from ours
 */
export async function submitAt(
  firm: Firm,
  identity: Identity,
  fn: string,
  argument: string,
  offsetMs: number,
): Promise<void> {
  const { endpoint, tlsRootPem } = firm.gateway;
  const client = new Client(endpoint, credentials.createSsl(Buffer.from(tlsRootPem)));
  const sign = signers.newPrivateKeySigner(createPrivateKey(identity.privateKeyPem));
  const gateway = connect({
    client,
    identity: { mspId: firm.mspId, credentials: Buffer.from(identity.certificatePem) },
    signer: sign,
    hash: hash.sha256,
  });
  try {
    const proposal = gateway
      .getNetwork(firm.channel)
      .getContract('waymark')
      .newProposal(fn, { arguments: [argument] });
    const late = gateway.newProposal(withTime(proposal.getBytes(), Date.now() + offsetMs));
    const endorsed = await gateway.newSignedProposal(late.getBytes(), await sign(late.getDigest())).endorse();
    const submitted = await endorsed.submit();
    const { successful, code } = await submitted.getStatus();
    if (!successful) throw new Error(`committed as ${String(code)}`);
  } finally {
    gateway.close();
    client.close();
  }
}

/** The same proposal with another time in its header. */
function withTime(bytes: Uint8Array, timeMs: number): Uint8Array {
  const proposed = gatewayMessages.ProposedTransaction.deserializeBinary(bytes);
  const signed = proposed.getProposal();
  if (signed === undefined) throw new Error('there is a proposal');
  const proposal = peer.Proposal.deserializeBinary(signed.getProposalBytes_asU8());
  const header = common.Header.deserializeBinary(proposal.getHeader_asU8());
  const channelHeader = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
  channelHeader.setTimestamp(createTimestamp(timeMs));
  header.setChannelHeader(channelHeader.serializeBinary());
  proposal.setHeader(header.serializeBinary());
  signed.setProposalBytes(proposal.serializeBinary());
  proposed.setProposal(signed);
  return proposed.serializeBinary();
}
