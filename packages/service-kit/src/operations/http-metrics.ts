import { Histogram, type Registry } from 'prom-client';

/** Measures requests. */
export interface HttpMetrics {
  observe(request: {
    readonly method: string;
    readonly route: string;
    readonly status: number;
    readonly durationMs: number;
  }): void;
}

/** A histogram of request durations, by route pattern, method and status. */
export function createHttpMetrics(registry: Registry): HttpMetrics {
  const duration = new Histogram({
    name: 'waymark_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
    registers: [registry],
  });
  return {
    observe({ method, route, status, durationMs }) {
      duration.observe({ method, route, status }, durationMs / 1_000);
    },
  };
}
