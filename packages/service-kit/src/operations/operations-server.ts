import { createServer, type Server } from 'node:http';
import { isIP } from 'node:net';
import { WaymarkError } from '@waymark/protocol';
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Registry } from 'prom-client';
import { closeHttpServer, listen } from '../http/listen.ts';
import type { Component } from '../lifecycle/component.ts';
import { checkHealth, type HealthCheck } from './health.ts';

/** What the operator of a process can see. */
export interface OperationsServerOptions {
  /** A loopback address. Default 127.0.0.1. */
  readonly host?: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Permits an address that others can reach: this port has neither TLS nor authentication. Default false. */
  readonly allowRemote?: boolean;
  readonly registry: Registry;
  readonly checks: readonly HealthCheck[];
  /** OpenAPI document of the process's API, served at `/openapi.json`. */
  readonly openApi?: object;
  /** Handlers for `/docs`, such as swagger-ui-express gives. */
  readonly docs?: readonly RequestHandler[];
}

/** The operations port. */
export interface OperationsServer extends Component {
  /** The port it listens on, once started. */
  readonly port: number;
}

/**
 * Plain HTTP on loopback: `/healthz` (200 when live and ready, else 503), `/healthz/live`, `/healthz/ready`, `/metrics`
 * (Prometheus text), `/openapi.json`, `/docs`.
 *
 * @throws WaymarkError `configuration-invalid` when the address is not a loopback address and `allowRemote` is not set
 */
export function createOperationsServer(options: OperationsServerOptions): OperationsServer {
  const { host = '127.0.0.1', allowRemote = false } = options;
  if (!allowRemote && !isLoopback(host)) {
    throw new WaymarkError(
      'configuration-invalid',
      'the operations port has no authentication: give it a loopback address',
      {
        details: { host },
      },
    );
  }
  let server: Server | undefined;
  let port = options.port;
  return {
    name: 'operations',
    get port() {
      return port;
    },
    async start() {
      server = createServer(
        { headersTimeout: 5_000, requestTimeout: 10_000, maxHeaderSize: 16 * 1024, connectionsCheckingInterval: 1_000 },
        operationsApplication(options),
      );
      server.maxConnections = 100;
      port = await listen(server, host, options.port);
    },
    async stop() {
      if (server !== undefined) await closeHttpServer(server, 1_000);
    },
  };
}

function operationsApplication({ registry, checks, openApi, docs }: OperationsServerOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(helmet({ strictTransportSecurity: false }));
  const health =
    (passes: (health: { live: boolean; ready: boolean }) => boolean): RequestHandler =>
    async (_request, response) => {
      const outcome = await checkHealth(checks);
      response.status(passes(outcome) ? 200 : 503).json(outcome);
    };
  app.get(
    '/healthz',
    health(({ live, ready }) => live && ready),
  );
  app.get(
    '/healthz/live',
    health(({ live }) => live),
  );
  app.get(
    '/healthz/ready',
    health(({ ready }) => ready),
  );
  app.get('/metrics', async (_request, response) => {
    response.type(registry.contentType).send(await registry.metrics());
  });
  if (openApi !== undefined) app.get('/openapi.json', (_request, response) => void response.json(openApi));
  if (docs !== undefined) app.use('/docs', ...docs);
  return app;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
