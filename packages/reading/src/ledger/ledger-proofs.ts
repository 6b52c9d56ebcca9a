import { setTimeout } from 'node:timers/promises';
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
import { createChannelMembers } from './channel-members.ts';

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
   * @param proof from whoever gave the hint; a function is asked again while the channel is ahead of who answers
   * @throws WaymarkError data-abnormal: something was altered, or the hint is not what the proof shows; unavailable: the channel is not so far yet
   */
  check(hint: Hint, proof: NonNullable<Hint['proof']>): Promise<ProvenInLedger>;
}

/** Waits before a proof is asked for again that the channel has overtaken. */
const overtakenDelaysMs = [50, 100, 200, 400, 800];

export function createLedgerProofs(parts: TrustedReaderParts): LedgerProofs {
  const { ledger, verifierOf, maxCachedBatches = 256 } = parts;
  const { channel } = ledger;
  const anchors = createChannelAnchors(ledger, maxCachedBatches);
  const members = createChannelMembers(ledger, maxCachedBatches);
  const outlets = remembering<true>(maxCachedBatches);

  /** Undefined: the channel has an anchor for the block by now, so that its word counts and no member's. */
  async function prove(proof: RecordProof, hint: Hint, msp: string): Promise<ProvenInLedger | undefined> {
    const checks: RecordProofChecks = { channel, ledger: ledgerName(msp, channel), oid: hint.recordOid };
    const { standing } = proof;
    const { height } = decodeHeader(proof.header);
    const proven = (anchor: ChannelAnchor | null, more: Partial<RecordProofChecks> = {}): ProvenInLedger => ({
      ...verifyRecordProof(proof, anchor, { ...checks, ...more }),
      anchor,
      batchHash: toHex(batchHash(proof.statement)),
    });
    if (standing.kind === 'anchor') {
      const anchor = await anchors.endingAt(msp, standing.last);
      // No such anchor, and the block is not covered by another one: then the channel, or the peer that was asked, is behind.
      if (anchor === null && (await anchors.covering(msp, height)) === null) throw notAnchored(msp, height);
      return proven(anchor);
    }
    const confirmed = proven(null, { members: await members.judging(msp, channel, standing.seals) });
    const anchor = await anchors.covering(msp, height);
    if (anchor === null) return confirmed;
    if (anchor.last === height && anchor.hash !== confirmed.blockHash)
      throw new WaymarkError('data-abnormal', 'The channel holds another block than the one that was shown.');
    return undefined;
  }

  async function proveWhileOvertaken(hint: Hint, given: NonNullable<Hint['proof']>): Promise<ProvenInLedger> {
    const { msp } = parseEvidenceId(hint.evidenceId);
    for (const delayMs of [...overtakenDelaysMs, 0]) {
      const bytes = typeof given === 'function' ? await given() : given;
      const proven = await decoded(bytes, (proof) => prove(proof, hint, msp));
      if (proven !== undefined) return proven;
      if (typeof given !== 'function') break;
      await setTimeout(delayMs);
    }
    throw new WaymarkError('unavailable', 'The node that was asked does not know yet that the block of this record is anchored.', { details: { mspId: msp } }); // prettier-ignore
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
    async check(hint, proof) {
      const proven = await proveWhileOvertaken(hint, proof);
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

function notAnchored(mspId: string, height: number): WaymarkError {
  return new WaymarkError('unavailable', 'The channel has no anchor for the block of this record yet.', {
    details: { mspId, height },
  });
}
