import { Client, credentials } from '@grpc/grpc-js';
import { orderer, type common } from '@hyperledger/fabric-protos';

const BROADCAST_TIMEOUT_MS = 60_000;
const MAX_MESSAGE_BYTES = 100 * 1024 * 1024;

export interface GrpcNode {
  readonly hostName: string;
  readonly address: string;
  readonly tlsRootCertPem: string;
}

export function connectGrpc(node: GrpcNode): Client {
  return new Client(node.address, credentials.createSsl(Buffer.from(node.tlsRootCertPem)), {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  });
}

/** Sends one envelope to the orderer; gives its status code and text. */
export function broadcast(client: Client, envelope: common.Envelope): Promise<{ status: number; info: string }> {
  const method = orderer.AtomicBroadcastService.broadcast;
  const stream = client.makeBidiStreamRequest<common.Envelope, orderer.BroadcastResponse>(
    method.path,
    method.requestSerialize,
    method.responseDeserialize,
    { deadline: Date.now() + BROADCAST_TIMEOUT_MS },
  );
  return new Promise((resolve, reject) => {
    stream.on('data', (response: orderer.BroadcastResponse) => {
      resolve({ status: response.getStatus(), info: response.getInfo() });
      stream.end();
    });
    stream.on('error', reject);
    stream.on('end', () => reject(new Error('the orderer ended the stream without an answer')));
    stream.write(envelope);
  });
}
