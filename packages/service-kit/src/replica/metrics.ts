import { Gauge, type Registry } from 'prom-client';
import type { ReplicaState } from './replica-state.ts';

/** Gauges that say how far the replica is and whether it follows the channel. */
export function registerReplicaMetrics(registry: Registry, state: () => ReplicaState): void {
  const gauge = (name: string, help: string, read: (state: ReplicaState) => number): void => {
    const metric: Gauge = new Gauge({
      name,
      help,
      registers: [registry],
      collect: () => metric.set(read(state())),
    });
  };
  gauge('waymark_replica_block_number', 'Newest block in the replica; -1 before the first.', ({ blockNumber }) =>
    Number(blockNumber ?? -1n),
  );
  gauge('waymark_replica_following', '1 while the replica follows the channel.', ({ phase }) =>
    phase === 'following' ? 1 : 0,
  );
  gauge('waymark_replica_refusing', '1 while the channel does not continue what the replica has read.', ({ phase }) =>
    phase === 'refusing' ? 1 : 0,
  );
  gauge(
    'waymark_replica_idle_seconds',
    'Time since the newest block was applied; -1 before the first.',
    ({ appliedAtMs }) => (appliedAtMs === undefined ? -1 : (Date.now() - appliedAtMs) / 1_000),
  );
  gauge('waymark_replica_evidence', 'Evidence in the replica.', ({ evidence }) => evidence);
  gauge('waymark_replica_leaves', 'Records in the index.', ({ leaves }) => leaves);
  gauge(
    'waymark_replica_pending_batches',
    'Batches whose records are not in the index yet.',
    ({ pendingBatches }) => pendingBatches,
  );
}
