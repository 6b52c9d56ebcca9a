import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { WaymarkError } from '@waymark/protocol';
import { isWaymarkError } from '@waymark/protocol';
import type { CID } from 'multiformats/cid';
import { parseContentCid } from '../block/content-cid.ts';
import { writeCar } from '../car/write-car.ts';
import { type DagSource, readDag } from '../dag/read-dag.ts';
import type { Block } from '../store/content-store.ts';
import type { GatewayContentSource } from './gateway-source.ts';
import { negotiate } from './negotiation.ts';

export interface GatewayHandlerOptions {
  /** How long a block may take; default 10 s. */
  readonly timeoutMs?: number | undefined;
  /** A CAR is cut off, and the connection with it, past this many blocks; default 100,000. */
  readonly maxCarBlocks?: number | undefined;
  /** The same for bytes; default 256 MiB. */
  readonly maxCarSizeBytes?: number | undefined;
  /** CARs served at once; more are answered 503. Default 8. */
  readonly maxConcurrentCars?: number | undefined;
}

/** Fits node's `http.createServer` and express (also mounted at `/ipfs`). Requests for other paths go to `next`. */
export type GatewayHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (fault?: unknown) => void,
) => void;

/** A source that can read a whole DAG at once (another gateway) is asked for it as a whole. */
type Source = DagSource & Partial<Pick<GatewayContentSource, 'readDag'>>;
type Limits = { readonly [Name in keyof GatewayHandlerOptions]-?: number };

const pathPattern = /^(?:\/ipfs)?\/([A-Za-z0-9]{1,128})$/;
const cacheForever = 'public, max-age=29030400, immutable';
/** Set on the way to an answer; they must not stand on a problem document. */
const ownHeaders = ['etag', 'vary', 'x-ipfs-path', 'x-ipfs-roots', 'content-disposition', 'content-length'];
const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/**
 * Serves blocks by the IPFS trustless gateway specification: raw blocks and CARs, GET and HEAD. A block that does not
 * hash to its CID is a 500 with the problem code `data-abnormal`, never its bytes (S7).
 */
export function createGatewayHandler(store: Source, options: GatewayHandlerOptions = {}): GatewayHandler {
  const limits: Limits = {
    timeoutMs: options.timeoutMs ?? 10_000,
    maxCarBlocks: options.maxCarBlocks ?? 100_000,
    maxCarSizeBytes: options.maxCarSizeBytes ?? 256 * 1024 * 1024,
    maxConcurrentCars: options.maxConcurrentCars ?? 8,
  };
  let cars = 0;
  const serveCar = async (exchange: Exchange, scope: 'block' | 'all'): Promise<void> => {
    if (cars >= limits.maxConcurrentCars) {
      sendProblem(exchange.response, 503, 'unavailable', 'Too many CARs are being served.');
      return;
    }
    cars += 1;
    try {
      await sendCar(exchange, scope, limits);
    } finally {
      cars -= 1;
    }
  };
  return (request, response, next) => {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    const text = pathPattern.exec(path)?.[1];
    if (text === undefined) {
      if (next === undefined) sendProblem(response, 404, 'input-invalid', 'Only /ipfs/{cid} is served.');
      else next();
      return;
    }
    const abort = new AbortController();
    response.once('close', () => abort.abort());
    const serve = async (): Promise<void> => {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('allow', 'GET, HEAD');
        sendProblem(response, 405, 'input-invalid', 'Only GET and HEAD are served.');
        return;
      }
      const exchange: Exchange = { store, request, response, cid: parseContentCid(text), signal: abort.signal };
      const asked = negotiate(new URLSearchParams(query), request.headers.accept);
      if (asked.kind === 'refused')
        sendProblem(response, asked.status, 'input-invalid', `Not served: ${asked.reason}.`);
      else if (asked.kind === 'raw') await sendRaw(exchange, limits);
      else await serveCar(exchange, asked.scope);
    };
    serve().catch((fault: unknown) => fail(response, fault));
  };
}

interface Exchange {
  readonly store: Source;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly cid: CID;
  readonly signal: AbortSignal;
}

async function sendRaw({ store, request, response, cid, signal }: Exchange, { timeoutMs }: Limits): Promise<void> {
  const text = cid.toString();
  // Even a HEAD or a 304 reads and verifies: this copy must not be vouched for unseen.
  const bytes = await store.get(cid, { signal, timeoutMs });
  if (!describe(request, response, text, { etag: `"${text}.raw"`, type: 'application/vnd.ipld.raw', extension: 'bin' }))
    return;
  response.setHeader('content-length', bytes.length);
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

async function sendCar(
  { store, request, response, cid, signal }: Exchange,
  scope: 'block' | 'all',
  limits: Limits,
): Promise<void> {
  const text = cid.toString();
  const root: Block = { cid, bytes: await store.get(cid, { signal, timeoutMs: limits.timeoutMs }) };
  const type = 'application/vnd.ipld.car; version=1; order=dfs; dups=n';
  if (!describe(request, response, text, { etag: `W/"${text}.car.${scope}"`, type, extension: 'car' })) return;
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const options = {
    signal,
    timeoutMs: limits.timeoutMs,
    maxBlocks: limits.maxCarBlocks,
    maxSizeBytes: limits.maxCarSizeBytes,
  };
  const blocks = scope === 'block' ? [root] : (store.readDag?.(cid, options) ?? readDag(store, cid, options));
  // A fault on the way breaks the connection: the client must see that the CAR is not whole.
  await pipeline(Readable.from(writeCar([cid], blocks), { objectMode: false }), response);
}

/** Sets what both answers share. @returns false when the client has it already and 304 was sent */
function describe(
  request: IncomingMessage,
  response: ServerResponse,
  cid: string,
  { etag, type, extension }: { etag: string; type: string; extension: string },
): boolean {
  response.setHeader('etag', etag);
  response.setHeader('cache-control', cacheForever);
  response.setHeader('vary', 'Accept');
  response.setHeader('x-ipfs-path', `/ipfs/${cid}`);
  response.setHeader('x-ipfs-roots', cid);
  response.setHeader('x-content-type-options', 'nosniff');
  if (knownTo(request, etag)) {
    response.statusCode = 304;
    response.end();
    return false;
  }
  response.setHeader('content-type', type);
  response.setHeader('content-disposition', `attachment; filename="${cid}.${extension}"`);
  return true;
}

function knownTo(request: IncomingMessage, etag: string): boolean {
  const weak = (tag: string): string => tag.trim().replace(/^W\//, '');
  const known = (request.headers['if-none-match'] ?? '').split(',').map(weak);
  return known.includes('*') || known.includes(weak(etag));
}

function fail(response: ServerResponse, fault: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  if (!isWaymarkError(fault)) sendProblem(response, 500, 'internal', 'An unexpected fault.');
  else if (fault.code === 'input-invalid') sendProblem(response, 400, fault.code, fault.message);
  else if (fault.code === 'unavailable') sendProblem(response, statusOfUnavailable(fault), fault.code, fault.message);
  else sendProblem(response, 500, fault.code, fault.message);
}

function statusOfUnavailable(fault: WaymarkError): number {
  const reason = fault.details['reason'];
  return reason === 'missing' ? 404 : reason === 'timeout' ? 504 : 503;
}

/** A problem document (RFC 9457) with the stable code. */
function sendProblem(response: ServerResponse, status: number, code: string, detail: string): void {
  for (const name of ownHeaders) response.removeHeader(name);
  response.statusCode = status;
  response.setHeader('content-type', 'application/problem+json');
  response.setHeader('cache-control', 'no-store');
  response.end(JSON.stringify({ type: 'about:blank', title: titles[status] ?? 'Error', status, code, detail }));
}
