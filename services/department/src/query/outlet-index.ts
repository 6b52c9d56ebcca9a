import { WaymarkError } from '@waymark/protocol';
import type { IndexHit, QueryIndex } from '@waymark/query-api';
import type { Replica } from '@waymark/service-kit';
import type { Outbox } from '../outbox/outbox.ts';

/** What of a replica the index needs. */
export type IndexedReplica = Pick<Replica, 'findByOid' | 'evidence' | 'waitForLeaves' | 'rebuild' | 'state'>;

/**
 * The outlet's index: which records an id belongs to only the outlet knows (its outbox), where they lie the channel says (the replica). What it finds it gives at once; before it says that there is nothing, it makes sure that it has read everything: a
 * record that was anchored a moment ago is found, and an index that is behind or was emptied says so.
 *
 * @param options.waitMs how long a look-up waits for the index. Default 5,000
 */
export function createOutletIndex(
  outbox: Pick<Outbox, 'findByToken'>,
  replica: IndexedReplica,
  options: { readonly waitMs?: number } = {},
): QueryIndex {
  const { waitMs = 5_000 } = options;
  const place = (oids: readonly Uint8Array[]): IndexHit[] =>
    oids.map((oid) => replica.findByOid(oid)).filter((hit) => hit !== undefined);

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
      const oids = outbox.findByToken(token, limit);
      const hits = place(oids);
      if (hits.length > 0 && hits.length === oids.length) return hits;
      await complete();
      // Those that are not anchored yet are not there yet.
      return place(oids);
    },
    evidence: (evidenceId) => replica.evidence(evidenceId),
  };
}
