import type { TLSSocket } from 'node:tls';
import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import { type NextFunction, type Request, type RequestHandler, type Response, Router } from 'express';
import type { Caller, NodeKind } from '@waymark/service-kit';
import type { JsonObject } from './limits.ts';
import type { Authenticate, Query } from './ports.ts';
import type { Reads } from './reads.ts';

const callers = new WeakMap<Request, Caller>();

/** Who is calling, as `authentication` found. */
export function callerOf(request: Request): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new WaymarkError('refused', 'Nobody has shown a certificate.');
  return caller;
}

/** Finds out who calls from the client certificate of the TLS connection; must stand before every other handler. */
export function authentication(authenticate: Authenticate): RequestHandler {
  return (request, _response, next) => {
    const socket = request.socket as Partial<Pick<TLSSocket, 'getPeerCertificate'>>;
    const der = socket.getPeerCertificate?.().raw as Buffer | undefined;
    if (der === undefined) {
      next(new WaymarkError('certificate-untrusted', 'A client certificate of the consortium is needed.'));
      return;
    }
    callers.set(request, authenticate(der));
    next();
  };
}

/** Lets only some kinds of caller on. */
export function only(...kinds: readonly NodeKind[]): RequestHandler {
  return (request, _response, next) => {
    const { kind } = callerOf(request);
    if (kinds.includes(kind)) next();
    else next(new WaymarkError('role-not-permitted', `A ${kind} may not do this.`, { details: { permitted: kinds } }));
  };
}

/** Answers with the JSON that an async function gives. */
export function answer<T>(handler: (request: Request) => T | Promise<T>): RequestHandler {
  return async (request: Request, response: Response, _next: NextFunction) => {
    response.json(await handler(request));
  };
}

/** What the shared routes need. */
export interface QueryRouterParts {
  readonly reads: Reads;
  /** The organisation whose records this node's index holds: only its own people read them. */
  readonly mspId: string;
  readonly status: () => JsonObject | Promise<JsonObject>;
  /** Called for every read that was answered or refused: who, what kind, with what outcome. */
  readonly onRead: (read: { caller: Caller; operation: string; outcome: string }) => void;
}

/** The reads as express routes. Bodies were checked against the OpenAPI document before. */
export function createQueryRouter({ reads, mspId, status, onRead }: QueryRouterParts): Router {
  const router = Router();
  const own: RequestHandler = (request, _response, next) => {
    if (callerOf(request).mspId === mspId) next();
    else next(new WaymarkError('refused', 'There is nothing here that is yours to see.'));
  };
  const observed = <T>(operation: string, handler: (request: Request) => T | Promise<T>): RequestHandler =>
    answer(async (request) => {
      const caller = callerOf(request);
      try {
        const result = await handler(request);
        onRead({ caller, operation, outcome: 'answered' });
        return result;
      } catch (error) {
        onRead({ caller, operation, outcome: isWaymarkError(error) ? error.code : 'internal' });
        throw error;
      }
    });

  const lookups = only('reader', 'client', 'outlet', 'department', 'center');
  const readers = only('reader', 'outlet', 'department', 'center');
  router.post(
    '/v1/lookups',
    own,
    lookups,
    observed('lookups', (request) => {
      const { queries, proofs = false } = request.body as { queries: Query[]; proofs?: boolean };
      return reads.lookUp(queries, { proofs });
    }),
  );
  router.post(
    '/v1/keys',
    own,
    readers,
    observed('keys', (request) => {
      const body = request.body as {
        encryptionKey: JsonObject;
        consignments: { consignmentOid: string; epoch: number }[];
      };
      return reads.handOverKeys(body.encryptionKey, body.consignments);
    }),
  );
  router.post(
    '/v1/fast-queries',
    own,
    readers,
    observed('fast-queries', (request) => {
      const body = request.body as { encryptionKey: JsonObject; query: Query };
      return reads.fastQuery(body.encryptionKey, body.query);
    }),
  );
  router.get(
    '/v1/evidence/:msp/:outlet/:seq',
    observed('evidence', (request) => {
      const { msp, outlet, seq } = request.params;
      return reads.evidence(`${String(msp)}/${String(outlet)}/${String(seq)}`);
    }),
  );
  router.get(
    '/v1/records/:oid/proof',
    observed('proof', (request) => reads.proof(String(request.params['oid']))),
  );
  router.get(
    '/v1/status',
    own,
    answer(() => status()),
  );
  return router;
}
