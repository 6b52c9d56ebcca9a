import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { peer } from '@hyperledger/fabric-protos';
import { grpcMessage } from '../inputs/frames.ts';
import { mutate, nest, scramble } from '../inputs/mutate.ts';
import type { Random } from '../inputs/random.ts';

const { Type } = peer.ChaincodeMessage;
const CHANNEL = 'mychannel';
export const LARGE_EVENT_BYTES = 200 * 1024;

/** A chaincode server that says what no shim would. The devnet dials it, again and again. */
export interface HostileChaincode {
  readonly address: string;
  /** Streams that were opened, and messages sent on them. */
  readonly counts: { streams: number; sent: number };
  /** Streams that the devnet has open at this moment. */
  readonly open: () => number;
  /** What to do with the streams from now on. */
  behave(behaviour: string): void;
  close(): Promise<void>;
}

export const BEHAVIOURS = [
  'silent',
  'noise before registering',
  'registers with garbage',
  'registers twice',
  'registers a name of a mebibyte',
  'registers and goes',
  'mutated requests',
  'requests of no transaction, answers unread',
  'queries without end',
  'huge writes',
  'garbage as the answer',
  'hostile answers',
  'never answers',
  'never ends its side',
  'HTTP/2 errors',
  'wrong types',
] as const;

export async function startHostileChaincode(random: Random): Promise<HostileChaincode> {
  let behaviour: string = 'silent';
  const counts = { streams: 0, sent: 0 };
  const streams = new Set<ServerHttp2Stream>();
  const server = createHttp2Server();
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('sessionError', () => undefined);
  server.on('stream', (stream) => {
    const number = counts.streams++;
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
    stream.on('error', () => undefined);
    const source = random.fork(`stream ${number}`);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: false });
    const send = (bytes: Uint8Array) => {
      if (stream.destroyed || stream.writableEnded) return;
      counts.sent++;
      stream.write(grpcMessage(bytes));
    };
    serve(stream, behaviour, source, send);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    open: () => streams.size,
    behave: (next) => {
      behaviour = next;
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function serve(stream: ServerHttp2Stream, behaviour: string, random: Random, send: (bytes: Uint8Array) => void): void {
  const register = (name = 'hostile_1.0:00ff') => {
    const id = new peer.ChaincodeID();
    id.setName(name);
    send(build(Type.REGISTER, id.serializeBinary()));
  };
  const flood = (make: (index: number) => Uint8Array, count: number) => {
    for (let i = 0; i < count && !stream.destroyed; i++) send(make(i));
  };
  const onTransaction = (answer: (transaction: peer.ChaincodeMessage) => void) => {
    let pending = Buffer.alloc(0);
    stream.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 5 && pending.length >= 5 + pending.readUInt32BE(1)) {
        const length = 5 + pending.readUInt32BE(1);
        const message = peer.ChaincodeMessage.deserializeBinary(pending.subarray(5, length));
        pending = pending.subarray(length);
        if (message.getType() === Type.TRANSACTION) answer(message);
      }
    });
  };
  switch (behaviour) {
    case 'silent':
      return;
    case 'noise before registering':
      flood(() => random.bytes(random.below(200)), 20);
      return;
    case 'registers with garbage':
      send(build(Type.REGISTER, random.bytes(30)));
      return;
    case 'registers twice':
      register();
      register();
      return;
    case 'registers a name of a mebibyte':
      register('n'.repeat(1024 * 1024));
      return;
    case 'registers and goes':
      register();
      stream.end();
      return;
    case 'wrong types':
      register();
      flood(() => build(random.pick([0, 1, 2, 5, 18, 19, 99, -1]), random.bytes(10)), 10);
      return;
    case 'requests of no transaction, answers unread':
      register();
      stream.pause();
      flood((i) => build(Type.GET_STATE, getState('x'), `tx${i}`), 20_000);
      return;
    case 'HTTP/2 errors':
      register();
      stream.close(random.pick([1, 2, 7, 8, 11]));
      return;
    case 'never ends its side':
      register();
      stream.on('end', () => undefined);
      send(build(Type.REGISTERED, new Uint8Array()));
      return;
    case 'never answers':
      register();
      stream.resume();
      return;
    default:
      register();
      onTransaction((transaction) => converse(behaviour, random, send, transaction));
  }
}

function converse(
  behaviour: string,
  random: Random,
  send: (bytes: Uint8Array) => void,
  transaction: peer.ChaincodeMessage,
): void {
  const txId = transaction.getTxid();
  const reply = (type: number, payload: Uint8Array) => send(build(type, payload, txId));
  switch (behaviour) {
    case 'mutated requests':
      for (const [type, payload] of REQUESTS) {
        for (let i = 0; i < 6; i++)
          reply(type, random.chance(0.7) ? mutate(random, payload).bytes : scramble(random, payload).bytes);
      }
      send(mutate(random, build(Type.PUT_STATE, putState('k', 10), txId)).bytes);
      reply(Type.COMPLETED, ok('done'));
      return;
    case 'queries without end':
      for (let i = 0; i < 2_000; i++) reply(Type.GET_STATE_BY_RANGE, new peer.GetStateByRange().serializeBinary());
      return;
    case 'huge writes':
      for (let i = 0; i < 12; i++) reply(Type.PUT_STATE, putState(`big${i}`, 10 * 1024 * 1024));
      reply(Type.COMPLETED, ok('done'));
      return;
    case 'garbage as the answer':
      reply(
        Type.COMPLETED,
        random.pick([
          random.bytes(50),
          nest(1, 5_000),
          Buffer.alloc(0),
          Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        ]),
      );
      return;
    case 'hostile answers': {
      const message = new peer.ChaincodeMessage();
      message.setType(random.chance(0.5) ? Type.COMPLETED : Type.ERROR);
      message.setTxid(txId);
      message.setChannelId(CHANNEL);
      const response = new peer.Response();
      response.setStatus(random.pick([-1, 0, 199, 200, 399, 400, 499, 500, 2 ** 31 - 1]));
      response.setMessage(
        random.pick(['', '\0', 'é'.repeat(60_000), 'x'.repeat(1_000_000), '%', '\r\ngrpc-status: 0']),
      );
      response.setPayload(Buffer.alloc(random.pick([0, 1, 5_000_000])));
      message.setPayload(response.serializeBinary());
      if (random.chance(0.5)) {
        const event = new peer.ChaincodeEvent();
        event.setEventName(random.pick(['', 'e', '\0', 'n'.repeat(100_000)]));
        event.setChaincodeId('somebody else');
        event.setTxId('another');
        message.setChaincodeEvent(event);
      }
      send(message.serializeBinary());
      return;
    }
    case 'large events': {
      const event = new peer.ChaincodeEvent();
      event.setEventName('large');
      event.setPayload(Buffer.alloc(LARGE_EVENT_BYTES, 1));
      const message = peer.ChaincodeMessage.deserializeBinary(build(Type.COMPLETED, ok('done'), txId));
      message.setChaincodeEvent(event);
      send(message.serializeBinary());
      return;
    }
    default:
      reply(Type.COMPLETED, ok('done'));
  }
}

function build(type: number, payload: Uint8Array, txId = '', channelId = CHANNEL): Uint8Array {
  const message = new peer.ChaincodeMessage();
  message.setType(type as peer.ChaincodeMessage.TypeMap[keyof peer.ChaincodeMessage.TypeMap]);
  message.setPayload(payload);
  message.setTxid(txId);
  message.setChannelId(channelId);
  return message.serializeBinary();
}

function getState(key: string): Uint8Array {
  const request = new peer.GetState();
  request.setKey(key);
  return request.serializeBinary();
}

function putState(key: string, sizeBytes: number): Uint8Array {
  const request = new peer.PutState();
  request.setKey(key);
  request.setValue(Buffer.alloc(sizeBytes, 1));
  return request.serializeBinary();
}

function ok(text: string): Uint8Array {
  const response = new peer.Response();
  response.setStatus(200);
  response.setPayload(Buffer.from(text));
  return response.serializeBinary();
}

/** One right request of each kind that a chaincode has. */
const REQUESTS: readonly (readonly [number, Uint8Array])[] = [
  [Type.GET_STATE, getState('key')],
  [Type.PUT_STATE, putState('key', 20)],
  [Type.DEL_STATE, getState('key')],
  [Type.GET_STATE_METADATA, getState('key')],
  [Type.PUT_STATE_METADATA, metadataRequest()],
  [Type.GET_STATE_BY_RANGE, rangeRequest()],
  [Type.GET_QUERY_RESULT, getState('{}')],
  [Type.QUERY_STATE_NEXT, getState('no such query')],
  [Type.QUERY_STATE_CLOSE, getState('no such query')],
  [Type.GET_HISTORY_FOR_KEY, getState('key')],
  [Type.INVOKE_CHAINCODE, callRequest()],
];

function metadataRequest(): Uint8Array {
  const metadata = new peer.StateMetadata();
  metadata.setMetakey('VALIDATION_PARAMETER');
  metadata.setValue(Buffer.from('not a policy'));
  const request = new peer.PutStateMetadata();
  request.setKey('key');
  request.setMetadata(metadata);
  return request.serializeBinary();
}

function rangeRequest(): Uint8Array {
  const paging = new peer.QueryMetadata();
  paging.setPagesize(-5);
  paging.setBookmark('z');
  const request = new peer.GetStateByRange();
  request.setStartkey('z');
  request.setEndkey('a');
  request.setMetadata(paging.serializeBinary());
  return request.serializeBinary();
}

function callRequest(): Uint8Array {
  const id = new peer.ChaincodeID();
  id.setName('hostile');
  const input = new peer.ChaincodeInput();
  input.addArgs(Buffer.from('again'));
  const spec = new peer.ChaincodeSpec();
  spec.setChaincodeId(id);
  spec.setInput(input);
  return spec.serializeBinary();
}
