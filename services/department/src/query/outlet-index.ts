import { WaymarkError } from '@waymark/protocol';
import type { IndexHit, QueryIndex } from '@waymark/query-api';
import type { Replica } from '@waymark/service-kit';
import type { Outbox } from '../outbox/outbox.ts';

/** What of a replica the index needs. */
export type IndexedReplica = Pick<Replica, 'findByOid' | 'evidence' | 'waitForLeaves' | 'rebuild' | 'state'>;

/** Where records lie that are in the firm's private ledger, as somebody who has the ledger says. */
export interface LedgerIndex {
  /** Undefined for a record that the ledger does not have. @throws WaymarkError unavailable */
  find(recordOid: Uint8Array): Promise<IndexHit | undefined>;
}

/**
 * The outlet's index: which records an id belongs to only the outlet knows (its outbox), where they lie the channel says (the replica) or the firm's private ledger. What it finds it gives at once; before it says that there is nothing, it makes sure that it has read everything: a
 * record that was anchored a moment ago is found, and an index that is behind or was emptied says so.
 *
 * @param options.ledger of a firm that has one
 * @param options.waitMs how long a look-up waits for the index. Default 5,000
 */
export function createOutletIndex(
  outbox: Pick<Outbox, 'findByToken'>,
  replica: IndexedReplica,
  options: { readonly ledger?: LedgerIndex | undefined; readonly waitMs?: number } = {},
): QueryIndex {
  const { ledger, waitMs = 5_000 } = options;
  const placeOf = async (oid: Uint8Array): Promise<IndexHit | undefined> =>
    replica.findByOid(oid) ?? (await ledger?.find(oid));
  const place = async (oids: readonly Uint8Array[]): Promise<IndexHit[]> => {
    const hits: IndexHit[] = [];
    for (const oid of oids) {
      const hit = await placeOf(oid);
      if (hit !== undefined) hits.push(hit);
    }
    return hits;
  };

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
      const hit = await placeOf(oid);
      if (hit !== undefined) return hit;
      await complete();
      return placeOf(oid);
    },
    async findByToken(token, limit) {
      const oids = outbox.findByToken(token, limit);
      const hits = await place(oids);
      if (hits.length > 0 && hits.length === oids.length) return hits;
      await complete();
      // Those that are not anchored yet are not there yet.
      return place(oids);
    },
    evidence: (evidenceId) => replica.evidence(evidenceId),
  };
}
