import { Gauge, type Registry } from 'prom-client';
import type { Journal } from './journal/journal.ts';
import type { PinStatus } from './pins/pins.ts';

/** What an operator watches on a center. */
export function registerEnterpriseMetrics(
  registry: Registry,
  source: {
    journal: Pick<Journal, 'counts' | 'pendingCount'>;
    openStreams: () => number;
    outlets: () => number;
    pins: () => PinStatus;
  },
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
  let known: { status: PinStatus; untilMs: number } | undefined;
  /** One look for all gauges of a scrape. */
  const pinStatus = (): PinStatus => {
    if (known === undefined || known.untilMs < performance.now())
      known = { status: source.pins(), untilMs: performance.now() + 100 };
    return known.status;
  };
  const pins = (name: string, help: string, read: (status: PinStatus) => number): void =>
    gauge(`waymark_${name}`, help, () => read(pinStatus()));
  pins(
    'pins_anchored',
    'Batches of this organisation on the channel, and blocks of its private ledger under an anchor',
    (status) => status.anchored,
  );
  pins(
    'pins_replicated',
    'Those of them that as many organisations hold as the policy asks',
    (status) => status.replicated,
  );
  pins('pins_missing', 'Those of them that fewer hold', (status) => status.missing);
  pins(
    'pins_waiting',
    'Batches and bodies of the channel that are still to be pinned here',
    (status) => status.waiting,
  );
  pins(
    'pins_without_receipts',
    'Accepted batches and confirmed blocks that wait for pin receipts',
    (status) => status.withoutReceipts,
  );
  pins('pins_members_unreachable', 'Other centers that did not answer the last time', ({ members }) => members.filter(({ reachable }) => reachable === false).length); // prettier-ignore
  pins('pins_last_round_timestamp_seconds', 'When the watcher last ended a round', (status) => (status.lastRoundAtMs ?? 0) / 1_000); // prettier-ignore
  pins('repairs_waiting', 'Blocks that are to be repaired', ({ repairs }) => repairs.waiting);
  pins('repairs_done', 'Blocks that were repaired since the start', ({ repairs }) => repairs.done);
  pins('repairs_failed', 'Blocks that could not be repaired since the start', ({ repairs }) => repairs.failed);
}
