import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes, randomUUID } from 'node:crypto';

/** What ties the log lines of one request together, across processes. */
export interface RequestContext {
  readonly requestId: string;
  /** W3C trace id: 32 hex digits. */
  readonly traceId: string;
}

const storage = new AsyncLocalStorage<RequestContext & { readonly spanId: string }>();

/** The request that is being served, if any. */
export function currentRequest(): RequestContext | undefined {
  const context = storage.getStore();
  return context === undefined ? undefined : { requestId: context.requestId, traceId: context.traceId };
}

/**
 * Runs `work` as the serving of one request. Ids of the caller are taken when they have the right form, else made.
 *
 * @param headers `x-request-id` (1 to 64 of A-Z a-z 0-9 . _ -) and `traceparent` (W3C Trace Context) of the request
 */
export function runInRequest<T>(
  headers: { readonly requestId?: string | undefined; readonly traceparent?: string | undefined },
  work: (context: RequestContext) => T,
): T {
  const { requestId, traceparent } = headers;
  const context = {
    requestId: requestId !== undefined && /^[A-Za-z0-9._-]{1,64}$/.test(requestId) ? requestId : randomUUID(),
    traceId: parseTraceparent(traceparent)?.traceId ?? randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
  };
  return storage.run(context, () => work(context));
}

/** `traceparent` for a call made while serving the current request; undefined outside of one. */
export function outgoingTraceparent(): string | undefined {
  const context = storage.getStore();
  return context === undefined ? undefined : `00-${context.traceId}-${context.spanId}-01`;
}

/** Reads a `traceparent` header; undefined when it has not the form of W3C Trace Context, section 3.2. */
export function parseTraceparent(
  header: string | undefined,
): { readonly traceId: string; readonly parentId: string } | undefined {
  const match = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/.exec(header ?? '');
  const [, version, traceId, parentId, rest] = match ?? [];
  if (version === undefined || traceId === undefined || parentId === undefined) return undefined;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined;
  return { traceId, parentId };
}
