import { encodeRecordProof, type LedgerChain, type RecordPlace } from '@waymark/ledger-chain';
import type { LedgerMember } from '@waymark/ledger-member';
import { decodeCid, decodeLedgerAttachment, formatEvidenceId, toHex, WaymarkError } from '@waymark/protocol';

/** Where an accepted record of the ledger lies. */
export interface RecordHit {
  readonly recordOid: Uint8Array;
  /** `<msp>/<outlet>/<seq>`. */
  readonly evidenceId: string;
  readonly leafIndex: number;
  readonly cid: ReturnType<typeof decodeCid>;
}

/** Records of the private ledger as a member's chain has them: for look-ups, and with what proves them to others (S7). */
export interface LedgerRecords {
  /** Undefined for a record that no applied block holds, or only as a rejected one. @throws WaymarkError unavailable, data-abnormal */
  find(recordOid: Uint8Array): Promise<RecordHit | undefined>;
  has(recordOid: Uint8Array): boolean;
  /** The proof's bytes; undefined as `find`. @throws WaymarkError unavailable, data-abnormal */
  prove(recordOid: Uint8Array): Promise<Uint8Array | undefined>;
}

const keptBatches = 16;

/** @param mspId whose ledger it is */
export function createLedgerRecords(
  mspId: string,
  chain: Pick<LedgerChain, 'findRecord' | 'block' | 'proveRecord'>,
  member: Pick<LedgerMember, 'confirmation'>,
): LedgerRecords {
  const accepted = (recordOid: Uint8Array) => {
    const place = chain.findRecord(toHex(recordOid));
    return place === null || place.reason !== null ? undefined : place;
  };
  const batches = new Map<string, Promise<readonly RecordHit['cid'][]>>();

  async function readCids({ height, item }: RecordPlace): Promise<readonly RecordHit['cid'][]> {
    const { content } = (await chain.block(height)).candidate;
    const submission = content.kind === 'records' ? content.audited[item]?.submission : undefined;
    if (submission === undefined) throw abnormalPlace();
    const { cids } = decodeLedgerAttachment(submission.attachment, submission.records.length);
    return cids.map((cid) => decodeCid(cid));
  }

  /** Blocks do not change: the addresses of those that were asked for last are kept. */
  function cidsOf(place: RecordPlace): Promise<readonly RecordHit['cid'][]> {
    const name = `${String(place.height)}/${String(place.item)}`;
    const known = batches.get(name);
    const cids = known ?? readCids(place);
    batches.delete(name);
    batches.set(name, cids);
    if (known === undefined) cids.catch(() => batches.delete(name));
    if (batches.size > keptBatches) batches.delete(batches.keys().next().value ?? name);
    return cids;
  }

  return {
    has: (recordOid) => accepted(recordOid) !== undefined,
    async find(recordOid) {
      const place = accepted(recordOid);
      if (place === undefined) return undefined;
      const { department: outlet, seq, index: leafIndex } = place;
      const cid = (await cidsOf(place))[leafIndex];
      if (cid === undefined) throw abnormalPlace();
      return { recordOid, evidenceId: formatEvidenceId({ msp: mspId, outlet, seq }), leafIndex, cid };
    },
    async prove(recordOid) {
      const place = accepted(recordOid);
      if (place === undefined) return undefined;
      const proof = await chain.proveRecord(place.oid, { confirmation: (height) => member.confirmation(height) });
      return encodeRecordProof(proof);
    },
  };
}

function abnormalPlace(): WaymarkError {
  return new WaymarkError('data-abnormal', 'The index names a place that the block lacks.');
}
