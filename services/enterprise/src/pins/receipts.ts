import { type CoseSigner, readPinReceipt, signPinReceipt, WaymarkError } from '@waymark/protocol';
import { type Register, requireRegistered } from '@waymark/service-kit';
import type { Member } from '../members/members-file.ts';
import type { ReplicaFacts } from './pin-store.ts';

/** How far ahead another center's clock may be. */
const clockSkewMs = 300_000;

/** Gives pin receipts, and judges those of others. */
export interface PinReceipts {
  /** A receipt of this center. */
  sign(cid: string): Omit<ReplicaFacts, 'state'>;
  /**
   * Checks a receipt that another organisation's center gave: its signature, that a registered center of that organisation made it, and that it
   * is for this batch on this channel.
   * @throws WaymarkError input-invalid, signature-invalid, certificate-..., role-not-permitted, recipient-mismatch, limit-exceeded
   */
  verify(bytes: Uint8Array, cid: string, member: Pick<Member, 'mspId' | 'verifier'>): Omit<ReplicaFacts, 'state'>;
}

/** Builds both sides. */
export function createPinReceipts(parts: {
  readonly channel: string;
  readonly mspId: string;
  readonly node: string;
  readonly signer: CoseSigner;
  readonly register: Register;
  readonly nowMs: () => number;
}): PinReceipts {
  const { channel, mspId, node, signer, register, nowMs } = parts;
  return {
    sign(cid) {
      const pinnedAtMs = nowMs();
      return { msp: mspId, node, pinnedAtMs, receipt: signPinReceipt(signer, { channel, cid, msp: mspId, node, pinnedAtMs }) }; // prettier-ignore
    },
    verify(bytes, cid, member) {
      const { receipt, certificateDer } = readPinReceipt(bytes, channel);
      const { enrolmentId, digest } = member.verifier.verify(certificateDer, { atMs: nowMs() });
      requireRegistered(register, { msp: member.mspId, enrolmentId, digest }, ['center']);
      if (receipt.cid !== cid || receipt.msp !== member.mspId || receipt.node !== enrolmentId) {
        throw new WaymarkError(
          'recipient-mismatch',
          'The pin receipt is for another batch, or in the name of another.',
        );
      }
      if (receipt.pinnedAtMs > nowMs() + clockSkewMs) {
        throw new WaymarkError('message-stale', 'The pin receipt was made in the future.');
      }
      return { msp: receipt.msp, node: receipt.node, pinnedAtMs: receipt.pinnedAtMs, receipt: bytes };
    },
  };
}
