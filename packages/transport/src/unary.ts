import {
  Metadata,
  type CallOptions,
  type ClientUnaryCall,
  type handleUnaryCall,
  type ServiceError,
} from '@grpc/grpc-js';
import { WaymarkError } from '@waymark/protocol';
import { peerCertificate } from './credentials.ts';
import { fromServiceError, toServiceError } from './errors.ts';
import { defaultDeadlineMs } from './limits.ts';
import type { CallContext } from './stream/server-stream.ts';

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

/** How long a call may take, what goes with it, and what ends it early. */
export interface UnaryOptions {
  /** Default 30,000. */
  readonly deadlineMs?: number;
  readonly metadata?: Metadata;
  readonly signal?: AbortSignal;
}

/**
 * Calls a unary method of a generated client: `callUnary(client.getPosition.bind(client), {})`.
 *
 * @throws WaymarkError with the code the server gave; `unavailable` when it did not answer in time.
 */
export function callUnary<Request, Response>(
  method: UnaryMethod<Request, Response>,
  request: Request,
  { deadlineMs = defaultDeadlineMs, metadata = new Metadata(), signal }: UnaryOptions = {},
): Promise<Response> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(new WaymarkError('unavailable', 'the call was given up'));
      return;
    }
    const call = method(request, metadata, { deadline: Date.now() + deadlineMs }, (error, response) => {
      signal?.removeEventListener('abort', cancel);
      if (error === null) resolve(response);
      else reject(fromServiceError(error));
    });
    const cancel = (): void => call.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
  });
}

/** Turns an async function into grpc-js's form of a unary method; what it throws becomes the status (`toServiceError`). */
export function serveUnary<Request, Response>(
  handler: (request: Request, context: CallContext) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const abort = new AbortController();
    call.once('cancelled', () => abort.abort(new WaymarkError('unavailable', 'the client is gone')));
    const context = {
      peerCertificate: peerCertificate(call),
      peer: call.getPeer(),
      metadata: call.metadata,
      signal: abort.signal,
    };
    handler(call.request, context).then(
      (response) => callback(null, response),
      (error: unknown) => callback(toServiceError(error)),
    );
  };
}
