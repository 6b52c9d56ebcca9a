import { peer } from '@hyperledger/fabric-protos';
import { ChaincodeCall, type ChaincodeEndpoint } from './chaincode-call.ts';
import { typeName, unmarshal, type PeerMessage, type ChaincodeMessageType } from './chaincode-message.ts';
import {
  handleGetHistoryForKey,
  handleGetQueryResult,
  handleGetStateByRange,
  handleQueryStateClose,
  handleQueryStateNext,
} from './query-requests.ts';
import {
  handleDelState,
  handleGetState,
  handleGetStateMetadata,
  handlePutState,
  handlePutStateMetadata,
  unsupportedRequest,
  type StateRequestHandler,
} from './state-requests.ts';
import { TransactionContext, type Transaction } from './transaction-context.ts';
import { messageOf } from '../errors.ts';

const Type = peer.ChaincodeMessage.Type;

const STREAM_TERMINATED = 'chaincode stream terminated';
/** Time for a chaincode to end its side of a stream that the peer has ended. */
const END_GRACE_MS = 500;
const MAX_PACKAGE_ID_LENGTH = 1024;
const EXECUTION_TIMEOUT = 'timeout expired while executing transaction';

const STATE_REQUESTS: ReadonlyMap<ChaincodeMessageType, StateRequestHandler> = new Map([
  [Type.GET_STATE, handleGetState],
  [Type.PUT_STATE, handlePutState],
  [Type.DEL_STATE, handleDelState],
  [Type.GET_STATE_METADATA, handleGetStateMetadata],
  [Type.PUT_STATE_METADATA, handlePutStateMetadata],
  [Type.GET_STATE_BY_RANGE, handleGetStateByRange],
  [Type.QUERY_STATE_NEXT, handleQueryStateNext],
  [Type.QUERY_STATE_CLOSE, handleQueryStateClose],
  [Type.GET_HISTORY_FOR_KEY, handleGetHistoryForKey],
  [Type.GET_QUERY_RESULT, handleGetQueryResult],
  [Type.GET_PRIVATE_DATA_HASH, unsupportedRequest('private data collections')],
  [Type.PURGE_PRIVATE_DATA, unsupportedRequest('private data collections')],
  [Type.WRITE_BATCH_STATE, unsupportedRequest('batches of writes')],
  [Type.GET_STATE_MULTIPLE, unsupportedRequest('reading several keys at once')],
]);

interface Execution {
  readonly context: TransactionContext;
  readonly settle: (outcome: peer.ChaincodeMessage | Error) => void;
}

export interface ChaincodeStreamHandlers {
  /** The chaincode has said who it is; throwing refuses it and ends the stream. */
  register(packageId: string): void;
  ready(): void;
  /** Once, when the stream is over. */
  closed(reason: Error): void;
  /** Another chaincode is called; the answer is the serialised message of the called chaincode. */
  invokeChaincode(spec: peer.ChaincodeSpec, context: TransactionContext): Promise<Uint8Array>;
}

/**
 * The peer's end of one stream to one chaincode: registration, then any number of transactions at once, told apart by
 * channel and transaction id (Fabric: core/chaincode/handler.go).
 */
export class ChaincodeStream {
  readonly #call: ChaincodeCall;
  readonly #handlers: ChaincodeStreamHandlers;
  readonly #executions = new Map<string, Execution>();
  #state: 'created' | 'ready' | 'closed' = 'created';

  /** The peer is the client of the call, the chaincode the server. */
  constructor(endpoint: ChaincodeEndpoint, handlers: ChaincodeStreamHandlers) {
    this.#handlers = handlers;
    this.#call = new ChaincodeCall(endpoint, {
      message: (message) => this.#receive(message),
      ended: (reason) => this.close(reason ?? new Error('the chaincode ended the stream')),
    });
  }

  /** Runs the chaincode; resolves with COMPLETED or ERROR. Rejects on time-out and when the stream ends. */
  async execute(
    transaction: Transaction,
    namespace: string,
    input: peer.ChaincodeInput,
    timeoutMs: number,
  ): Promise<peer.ChaincodeMessage> {
    if (this.#state !== 'ready') throw new Error(STREAM_TERMINATED);
    const id = executionId(transaction.channelId, transaction.txId);
    if (this.#executions.has(id)) throw new Error(`txid: ${transaction.txId}(${transaction.channelId}) exists`);
    const context = new TransactionContext(transaction, namespace);
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<peer.ChaincodeMessage>((resolve, reject) => {
        const settle = (outcome: peer.ChaincodeMessage | Error) => {
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        };
        this.#executions.set(id, { context, settle });
        timer = setTimeout(() => settle(new Error(EXECUTION_TIMEOUT)), timeoutMs);
        const { txId, channelId, signedProposal } = transaction;
        const payload = serialized(input);
        this.#send({ type: Type.TRANSACTION, payload, txId, channelId, proposal: serialized(signedProposal) });
      });
    } finally {
      clearTimeout(timer);
      this.#executions.delete(id);
      await context.closeQueries();
    }
  }

  /** Ends the stream; transactions in flight fail with Fabric's text. */
  close(reason: Error): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    for (const { settle } of this.#executions.values()) settle(new Error(STREAM_TERMINATED));
    this.#call.finish();
    // A chaincode that does not end its side would keep this stream and all that come after it.
    setTimeout(() => this.#call.cancel(), END_GRACE_MS).unref();
    this.#handlers.closed(reason);
  }

  #receive(message: peer.ChaincodeMessage): void {
    const type = message.getType();
    if (this.#state === 'closed' || type === Type.KEEPALIVE) return;
    try {
      if (this.#state === 'created') this.#receiveRegistration(type, message);
      else if (type === Type.COMPLETED || type === Type.ERROR) this.#complete(message);
      else if (type === Type.INVOKE_CHAINCODE || STATE_REQUESTS.has(type)) void this.#answer(message);
      else throw new Error(`cannot handle message (${typeName(type)}) while in ready state`);
    } catch (error) {
      this.close(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #receiveRegistration(type: ChaincodeMessageType, message: peer.ChaincodeMessage): void {
    if (type !== Type.REGISTER) throw new Error(`cannot handle message (${typeName(type)}) while in created state`);
    const packageId = peer.ChaincodeID.deserializeBinary(message.getPayload_asU8()).getName();
    if (packageId.length > MAX_PACKAGE_ID_LENGTH) throw new Error('the name that the chaincode registers is too long');
    this.#handlers.register(packageId);
    this.#send({ type: Type.REGISTERED });
    this.#send({ type: Type.READY });
    this.#state = 'ready';
    this.#handlers.ready();
  }

  #complete(message: peer.ChaincodeMessage): void {
    this.#executions.get(executionId(message.getChannelId(), message.getTxid()))?.settle(message);
  }

  async #answer(message: peer.ChaincodeMessage): Promise<void> {
    const transaction = { txId: message.getTxid(), channelId: message.getChannelId() };
    const context = this.#executions.get(executionId(transaction.channelId, transaction.txId))?.context;
    if (context?.requestActive === true) return;
    if (context !== undefined) context.requestActive = true;
    let answer: PeerMessage;
    try {
      const payload = await this.#handle(message, context);
      answer = { type: Type.RESPONSE, payload, ...transaction };
    } catch (error) {
      const reason = messageOf(error);
      const text = `${typeName(message.getType())} failed: transaction ID: ${transaction.txId}: ${reason}`;
      answer = { type: Type.ERROR, payload: Buffer.from(text), ...transaction };
    }
    if (context !== undefined) context.requestActive = false;
    this.#send(answer);
  }

  #handle(message: peer.ChaincodeMessage, context: TransactionContext | undefined): Promise<Uint8Array | undefined> {
    const payload = message.getPayload_asU8();
    if (message.getType() === Type.INVOKE_CHAINCODE) {
      if (context === undefined) throw new Error('could not get valid transaction');
      return this.#handlers.invokeChaincode(unmarshal(peer.ChaincodeSpec, payload), context);
    }
    if (context === undefined) throw new Error('no ledger context');
    const handler = STATE_REQUESTS.get(message.getType());
    if (handler === undefined) throw new Error('unknown request');
    return handler(payload, context);
  }

  #send(message: PeerMessage): void {
    if (this.#state !== 'closed') this.#call.send(message);
  }
}

const SERIALIZED = Symbol('serialized');

/** Bytes of what the endorsing peers of a process share: made once for all of them, and kept with it. */
function serialized(message: { serializeBinary(): Uint8Array; [SERIALIZED]?: Uint8Array }): Uint8Array {
  let bytes = message[SERIALIZED];
  if (bytes === undefined) message[SERIALIZED] = bytes = message.serializeBinary();
  return bytes;
}

function executionId(channelId: string, txId: string): string {
  return channelId + txId;
}
