import { parseJsonStrict } from '@waymark/protocol';
import type { Request, RequestHandler } from 'express';

/** Greatest request body: 1 MiB. */
export const maxBodySizeBytes = 1024 * 1024;

/**
 * Parses JSON bodies, strictly (`parseJsonStrict`: no equal keys, no lone surrogates, no numbers out of range). A body of
 * another type, a compressed one (it may unpack to any size) or one that is announced larger is refused before it is read; one that turns
 * out larger, as soon as it does: the answer does not wait for its end, which may never come.
 */
export function jsonBody(limitBytes = maxBodySizeBytes): RequestHandler {
  return async (request, _response, next) => {
    if (hasBody(request)) {
      const encoding = request.headers['content-encoding'] ?? 'identity';
      if (encoding !== 'identity' || request.is('application/json') === false) throw failed(415, 'not plain JSON');
      request.body = parseJsonStrict(await readBody(request, limitBytes), { maxBytes: limitBytes });
    }
    next();
  };
}

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

async function readBody(request: Request, limitBytes: number): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let sizeBytes = Number(request.headers['content-length'] ?? 0);
  if (sizeBytes > limitBytes) throw failed(413, 'too large');
  sizeBytes = 0;
  try {
    // The connection stays: the answer goes over it.
    for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      sizeBytes += piece.length;
      if (sizeBytes > limitBytes) break;
      pieces.push(piece);
    }
  } catch (cause) {
    throw failed(400, 'the body broke off', cause);
  }
  if (sizeBytes > limitBytes) {
    request.resume();
    throw failed(413, 'too large');
  }
  return Buffer.concat(pieces);
}

/** An error that `toProblem` knows by its HTTP status. */
function failed(status: number, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { status });
}
