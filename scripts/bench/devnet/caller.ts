import { createPrivateKey } from 'node:crypto';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, hash, signers } from '@hyperledger/fabric-gateway';

/** One organisation's client of the benchmark's contract, over the unmodified client library. */
export interface Caller {
  /** Stores bytes under a key; resolves when the transaction is committed and valid. */
  submit(key: string, value: Uint8Array): Promise<void>;
  /** Reads what is under a key. */
  evaluate(key: string): Promise<Uint8Array>;
  close(): void;
}

export interface CallerOptions {
  readonly endpoint: string;
  readonly tlsRootPem: string;
  readonly mspId: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly channel: string;
  readonly chaincode: string;
}

export function connectCaller(options: CallerOptions): Caller {
  const client = new Client(options.endpoint, credentials.createSsl(Buffer.from(options.tlsRootPem)));
  const gateway = connect({
    client,
    identity: { mspId: options.mspId, credentials: Buffer.from(options.certificatePem) },
    signer: signers.newPrivateKeySigner(createPrivateKey(options.privateKeyPem)),
    hash: hash.sha256,
  });
  const contract = gateway.getNetwork(options.channel).getContract(options.chaincode);
  return {
    submit: async (key, value) => {
      await contract.submit('put', { arguments: [key, value] });
    },
    evaluate: (key) => contract.evaluate('get', { arguments: [key] }),
    close: () => {
      gateway.close();
      client.close();
    },
  };
}
