import { createLedgerRecords, type PrivateLedger } from '@waymark/private-ledger';
import { WaymarkError } from '@waymark/protocol';
import type { IndexHit, RecordProofs } from '@waymark/query-api';
import type { Outbox } from '../outbox/outbox.ts';
import type { CenterLookups } from './center-lookups.ts';

/** Records that are in the firm's private ledger, for an outlet: where they lie, and what proves it (S7). */
export interface OutletLedger extends RecordProofs {
  /** Undefined for a record that the ledger does not have. @throws WaymarkError unavailable */
  find(recordOid: Uint8Array): Promise<IndexHit | undefined>;
  has(recordOid: Uint8Array): boolean;
}

/** The proof of a record that is in the ledger. @throws WaymarkError unavailable, data-abnormal */
export async function requireProof(records: Pick<OutletLedger, 'prove'>, recordOid: Uint8Array): Promise<Uint8Array> {
  const proof = await records.prove(recordOid);
  if (proof !== undefined) return proof;
  throw new WaymarkError('unavailable', 'The private ledger does not give a proof of this record.');
}

type OwnRecords = Pick<Outbox, 'record' | 'state'>;

/** The block that a record of the outlet's own went into; undefined for others, and for what is in none (yet). */
function blockOf(outbox: OwnRecords, recordOid: Uint8Array): number | undefined {
  const place = outbox.record(recordOid);
  const batch = place === undefined ? undefined : outbox.state(place.batch);
  return batch !== undefined && 'block' in batch ? batch.block?.height : undefined;
}

/** How long a look-up waits for blocks that the outlet has heard of and not got. */
const waitMs = 5_000;

/** Of an outlet that is a member: its own copy of the ledger answers, for all records of the firm. */
export function memberLedger(
  mspId: string,
  { chain, member, listen }: Pick<PrivateLedger, 'chain' | 'member' | 'listen'>,
  outbox: OwnRecords,
): OutletLedger {
  const records = createLedgerRecords(mspId, chain, member);
  const waiting = new Set<() => void>();
  listen({
    applied: () => {
      for (const check of waiting) check();
    },
  });

  async function applied(height: number): Promise<void> {
    if (chain.height >= height) return;
    const reached = Promise.withResolvers<undefined>();
    const check = (): void => {
      if (chain.height >= height) reached.resolve(undefined);
    };
    const late = setTimeout(() => {
      reached.reject(new WaymarkError('unavailable', 'The block of this record is not here yet.', { details: { height } })); // prettier-ignore
    }, waitMs);
    waiting.add(check);
    try {
      await reached.promise;
    } finally {
      waiting.delete(check);
      clearTimeout(late);
    }
  }

  return {
    ...records,
    async find(recordOid) {
      const height = blockOf(outbox, recordOid);
      if (height !== undefined) await applied(height);
      return records.find(recordOid);
    },
  };
}

/** Of an outlet that is no member: a center of the firm answers, for the outlet's own records. */
export function centersLedger(outbox: OwnRecords, centers: Pick<CenterLookups, 'find'>): OutletLedger {
  const has = (recordOid: Uint8Array): boolean => blockOf(outbox, recordOid) !== undefined;
  return {
    has,
    find: async (recordOid) => (has(recordOid) ? centers.find(recordOid) : undefined),
    prove: async (recordOid) => (has(recordOid) ? (await centers.find(recordOid))?.proof : undefined),
  };
}
