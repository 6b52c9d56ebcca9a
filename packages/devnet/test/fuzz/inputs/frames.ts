/** HTTP/2 frames by hand (RFC 9113). */

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PUSH_PROMISE = 5;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;
export const END_STREAM = 1;
export const END_HEADERS = 4;

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = new Uint8Array(),
  claimed?: number,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE((claimed ?? payload.length) & 0xff_ffff, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, payload]);
}

/** HPACK literals without indexing (RFC 7541, section 6.2.2): the plainest form there is. */
export function headerBlock(headers: readonly (readonly [string | Buffer, string | Buffer])[]): Buffer {
  return Buffer.concat(headers.flatMap(([name, value]) => [Buffer.of(0), hpackString(name), hpackString(value)]));
}

function hpackString(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([hpackLength(bytes.length), bytes]);
}

function hpackLength(length: number): Buffer {
  if (length < 127) return Buffer.of(length);
  const bytes = [127];
  let rest = length - 127;
  while (rest >= 128) {
    bytes.push((rest & 127) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** What opens a gRPC call. */
export function callHeaders(path: string, more: readonly (readonly [string | Buffer, string | Buffer])[] = []): Buffer {
  return headerBlock([
    [':method', 'POST'],
    [':scheme', 'https'],
    [':path', path],
    [':authority', 'localhost'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
    ...more,
  ]);
}

/** A gRPC message with its head. */
export function grpcMessage(content: Uint8Array, claimed = content.length, compressed = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = compressed;
  head.writeUInt32BE(claimed >>> 0, 1);
  return Buffer.concat([head, content]);
}
