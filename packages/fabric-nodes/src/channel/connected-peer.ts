import { createPrivateKey } from 'node:crypto';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, hash, signers, type Gateway } from '@hyperledger/fabric-gateway';
import { common, peer } from '@hyperledger/fabric-protos';
import { WaymarkError } from '@waymark/protocol';
import type { Member, NodeMember } from '../membership/membership.ts';
import { proposeTo } from './proposal.ts';

const MAX_MESSAGE_BYTES = 100 * 1024 * 1024;
const ALREADY_EXISTS = /already exists/;

/** Where a node is reached from this machine, whatever nodes call each other. All of them speak gRPC over TLS. */
export interface NodeAddress {
  readonly mspId: string;
  readonly name: string;
  readonly hostName: string;
  /** `host:port`; the certificate holds the host. */
  readonly address: string;
  readonly tlsRootCertPath: string;
  readonly tlsRootCertPem: string;
}

/** A peer with a connection for its organisation's admin. */
export interface ConnectedPeer {
  readonly node: NodeAddress;
  readonly client: Client;
  readonly admin: Member;
}

export function addressOf(node: NodeMember, port: number): NodeAddress {
  return {
    mspId: node.mspId,
    name: node.name,
    hostName: node.hostName,
    address: `localhost:${port}`,
    tlsRootCertPath: join(node.dir, 'tls', 'ca.crt'),
    tlsRootCertPem: node.tls.rootCertPem,
  };
}

export function connectTo(node: NodeAddress): Client {
  return new Client(node.address, credentials.createSsl(Buffer.from(node.tlsRootCertPem)), {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  });
}

/** A gateway client over a connection that stays the caller's. */
export function gatewayOver(client: Client, identity: Member): Gateway {
  return connect({
    client,
    identity: { mspId: identity.mspId, credentials: Buffer.from(identity.certificatePem) },
    signer: signers.newPrivateKeySigner(createPrivateKey(identity.privateKeyPem)),
    hash: hash.sha256,
  });
}

/** Joins the peer to the channel of a genesis block, unless it has it. */
export async function joinPeer({ client, admin }: ConnectedPeer, channel: string, genesis: Uint8Array): Promise<void> {
  if ((await channelsOf(client, admin)).includes(channel)) return;
  try {
    await proposeTo(client, admin, { channel: '', chaincode: 'cscc', args: [Buffer.from('JoinChain'), genesis] });
  } catch (error) {
    if (!(error instanceof WaymarkError && ALREADY_EXISTS.test(error.message))) throw error;
  }
}

async function channelsOf(client: Client, admin: Member): Promise<string[]> {
  const answer = await proposeTo(client, admin, { channel: '', chaincode: 'cscc', args: [Buffer.from('GetChannels')] });
  return peer.ChannelQueryResponse.deserializeBinary(answer)
    .getChannelsList()
    .map((channel) => channel.getChannelId());
}

/** Height of the peer's ledger. */
export async function heightOf({ client, admin }: ConnectedPeer, channel: string): Promise<bigint> {
  const answer = await proposeTo(client, admin, {
    channel,
    chaincode: 'qscc',
    args: [Buffer.from('GetChainInfo'), Buffer.from(channel)],
  });
  return BigInt(common.BlockchainInfo.deserializeBinary(answer).getHeight());
}
