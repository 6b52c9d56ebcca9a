import { parseJsonStrict } from '@waymark/protocol';
import express, { type RequestHandler } from 'express';

/** Greatest request body: 1 MiB. */
export const maxBodySizeBytes = 1024 * 1024;

/**
 * Parses JSON bodies, strictly (`parseJsonStrict`: no equal keys, no lone surrogates, no numbers out of range). A body of
 * another type, a compressed one (it may unpack to any size) or a larger one is refused before it is read.
 */
export function jsonBody(limitBytes = maxBodySizeBytes): RequestHandler[] {
  const onlyJson: RequestHandler = (request, _response, next) => {
    const hasBody =
      request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
    if (hasBody && request.is('application/json') === false) next(unsupportedType());
    else next();
  };
  const parse: RequestHandler = (request, _response, next) => {
    const body: unknown = request.body;
    if (body instanceof Uint8Array) request.body = parseJsonStrict(body, { maxBytes: limitBytes });
    next();
  };
  return [onlyJson, express.raw({ limit: limitBytes, inflate: false, type: 'application/json' }), parse];
}

function unsupportedType(): Error {
  return Object.assign(new Error('not JSON'), { status: 415 });
}
