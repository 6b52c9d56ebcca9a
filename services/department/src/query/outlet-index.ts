import { WaymarkError } from '@waymark/protocol';
import type { QueryIndex } from '@waymark/query-api';
import type { Replica } from '@waymark/service-kit';

/** What of a replica the index needs. */
export type IndexedReplica = Pick<
  Replica,
  'findByOid' | 'findByToken' | 'evidence' | 'waitForLeaves' | 'rebuild' | 'state'
>;

/**
 * The outlet's index. What it finds it gives at once; before it says that there is nothing, it makes sure that it has read everything: a
 * record that was anchored a moment ago is found, and an index that is behind or was emptied says so.
 *
 * @param options.waitMs how long a look-up waits for the index. Default 5,000
 */
export function createOutletIndex(replica: IndexedReplica, options: { readonly waitMs?: number } = {}): QueryIndex {
  const { waitMs = 5_000 } = options;

  async function complete(): Promise<void> {
    const { blockNumber, phase, pendingBatches } = replica.state;
    if (blockNumber === undefined) {
      if (phase === 'following') replica.rebuild();
      throw new WaymarkError('unavailable', 'The index has not read the channel yet.');
    }
    if (pendingBatches > 0) await replica.waitForLeaves(AbortSignal.timeout(waitMs));
  }

  return {
    async findByOid(oid) {
      const hit = replica.findByOid(oid);
      if (hit !== undefined) return hit;
      await complete();
      return replica.findByOid(oid);
    },
    async findByToken(token, limit) {
      const hits = replica.findByToken(token, limit);
      if (hits.length > 0) return hits;
      await complete();
      return replica.findByToken(token, limit);
    },
    evidence: (evidenceId) => replica.evidence(evidenceId),
  };
}
