/**
 * The peer's side of Fabric's shim protocol, as far as contract tests need it: it dials a chaincode that runs as a service
 * (`protos.Chaincode/Connect`), sends invocations over the real stream and answers their reads from a world state in memory.
 * So the contract under test is the deployed one, behind the unmodified shim.
 */
import { createHash, randomBytes } from 'node:crypto';
import { credentials, type ChannelCredentials, type ClientDuplexStream } from '@grpc/grpc-js';
import { common, ledger, msp, peer } from '@hyperledger/fabric-protos';
import timestamps from 'google-protobuf/google/protobuf/timestamp_pb.js';
import type { ShimOutcome, ShimRangeRead, WorldState } from './world-state.ts';

export {
  createWorldState,
  type ShimOutcome,
  type ShimRangeRead,
  type ShimValidation,
  type WorldState,
} from './world-state.ts';

/** Who signs an invocation. No signature is made: the shim relies on the peer for that. */
export interface ShimCreator {
  readonly mspId: string;
  readonly certificatePem: string;
}

/** One invocation. */
export interface ShimCall {
  /** `contract:function` */
  readonly name: string;
  readonly args: readonly (string | Uint8Array)[];
  readonly creator: ShimCreator;
  /** The time the client claims; default now. */
  readonly timestampMs?: number;
  readonly transient?: Readonly<Record<string, Uint8Array>>;
  /** Fixes the transaction id; default random. */
  readonly nonce?: Uint8Array;
}

/** A stream to one chaincode process. */
export interface ShimPeer {
  /** The package id under which the chaincode registered. */
  readonly packageId: string;
  /** Runs an invocation against a state; failures of the contract are outcomes with status 500. */
  invoke(call: ShimCall, state: WorldState): Promise<ShimOutcome>;
  close(): void;
}

/**
 * Dials a chaincode service and completes the handshake: REGISTER, REGISTERED, READY.
 *
 * @param address `host:port`
 * @param options `timeoutMs` for the handshake (default 10,000), TLS credentials (default none), channel id (default `waymark`)
 */
export async function connectShimPeer(
  address: string,
  options: { readonly timeoutMs?: number; readonly tls?: ChannelCredentials; readonly channelId?: string } = {},
): Promise<ShimPeer> {
  const limits = { 'grpc.max_receive_message_length': 100 << 20, 'grpc.max_send_message_length': 100 << 20 };
  const client = new peer.ChaincodeClient(address, options.tls ?? credentials.createInsecure(), limits);
  const timeoutMs = options.timeoutMs ?? 10_000;
  await new Promise<void>((resolve, reject) =>
    client.waitForReady(Date.now() + timeoutMs, (error) => (error ? reject(error) : resolve())),
  );
  const stream = client.connect();
  const session = new Session(stream, options.channelId ?? 'waymark');
  const packageId = await session.handshake(timeoutMs);
  return {
    packageId,
    invoke: (call, state) => session.invoke(call, state),
    close() {
      stream.end();
      client.close();
    },
  };
}

type Stream = ClientDuplexStream<peer.ChaincodeMessage, peer.ChaincodeMessage>;
type MessageType = peer.ChaincodeMessage.TypeMap[keyof peer.ChaincodeMessage.TypeMap];

const { Type } = peer.ChaincodeMessage;
/** Results that go out in one message of a range read, as in Fabric. */
const resultsPerMessage = 100;

interface OpenIterator {
  readonly rest: ledger.queryresult.KV[] | ledger.queryresult.KeyModification[];
}

interface RunningTransaction {
  readonly txId: string;
  readonly timestampMs: number;
  readonly state: WorldState;
  readonly reads: Map<string, number | undefined>;
  readonly writes: Map<string, Uint8Array | undefined>;
  readonly ranges: ShimRangeRead[];
  readonly iterators: Map<string, OpenIterator>;
  paged: boolean;
  resolve(outcome: ShimOutcome): void;
  reject(error: Error): void;
}

class Session {
  readonly #stream: Stream;
  readonly #channelId: string;
  readonly #running = new Map<string, RunningTransaction>();
  #registered: ((packageId: string) => void) | undefined;

  constructor(stream: Stream, channelId: string) {
    this.#stream = stream;
    this.#channelId = channelId;
    stream.on('data', (message: peer.ChaincodeMessage) => this.#onMessage(message));
    stream.on('error', (error) => this.#fail(error));
    stream.on('end', () => this.#fail(new Error('the chaincode closed the stream')));
  }

  handshake(timeoutMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the chaincode did not register in time')), timeoutMs);
      this.#registered = (packageId) => {
        clearTimeout(timer);
        this.#send(Type.REGISTERED, new Uint8Array(), '');
        this.#send(Type.READY, new Uint8Array(), '');
        resolve(packageId);
      };
    });
  }

  invoke(call: ShimCall, state: WorldState): Promise<ShimOutcome> {
    const timestampMs = call.timestampMs ?? Date.now();
    const { proposal, txId } = buildProposal(call, this.#channelId, timestampMs);
    const input = new peer.ChaincodeInput();
    input.setArgsList([call.name, ...call.args].map((argument) => Buffer.from(argument)));
    return new Promise((resolve, reject) => {
      this.#running.set(txId, {
        txId,
        timestampMs,
        state,
        reads: new Map(),
        writes: new Map(),
        ranges: [],
        iterators: new Map(),
        paged: false,
        resolve,
        reject,
      });
      this.#send(Type.TRANSACTION, input.serializeBinary(), txId, proposal);
    });
  }

  #send(type: MessageType, payload: Uint8Array, txId: string, proposal?: peer.SignedProposal): void {
    const message = new peer.ChaincodeMessage();
    message.setType(type);
    message.setPayload(payload);
    message.setTxid(txId);
    message.setChannelId(txId === '' ? '' : this.#channelId);
    if (proposal !== undefined) message.setProposal(proposal);
    this.#stream.write(message);
  }

  #fail(error: Error): void {
    for (const transaction of this.#running.values()) transaction.reject(error);
    this.#running.clear();
  }

  #onMessage(message: peer.ChaincodeMessage): void {
    const type = message.getType();
    const payload = message.getPayload_asU8();
    if (type === Type.REGISTER) this.#registered?.(peer.ChaincodeID.deserializeBinary(payload).getName());
    const transaction = this.#running.get(message.getTxid());
    if (transaction === undefined) return;
    if (type === Type.COMPLETED || type === Type.ERROR) this.#complete(transaction, message);
    else this.#answer(transaction, type, payload);
  }

  #answer(transaction: RunningTransaction, type: MessageType, payload: Uint8Array): void {
    try {
      this.#send(Type.RESPONSE, answerRequest(transaction, type, payload), transaction.txId);
    } catch (error) {
      const text = `${nameOf(type)} failed: transaction ID: ${transaction.txId}: ${error instanceof Error ? error.message : String(error)}`;
      this.#send(Type.ERROR, Buffer.from(text), transaction.txId);
    }
  }

  #complete(transaction: RunningTransaction, message: peer.ChaincodeMessage): void {
    const { txId, timestampMs, reads, writes, ranges } = transaction;
    this.#running.delete(txId);
    if (message.getType() === Type.ERROR) {
      transaction.reject(new Error(Buffer.from(message.getPayload_asU8()).toString()));
      return;
    }
    const response = peer.Response.deserializeBinary(message.getPayload_asU8());
    const event = message.getChaincodeEvent();
    transaction.resolve({
      txId,
      timestampMs,
      status: response.getStatus(),
      message: response.getMessage(),
      payload: response.getPayload_asU8(),
      ...(event && { event: { name: event.getEventName(), payload: event.getPayload_asU8() } }),
      reads,
      writes,
      ranges,
    });
  }
}

/** Answers one request of the chaincode with the payload of RESPONSE; throws with the reason of an ERROR. */
function answerRequest(transaction: RunningTransaction, type: MessageType, payload: Uint8Array): Uint8Array {
  const none = new Uint8Array();
  switch (type) {
    case Type.GET_STATE: {
      const key = peer.GetState.deserializeBinary(payload).getKey();
      const stored = transaction.state.get(key);
      transaction.reads.set(key, stored?.version);
      return stored?.value ?? none;
    }
    case Type.PUT_STATE: {
      const put = peer.PutState.deserializeBinary(payload);
      write(transaction, put.getKey(), put.getValue_asU8());
      return none;
    }
    case Type.DEL_STATE:
      write(transaction, peer.DelState.deserializeBinary(payload).getKey(), undefined);
      return none;
    case Type.GET_STATE_BY_RANGE:
      return readRange(transaction, peer.GetStateByRange.deserializeBinary(payload));
    case Type.GET_HISTORY_FOR_KEY:
      return readHistory(transaction, peer.GetHistoryForKey.deserializeBinary(payload).getKey());
    case Type.QUERY_STATE_NEXT:
      return nextResults(transaction, peer.QueryStateNext.deserializeBinary(payload).getId()).serializeBinary();
    case Type.QUERY_STATE_CLOSE: {
      const id = peer.QueryStateClose.deserializeBinary(payload).getId();
      transaction.iterators.delete(id);
      const response = new peer.QueryResponse();
      response.setId(id);
      return response.serializeBinary();
    }
    default:
      throw new Error('this test peer does not answer that');
  }
}

function write(transaction: RunningTransaction, key: string, value: Uint8Array | undefined): void {
  if (key === '') throw new Error('nil key');
  if (transaction.paged) throw new Error('txid has performed a paginated query; writes are not allowed');
  transaction.writes.set(key, value);
}

function readRange(transaction: RunningTransaction, request: peer.GetStateByRange): Uint8Array {
  const metadata =
    request.getMetadata_asU8().length === 0
      ? undefined
      : peer.QueryMetadata.deserializeBinary(request.getMetadata_asU8());
  const bookmark = metadata?.getBookmark() ?? '';
  const start = bookmark === '' ? request.getStartkey() : bookmark;
  const all = transaction.state.range(start, request.getEndkey());
  const page = metadata === undefined ? all : all.slice(0, metadata.getPagesize());
  if (metadata === undefined) {
    const seen = page.map(([key, { version }]) => [key, version] as const);
    transaction.ranges.push({ start, end: request.getEndkey(), seen });
  } else {
    if (transaction.writes.size > 0) throw new Error('txid has writes; a paginated query is not allowed');
    transaction.paged = true;
  }
  const response = openIterator(
    transaction,
    page.map(([key, { value }]) => {
      const result = new ledger.queryresult.KV();
      result.setKey(key);
      result.setValue(value);
      return result;
    }),
  );
  if (metadata !== undefined) {
    const responseMetadata = new peer.QueryResponseMetadata();
    responseMetadata.setFetchedRecordsCount(page.length);
    responseMetadata.setBookmark(all[page.length]?.[0] ?? '');
    response.setMetadata(responseMetadata.serializeBinary());
  }
  return response.serializeBinary();
}

function readHistory(transaction: RunningTransaction, key: string): Uint8Array {
  const results = transaction.state.history(key).map(({ txId, timestampMs, value }) => {
    const modification = new ledger.queryresult.KeyModification();
    modification.setTxId(txId);
    modification.setTimestamp(toTimestamp(timestampMs));
    modification.setIsDelete(value === undefined);
    modification.setValue(value ?? new Uint8Array());
    return modification;
  });
  return openIterator(transaction, results).serializeBinary();
}

function openIterator(transaction: RunningTransaction, rest: OpenIterator['rest']): peer.QueryResponse {
  const id = `${transaction.txId}-${transaction.iterators.size}`;
  transaction.iterators.set(id, { rest });
  return nextResults(transaction, id);
}

function nextResults(transaction: RunningTransaction, id: string): peer.QueryResponse {
  const iterator = transaction.iterators.get(id);
  if (iterator === undefined) throw new Error('query iterator not found');
  const response = new peer.QueryResponse();
  response.setId(id);
  response.setResultsList(
    iterator.rest.splice(0, resultsPerMessage).map((result) => {
      const bytes = new peer.QueryResultBytes();
      bytes.setResultbytes(result.serializeBinary());
      return bytes;
    }),
  );
  response.setHasMore(iterator.rest.length > 0);
  return response;
}

function buildProposal(
  call: ShimCall,
  channelId: string,
  timestampMs: number,
): { readonly proposal: peer.SignedProposal; readonly txId: string } {
  const identity = new msp.SerializedIdentity();
  identity.setMspid(call.creator.mspId);
  identity.setIdBytes(Buffer.from(call.creator.certificatePem));
  const creator = identity.serializeBinary();
  const nonce = call.nonce ?? randomBytes(24);
  const txId = createHash('sha256').update(nonce).update(creator).digest('hex');
  const channelHeader = new common.ChannelHeader();
  channelHeader.setType(common.HeaderType.ENDORSER_TRANSACTION);
  channelHeader.setChannelId(channelId);
  channelHeader.setTxId(txId);
  channelHeader.setTimestamp(toTimestamp(timestampMs));
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(creator);
  signatureHeader.setNonce(nonce);
  const header = new common.Header();
  header.setChannelHeader(channelHeader.serializeBinary());
  header.setSignatureHeader(signatureHeader.serializeBinary());
  const input = new peer.ChaincodeInput();
  input.setArgsList([call.name, ...call.args].map((argument) => Buffer.from(argument)));
  const spec = new peer.ChaincodeSpec();
  spec.setInput(input);
  const invocation = new peer.ChaincodeInvocationSpec();
  invocation.setChaincodeSpec(spec);
  const payload = new peer.ChaincodeProposalPayload();
  payload.setInput(invocation.serializeBinary());
  for (const [name, value] of Object.entries(call.transient ?? {})) payload.getTransientmapMap().set(name, value);
  const unsigned = new peer.Proposal();
  unsigned.setHeader(header.serializeBinary());
  unsigned.setPayload(payload.serializeBinary());
  const proposal = new peer.SignedProposal();
  proposal.setProposalBytes(unsigned.serializeBinary());
  return { proposal, txId };
}

function toTimestamp(timestampMs: number): timestamps.Timestamp {
  const timestamp = new timestamps.Timestamp();
  timestamp.setSeconds(Math.floor(timestampMs / 1000));
  timestamp.setNanos((timestampMs % 1000) * 1_000_000);
  return timestamp;
}

function nameOf(type: MessageType): string {
  return Object.entries(Type).find(([, value]) => value === type)?.[0] ?? String(type);
}
