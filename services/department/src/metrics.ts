import { Gauge, type Registry } from 'prom-client';
import type { Outbox } from './outbox/outbox.ts';

/** What an operator watches on an outlet. */
export function registerDepartmentMetrics(
  registry: Registry,
  source: { outbox: Outbox; uploading: () => boolean },
): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  gauge('waymark_batches_queued', 'Batches not yet accepted by the center', () => source.outbox.queuedCount());
  gauge('waymark_batches_refused', 'Batches the center or the channel refused', () => source.outbox.counts().refused);
  gauge('waymark_upload_connected', 'Whether the center is connected', () => (source.uploading() ? 1 : 0));
}
