import { Gauge, type Registry } from 'prom-client';
import type { Journal } from './journal/journal.ts';

/** What an operator watches on a center. */
export function registerEnterpriseMetrics(
  registry: Registry,
  source: { journal: Pick<Journal, 'counts' | 'pendingCount'>; openStreams: () => number; outlets: () => number },
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
  gauge('waymark_batches_pending', 'Batches accepted and not yet anchored', () => source.journal.pendingCount());
  gauge('waymark_batches_anchored', 'Batches anchored', () => source.journal.counts().anchored);
  gauge('waymark_batches_refused', 'Accepted batches that the channel refused', () => source.journal.counts().refused);
  gauge('waymark_upload_streams', 'Upload streams of outlets', () => source.openStreams());
  gauge('waymark_outlets_connected', 'Outlets ready to answer external queries', () => source.outlets());
}
