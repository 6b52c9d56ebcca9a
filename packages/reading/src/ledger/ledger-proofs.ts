import {
  batchHash,
  type BatchStatement,
  bytesEqual,
  formatEvidenceId,
  isWaymarkError,
  ledgerName,
  parseEvidenceId,
  sha256,
  toHex,
  WaymarkError,
} from '@waymark/protocol';
import {
  decodeRecordProof,
  type ProvenRecord,
  type RecordProof,
  type RecordProofChecks,
  verifyRecordProof,
} from '@waymark/ledger-chain/proof';
import { decodeHeader } from '@waymark/rsl';
import { checkOutlet } from '../outlet-check.ts';
import type { Hint, TrustedReaderParts } from '../ports.ts';
import { remembering } from '../remembering.ts';
import { type ChannelAnchor, createChannelAnchors } from './channel-anchors.ts';

/** A record of a private ledger, its proof checked against the channel. */
export interface ProvenInLedger extends ProvenRecord {
  /** Null for a record that is `confirmed` and no more. */
  readonly anchor: ChannelAnchor | null;
  /** SHA-256 of the batch statement, lower-case hex. */
  readonly batchHash: string;
}

/** Checks record proofs against the channel (S7). */
export interface LedgerProofs {
  /**
   * @param bytes of the proof, from whoever gave the hint
   * @throws WaymarkError data-abnormal: something was altered, or the hint is not what the proof shows; unavailable: the channel is not so far yet
   */
  check(hint: Hint, bytes: Uint8Array): Promise<ProvenInLedger>;
}

export function createLedgerProofs(parts: TrustedReaderParts): LedgerProofs {
  const { ledger, verifierOf, maxCachedBatches = 256 } = parts;
  const { channel } = ledger;
  const anchors = createChannelAnchors(ledger, maxCachedBatches);
  const outlets = remembering<true>(maxCachedBatches);

  async function prove(proof: RecordProof, hint: Hint, msp: string): Promise<ProvenInLedger> {
    const checks: RecordProofChecks = { channel, ledger: ledgerName(msp, channel), oid: hint.recordOid };
    const { standing } = proof;
    if (standing.kind === 'seals')
      throw new WaymarkError('unavailable', 'The channel has no anchor for the block of this record yet.', {
        details: { mspId: msp },
      });
    const { height } = decodeHeader(proof.header);
    const anchor = await anchors.endingAt(msp, standing.last, height);
    return { ...verifyRecordProof(proof, anchor, checks), anchor, batchHash: toHex(batchHash(proof.statement)) };
  }

  /** One certificate under one batch is checked once. */
  function requireOutlet(statement: BatchStatement, certificateDer: Uint8Array): Promise<true> {
    const { msp, outlet, sentAtMs } = statement;
    const name = `${msp}/${outlet}/${String(sentAtMs)}/${toHex(sha256(certificateDer))}`;
    return outlets.get(name, () =>
      Promise.resolve().then(() => {
        checkOutlet(verifierOf, { statement, certificateDer });
        return true;
      }),
    );
  }

  return {
    async check(hint, bytes) {
      const { msp } = parseEvidenceId(hint.evidenceId);
      const proven = await decoded(bytes, (proof) => prove(proof, hint, msp));
      await requireOutlet(proven.statement, proven.certificateDer);
      requireHinted(hint, proven);
      return proven;
    },
  };
}

/** A proof that cannot be read is an altered proof. */
async function decoded<T>(bytes: Uint8Array, use: (proof: RecordProof) => Promise<T>): Promise<T> {
  try {
    return await use(decodeRecordProof(bytes));
  } catch (cause) {
    if (!isWaymarkError(cause, 'input-invalid') && !isWaymarkError(cause, 'limit-exceeded')) throw cause;
    throw new WaymarkError('data-abnormal', 'The record proof does not have the required form.', { cause });
  }
}

/** The index may be wrong by mistake or by malice: what it said must be what was proven. */
function requireHinted(hint: Hint, { oid, cid, index, statement, rejected }: ProvenInLedger): void {
  if (rejected !== null)
    throw new WaymarkError('data-abnormal', 'The index names a record that the audit rejected.', {
      details: { reason: rejected },
    });
  const isSame =
    bytesEqual(oid, hint.recordOid) &&
    index === hint.leafIndex &&
    cid.toString() === hint.cid &&
    formatEvidenceId(statement) === hint.evidenceId;
  if (!isSame) throw new WaymarkError('data-abnormal', 'The index names a place that does not hold this record.');
}
