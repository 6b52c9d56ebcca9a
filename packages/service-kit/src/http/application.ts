import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Logger } from '../log/logger.ts';
import { currentRequest, runInRequest } from '../log/request-context.ts';
import type { HttpMetrics } from '../operations/http-metrics.ts';
import { jsonBody, maxBodySizeBytes } from './json-body.ts';
import { problemMediaType, toProblem } from './problem.ts';

/** What an application is made of. */
export interface ApplicationOptions {
  readonly logger: Logger;
  readonly metrics?: HttpMetrics;
  /** Adds the routes; body, request id and time-out are dealt with before, errors and unknown addresses after. */
  readonly routes: (app: Express) => void;
  /** Default 1 MiB. */
  readonly bodyLimitBytes?: number;
  /** A request that is not answered by then gets a 503. Default 30,000. */
  readonly responseTimeoutMs?: number;
}

/** An express application with the limits, headers, logs and RFC 9457 errors that every API of ours has. */
export function createApplication(options: ApplicationOptions): Express {
  const { logger, metrics, routes, bodyLimitBytes = maxBodySizeBytes, responseTimeoutMs = 30_000 } = options;
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.set('etag', false);
  app.use(inRequest(logger, metrics));
  app.use(helmet());
  app.use(timeOut(responseTimeoutMs));
  app.use(jsonBody(bodyLimitBytes));
  routes(app);
  app.use((_request, _response, next) => {
    next(Object.assign(new Error('no route'), { status: 404 }));
  });
  app.use(problems(logger));
  return app;
}

function inRequest(logger: Logger, metrics: HttpMetrics | undefined): RequestHandler {
  return (request, response, next) => {
    const startMs = performance.now();
    runInRequest(
      { requestId: request.get('x-request-id'), traceparent: request.get('traceparent') },
      ({ requestId }) => {
        response.setHeader('x-request-id', requestId);
        response.once('close', () => {
          const durationMs = Math.round(performance.now() - startMs);
          // The matched pattern, never the address itself: ids in it would make the log a record of who asked for what.
          const route = routeOf(request);
          const status = response.writableFinished ? response.statusCode : 499;
          metrics?.observe({ method: request.method, route, status, durationMs });
          logger.info('request', { method: request.method, route, status, durationMs });
        });
        next();
      },
    );
  };
}

function routeOf(request: { readonly baseUrl: string; readonly route?: unknown }): string {
  const route = request.route as { readonly path?: unknown } | undefined;
  return typeof route?.path === 'string' ? `${request.baseUrl}${route.path}` : '(none)';
}

function timeOut(timeoutMs: number): RequestHandler {
  return (_request, response, next) => {
    const timer = setTimeout(() => {
      if (!response.headersSent) {
        const problem = { ...toProblem(undefined, currentRequest()?.requestId), ...timedOut };
        response.status(problem.status).type(problemMediaType).send(JSON.stringify(problem));
      } else response.destroy();
    }, timeoutMs);
    response.once('close', () => clearTimeout(timer));
    next();
  };
}

const timedOut = {
  type: 'urn:waymark:error:unavailable',
  title: 'A part that is needed to answer did not answer.',
  status: 503,
  detail: 'the answer took too long',
  code: 'unavailable',
} as const;

function problems(logger: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    const problem = toProblem(error, currentRequest()?.requestId);
    if (problem.status >= 500) logger.error('request failed', { code: problem.code, error });
    else logger.debug('request refused', { code: problem.code, error });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const retryAfterMs = problem.details?.['retryAfterMs'];
    if (typeof retryAfterMs === 'number') response.setHeader('retry-after', Math.ceil(retryAfterMs / 1_000));
    response.status(problem.status).type(problemMediaType).send(JSON.stringify(problem));
  };
}
