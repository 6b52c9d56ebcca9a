import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { peer } from '@hyperledger/fabric-protos';

const Type = peer.ChaincodeMessage.Type;
type Stream = ServerDuplexStream<peer.ChaincodeMessage, peer.ChaincodeMessage>;

/** One transaction as the chaincode sees it. */
export interface ScriptedTransaction {
  readonly txId: string;
  readonly channelId: string;
  readonly args: readonly string[];
  /** Sends a request and resolves with the peer's answer, RESPONSE or ERROR. */
  readonly ask: (type: number, payload: Uint8Array) => Promise<peer.ChaincodeMessage>;
}

/** An answer in full; `completed` replaces the serialised response. */
export interface ScriptedAnswer {
  readonly status?: number;
  readonly message?: string;
  readonly payload?: string;
  readonly completed?: Uint8Array;
  readonly event?: peer.ChaincodeEvent;
}

export type Script = (transaction: ScriptedTransaction) => Promise<string | Error | ScriptedAnswer>;

export interface ScriptedChaincode {
  readonly address: string;
  readonly streams: readonly Stream[];
  /** Ends all streams, as a chaincode that crashes does. */
  drop(): void;
  stop(): void;
}

/** A chaincode server that speaks the protocol by hand, to say what no shim would say. */
export async function startScriptedChaincode(
  packageId: string | (() => string),
  script: Script,
): Promise<ScriptedChaincode> {
  const streams: Stream[] = [];
  const server = new Server();
  server.addService(peer.ChaincodeService, {
    connect: (stream: Stream) => {
      streams.push(stream);
      serve(stream, packageId, script);
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    address: `127.0.0.1:${port}`,
    streams,
    drop: () => {
      for (const stream of streams.splice(0)) stream.end();
    },
    stop: () => server.forceShutdown(),
  };
}

function serve(stream: Stream, packageId: string | (() => string), script: Script): void {
  const id = new peer.ChaincodeID();
  id.setName(typeof packageId === 'string' ? packageId : packageId());
  stream.write(message(Type.REGISTER, id.serializeBinary()));
  const waiting = new Map<string, (answer: peer.ChaincodeMessage) => void>();
  stream.on('data', (incoming: peer.ChaincodeMessage) => {
    const { txId, channelId } = { txId: incoming.getTxid(), channelId: incoming.getChannelId() };
    if (incoming.getType() !== Type.TRANSACTION) {
      waiting.get(channelId + txId)?.(incoming);
      return;
    }
    const input = peer.ChaincodeInput.deserializeBinary(incoming.getPayload_asU8());
    const transaction: ScriptedTransaction = {
      txId,
      channelId,
      args: input.getArgsList_asU8().map((arg) => Buffer.from(arg).toString()),
      ask: (type, payload) =>
        new Promise((resolve) => {
          waiting.set(channelId + txId, resolve);
          stream.write(message(type, payload, txId, channelId));
        }),
    };
    void script(transaction).then((result) => {
      if (result instanceof Error) {
        stream.write(message(Type.ERROR, Buffer.from(result.message), txId, channelId));
        return;
      }
      const response = new peer.Response();
      const answer: ScriptedAnswer = typeof result === 'string' ? { payload: result } : result;
      response.setStatus(answer.status ?? 200);
      response.setMessage(answer.message ?? '');
      response.setPayload(Buffer.from(answer.payload ?? ''));
      const completed = message(Type.COMPLETED, answer.completed ?? response.serializeBinary(), txId, channelId);
      if (answer.event !== undefined) completed.setChaincodeEvent(answer.event);
      stream.write(completed);
    });
  });
  stream.on('error', () => undefined);
}

function message(type: number, payload: Uint8Array, txId = '', channelId = ''): peer.ChaincodeMessage {
  const result = new peer.ChaincodeMessage();
  result.setType(type as peer.ChaincodeMessage.TypeMap[keyof peer.ChaincodeMessage.TypeMap]);
  result.setPayload(payload);
  result.setTxid(txId);
  result.setChannelId(channelId);
  return result;
}
