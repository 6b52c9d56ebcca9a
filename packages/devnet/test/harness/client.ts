import { createPrivateKey } from 'node:crypto';
import { Client, credentials, type ChannelOptions } from '@grpc/grpc-js';
import { connect, hash, signers, type Gateway } from '@hyperledger/fabric-gateway';
import type { NodeConnection } from '@waymark/devnet';

const MAX_MESSAGE_BYTES = 100 * 1024 * 1024;

export interface ClientIdentity {
  readonly mspId: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** A client as an application makes one, with the unmodified client library. */
export interface TestClient {
  readonly gateway: Gateway;
  readonly grpc: Client;
  close(): void;
}

export function connectClient(
  node: NodeConnection,
  identity: ClientIdentity,
  channelOptions: ChannelOptions = {},
): TestClient {
  const grpc = new Client(node.address, credentials.createSsl(Buffer.from(node.tlsRootCertPem)), {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    ...channelOptions,
  });
  const gateway = connect({
    client: grpc,
    identity: { mspId: identity.mspId, credentials: Buffer.from(identity.certificatePem) },
    signer: signers.newPrivateKeySigner(createPrivateKey(identity.privateKeyPem)),
    hash: hash.sha256,
  });
  return {
    gateway,
    grpc,
    close: () => {
      gateway.close();
      grpc.close();
    },
  };
}
