import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import { peer } from '@hyperledger/fabric-protos';
import { encodeMessage, type PeerMessage } from './chaincode-message.ts';

const PATH = '/protos.Chaincode/Connect';
const MAX_MESSAGE_BYTES = 100 * 1024 * 1024;
/** What a chaincode that does not read may leave with us: more than two of the largest messages. */
const MAX_UNSENT_BYTES = 256 * 1024 * 1024;
const HEAD_BYTES = 5;
const WINDOW_BYTES = 1024 * 1024;
const CONNECT_TIMEOUT_MS = 20_000;
/** As Fabric's peers do (core.yaml: peer.keepalive.client). */
const PING_INTERVAL_MS = 60_000;
const PING_TIMEOUT_MS = 20_000;

/** Where a chaincode server listens. */
export interface ChaincodeEndpoint {
  /** `host:port`. */
  readonly address: string;
  /** PEM of the CA of the server's certificate; without it the connection is not encrypted. */
  readonly tlsRootCertPem?: string;
  /** PEM; both or none, for servers that ask for client certificates. */
  readonly clientKeyPem?: string;
  readonly clientCertPem?: string;
}

export interface ChaincodeCallHandlers {
  message(message: peer.ChaincodeMessage): void;
  /** Once, when the call is over; undefined when the chaincode ended it in order. */
  ended(reason: Error | undefined): void;
}

/**
 * One call of `protos.Chaincode/Connect` on a connection of its own: gRPC over HTTP/2. Every transaction passes through here
 * with all its reads and writes, so it does only what this one call needs: what is sent in one turn of the event loop goes out
 * in one frame, and while the chaincode does not read what it is sent, it is not read from.
 */
export class ChaincodeCall {
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #handlers: ChaincodeCallHandlers;
  readonly #pingTimer: NodeJS.Timeout;
  #outgoing: Uint8Array[] = [];
  #arrived: Buffer[] = [];
  #arrivedBytes = 0;
  #wantedBytes = HEAD_BYTES;
  #status: { readonly code: string; readonly text: string } | undefined;
  #connectionError: Error | undefined;
  #over = false;

  constructor(endpoint: ChaincodeEndpoint, handlers: ChaincodeCallHandlers) {
    this.#handlers = handlers;
    this.#session = openSession(endpoint);
    this.#session.on('error', (error: Error) => (this.#connectionError ??= error));
    const connectTimer = setTimeout(() => {
      this.#session.destroy(new Error('the connection was not made in time'));
    }, CONNECT_TIMEOUT_MS);
    this.#session.once('connect', () => clearTimeout(connectTimer));
    this.#session.once('close', () => clearTimeout(connectTimer));
    this.#pingTimer = setInterval(() => this.#ping(), PING_INTERVAL_MS).unref();
    this.#stream = this.#session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: PATH,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [constants.HTTP2_HEADER_TE]: 'trailers',
      'grpc-accept-encoding': 'identity',
    });
    this.#stream.on('response', (headers) => this.#readStatus(headers));
    this.#stream.on('trailers', (headers: IncomingHttpHeaders) => {
      this.#readStatus(headers);
      // There is no end for who does not read.
      if (this.#stream.isPaused()) this.#end();
    });
    this.#stream.on('data', (data: Buffer) => this.#receive(data));
    this.#stream.on('error', (error: Error) => (this.#connectionError ??= error));
    this.#stream.on('end', () => setImmediate(() => this.#end()));
    this.#stream.on('close', () => this.#end());
  }

  send(message: PeerMessage): void {
    if (this.#over) return;
    if (this.#outgoing.length === 0) setImmediate(() => this.#flush());
    const bytes = encodeMessage(message, HEAD_BYTES);
    bytes.writeUInt32BE(bytes.length - HEAD_BYTES, 1);
    this.#outgoing.push(bytes);
  }

  /** Nothing more will be sent. */
  finish(): void {
    if (this.#over) return;
    if (this.#session.connecting) {
      this.cancel();
      return;
    }
    this.#flush();
    this.#stream.end();
  }

  /** Ends the call and its connection, now. */
  cancel(): void {
    if (this.#over) return;
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#end();
  }

  #flush(): void {
    const pieces = this.#outgoing;
    if (pieces.length === 0) return;
    this.#outgoing = [];
    if (this.#over || this.#stream.writableEnded || this.#stream.write(joined(pieces))) return;
    if (this.#stream.writableLength > MAX_UNSENT_BYTES) {
      this.#connectionError ??= new Error('the chaincode does not read what it is sent');
      this.cancel();
      return;
    }
    if (this.#stream.isPaused()) return;
    this.#stream.pause();
    this.#stream.once('drain', () => this.#stream.resume());
  }

  #receive(data: Buffer): void {
    this.#arrived.push(data);
    this.#arrivedBytes += data.length;
    if (this.#arrivedBytes < this.#wantedBytes) return;
    let bytes = this.#arrived.length === 1 ? data : Buffer.concat(this.#arrived);
    try {
      while (!this.#over && bytes.length >= HEAD_BYTES) {
        const end = messageEnd(bytes);
        this.#wantedBytes = end;
        if (bytes.length < end) break;
        this.#wantedBytes = HEAD_BYTES;
        const content = bytes.subarray(HEAD_BYTES, end);
        bytes = bytes.subarray(end);
        this.#handlers.message(peer.ChaincodeMessage.deserializeBinary(content));
      }
    } catch (error) {
      this.#connectionError ??= error as Error;
      this.cancel();
    }
    this.#arrived = bytes.length === 0 ? [] : [bytes];
    this.#arrivedBytes = bytes.length;
  }

  #readStatus(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): void {
    const code = headers['grpc-status'];
    const text = headers['grpc-message'];
    if (typeof code === 'string') this.#status = { code, text: typeof text === 'string' ? text : '' };
    const { ':status': httpStatus } = headers;
    if (httpStatus !== undefined && httpStatus !== 200) {
      this.#connectionError ??= new Error(`the chaincode server answered with HTTP status ${httpStatus}`);
    }
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#pingTimer);
    this.#outgoing = [];
    this.#session.destroy();
    const status = this.#status;
    if (status !== undefined && status.code !== '0') {
      this.#handlers.ended(new Error(`status ${status.code} ${decodeText(status.text)}`));
    } else {
      this.#handlers.ended(status === undefined ? this.#connectionError : undefined);
    }
  }

  #ping(): void {
    if (this.#session.connecting || this.#session.destroyed) return;
    const timer = setTimeout(() => {
      this.#session.destroy(new Error('the chaincode does not answer pings'));
    }, PING_TIMEOUT_MS);
    this.#session.ping(() => clearTimeout(timer));
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces;
  return first !== undefined && pieces.length === 1 ? first : Buffer.concat(pieces);
}

function openSession(endpoint: ChaincodeEndpoint): ClientHttp2Session {
  const { address, tlsRootCertPem, clientKeyPem, clientCertPem } = endpoint;
  const options = {
    settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
    maxSessionMemory: Number.MAX_SAFE_INTEGER,
  };
  if (tlsRootCertPem === undefined) return connect(`http://${address}`, options);
  return connect(`https://${address}`, {
    ...options,
    ca: tlsRootCertPem,
    ...(clientKeyPem === undefined ? {} : { key: clientKeyPem }),
    ...(clientCertPem === undefined ? {} : { cert: clientCertPem }),
  });
}

/** Where the message ends that `bytes` begin with. Throws on what this call never agreed to. */
function messageEnd(bytes: Buffer): number {
  if (bytes[0] !== 0) throw new Error('the chaincode sends compressed messages');
  const length = bytes.readUInt32BE(1);
  if (length > MAX_MESSAGE_BYTES) {
    throw new Error(`grpc: received message larger than max (${length} vs. ${MAX_MESSAGE_BYTES})`);
  }
  return HEAD_BYTES + length;
}

function decodeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
