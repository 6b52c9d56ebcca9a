import { type LedgerChain, encodeRecordProof } from '@waymark/ledger-chain';
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
  return {
    has: (recordOid) => accepted(recordOid) !== undefined,
    async find(recordOid) {
      const place = accepted(recordOid);
      if (place === undefined) return undefined;
      const { content } = (await chain.block(place.height)).candidate;
      const submission = content.kind === 'records' ? content.audited[place.item]?.submission : undefined;
      if (submission === undefined)
        throw new WaymarkError('data-abnormal', 'The index names a place that the block lacks.');
      const { cids } = decodeLedgerAttachment(submission.attachment, submission.records.length);
      const cid = decodeCid(cids[place.index] ?? new Uint8Array(0));
      const { department: outlet, seq, index: leafIndex } = place;
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
