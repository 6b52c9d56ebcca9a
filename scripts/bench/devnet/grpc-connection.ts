import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2';

/**
 * gRPC over HTTP/2 with nothing around it: bytes in, bytes out. A client library would use more of the processor than the
 * networks that are to be measured.
 */
export interface GrpcConnection {
  /** One request, one answer. Rejects with the status and its text. */
  call(path: string, request: Uint8Array): Promise<Buffer>;
  /** One request, any number of answers; `ended` is called once, if the stream ends before the connection is closed. */
  stream(path: string, request: Uint8Array, onAnswer: (answer: Buffer) => void, ended: (reason: Error) => void): void;
  close(): void;
}

const headBytes = 5;
const windowBytes = 16 * 1024 * 1024;

/** What a client shows where the server asks for it (mutual TLS). */
export interface ClientIdentity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** @param endpoint `host:port` */
export async function connectGrpc(
  endpoint: string,
  tlsRootPem: string,
  identity?: ClientIdentity,
): Promise<GrpcConnection> {
  const session = connect(`https://${endpoint}`, {
    ca: tlsRootPem,
    ...(identity === undefined ? {} : { cert: identity.certificatePem, key: identity.privateKeyPem }),
    settings: { initialWindowSize: windowBytes },
  });
  await new Promise<void>((resolve, reject) => {
    session.once('connect', () => resolve());
    session.once('error', reject);
  });
  session.setLocalWindowSize(windowBytes);
  session.on('error', () => undefined);
  return {
    call: (path, request) => call(session, path, request),
    stream: (path, request, onAnswer, ended) => {
      const http2Stream = session.request(headersOf(path));
      let arrived: Buffer = Buffer.alloc(0);
      http2Stream.on('data', (piece: Buffer) => {
        arrived = arrived.length === 0 ? piece : Buffer.concat([arrived, piece]);
        for (let end = messageEnd(arrived); end <= arrived.length; end = messageEnd(arrived)) {
          onAnswer(arrived.subarray(headBytes, end));
          arrived = arrived.subarray(end);
        }
      });
      http2Stream.on('error', () => undefined);
      http2Stream.once('close', () => {
        if (!session.closed) ended(new Error(`${path} ended`));
      });
      http2Stream.write(framed(request));
    },
    close: () => session.destroy(),
  };
}

function call(session: ClientHttp2Session, path: string, request: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream: ClientHttp2Stream = session.request(headersOf(path));
    const pieces: Buffer[] = [];
    let status: unknown;
    let text: unknown;
    const readStatus = (headers: Readonly<Record<string, unknown>>): void => {
      if (headers['grpc-status'] === undefined) return;
      status = headers['grpc-status'];
      text = headers['grpc-message'];
    };
    stream.on('response', readStatus);
    stream.on('trailers', readStatus);
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', () => undefined);
    stream.once('close', () => {
      const [first] = pieces;
      if (status !== '0' || first === undefined) {
        reject(new Error(`${path} answered ${String(status)}: ${decodeURIComponent(String(text))}`));
        return;
      }
      resolve((pieces.length === 1 ? first : Buffer.concat(pieces)).subarray(headBytes));
    });
    stream.end(framed(request));
  });
}

function headersOf(path: string): OutgoingHttpHeaders {
  return {
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: path,
    [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
    [constants.HTTP2_HEADER_TE]: 'trailers',
  };
}

/** Not compressed, and so long. */
function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headBytes + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, headBytes);
  return frame;
}

/** Where the first message ends; beyond all bytes while its length is not known. */
function messageEnd(bytes: Buffer): number {
  return bytes.length < headBytes ? Number.POSITIVE_INFINITY : headBytes + bytes.readUInt32BE(1);
}
