import { parseCid, parseEvidenceId, type RecordContent, toHex, verifyBlock } from '@waymark/protocol';
import { headerAt, openContent } from './open-record.ts';
import type { Asked, Hint, KeyPlace } from './ports.ts';

/** A record as a node's replica has it: nothing was asked of the channel (S8). */
export interface FastRecord {
  readonly trust: 'unverified';
  readonly recordOid: string;
  readonly evidenceId: string;
  readonly cid: string;
  readonly content: RecordContent;
  readonly collectedMs: number;
}

/** Which key opens a fast answer. @throws WaymarkError data-abnormal */
export function fastKeyPlace(channel: string, hint: Hint, envelope: Uint8Array): KeyPlace {
  const { msp, outlet } = parseEvidenceId(hint.evidenceId);
  const { consignmentOid, epoch } = headerAt(envelope, { channel, msp, outlet, recordOid: hint.recordOid });
  return { msp, consignmentOid, epoch };
}

/**
 * Opens a record of a fast answer. Its bytes are those of the CID that came with it, its key fits, and it is what was asked for: that it is the record
 * that was anchored, nobody has checked.
 * @throws WaymarkError data-abnormal
 */
export function openFastRecord(
  channel: string,
  hint: Hint,
  envelope: Uint8Array,
  consignmentKey: Uint8Array,
  asked: Asked,
): FastRecord {
  const { msp, outlet } = parseEvidenceId(hint.evidenceId);
  const cid = parseCid(hint.cid);
  verifyBlock(cid, envelope);
  const place = { channel, msp, outlet, recordOid: hint.recordOid };
  const { collectedMs } = headerAt(envelope, place);
  const content = openContent(envelope, place, consignmentKey, asked);
  return {
    trust: 'unverified',
    recordOid: toHex(hint.recordOid),
    evidenceId: hint.evidenceId,
    cid: hint.cid,
    content,
    collectedMs,
  };
}
