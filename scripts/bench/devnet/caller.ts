import { gateway, peer } from '@hyperledger/fabric-protos';
import { connectGrpc } from './grpc-connection.ts';
import { createProposalSigner, type ClientIdentity, type PreparedCall } from './proposals.ts';

/**
 * One organisation's client of the benchmark's contract. Proposals are signed before they are needed, and commits are known
 * from one stream of filtered blocks, so that it is the network that is measured.
 */
export interface Caller {
  /** A transaction that stores bytes under a key. */
  preparePut(key: string, value: Uint8Array): PreparedCall;
  /** Reads what is under a key. */
  prepareGet(key: string): PreparedCall;
  /** Endorse, sign, submit; resolves when the organisation's peer has committed the transaction and found it valid. */
  submit(prepared: PreparedCall): Promise<void>;
  evaluate(prepared: PreparedCall): Promise<Uint8Array>;
  close(): void;
}

export interface CallerOptions extends ClientIdentity {
  /** Gateway and events, `host:port`. */
  readonly endpoint: string;
  readonly tlsRootPem: string;
  readonly channel: string;
  readonly chaincode: string;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (reason: Error) => void;
}

export async function connectCaller(options: CallerOptions): Promise<Caller> {
  const signer = createProposalSigner(options, options.channel, options.chaincode);
  const connection = await connectGrpc(options.endpoint, options.tlsRootPem);
  const waiting = new Map<string, Waiting>();
  await new Promise<void>((resolve, reject) => {
    connection.stream(
      '/protos.Deliver/DeliverFiltered',
      signer.newestBlocks(),
      (answer) => {
        resolve();
        settleCommitted(answer, waiting);
      },
      (reason) => {
        reject(reason);
        for (const transaction of waiting.values()) transaction.reject(reason);
      },
    );
  });
  return {
    preparePut: (key, value) => signer.prepare('put', [key, value]),
    prepareGet: (key) => signer.prepare('get', [key]),
    submit: async ({ txId, request }) => {
      const endorsed = await connection.call('/gateway.Gateway/Endorse', request);
      const transaction = signer.signTransaction(txId, endorsed);
      const committed = new Promise<void>((resolve, reject) => waiting.set(txId, { resolve, reject }));
      committed.catch(() => undefined);
      await connection.call('/gateway.Gateway/Submit', transaction);
      await committed;
    },
    evaluate: async ({ request }) => {
      const answer = await connection.call('/gateway.Gateway/Evaluate', request);
      const result = gateway.EvaluateResponse.deserializeBinary(answer).getResult();
      if (result?.getStatus() !== 200) throw new Error(`an evaluation answered ${result?.getMessage() ?? 'nothing'}`);
      return result.getPayload_asU8();
    },
    close: () => connection.close(),
  };
}

function settleCommitted(answer: Uint8Array, waiting: Map<string, Waiting>): void {
  const block = peer.DeliverResponse.deserializeBinary(answer).getFilteredBlock();
  for (const transaction of block?.getFilteredTransactionsList() ?? []) {
    const txId = transaction.getTxid();
    const code = transaction.getTxValidationCode();
    if (code === peer.TxValidationCode.VALID) waiting.get(txId)?.resolve();
    else waiting.get(txId)?.reject(new Error(`a transaction was committed with code ${code}`));
    waiting.delete(txId);
  }
}
