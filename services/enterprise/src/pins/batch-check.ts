import {
  type BatchBlock,
  decodeBatchBlock,
  decodeBatchStatement,
  type Evidence,
  evidenceOf,
  verifyBatchBlock,
  WaymarkError,
} from '@waymark/protocol';
import type { Member } from '../members/members-file.ts';

/** Judges the block of a batch before anything it links to is fetched. @throws WaymarkError */
export type BatchCheck = (bytes: Uint8Array) => BatchBlock;

/** A batch that the channel has: it must be the one. @throws WaymarkError data-abnormal */
export function anchoredBatchCheck(evidence: Evidence, channel: string): BatchCheck {
  return (bytes) => verifyBatchBlock(bytes, evidence, channel).block;
}

/**
 * A batch that is not on the channel yet: it must be whole in itself, of this channel, of the organisation that asks for it, and
 * signed by somebody whom that organisation's CA vouches for. So nobody has others keep what is none of theirs.
 * @throws WaymarkError data-abnormal, recipient-mismatch, certificate-...
 */
export function offeredBatchCheck(
  cid: string,
  member: Pick<Member, 'mspId' | 'verifier'>,
  channel: string,
): BatchCheck {
  return (bytes) => {
    const { statement: signed } = decodeBatchBlock(bytes);
    const statement = decodeBatchStatement(signed);
    if (statement.msp !== member.mspId) {
      throw new WaymarkError('recipient-mismatch', 'The batch is of another organisation than the one that asks.');
    }
    const evidence = evidenceOf(statement, signed, cid, '');
    const { block, certificateDer } = verifyBatchBlock(bytes, evidence, channel);
    const holder = member.verifier.verify(certificateDer, { atMs: statement.sentAtMs, roles: ['client', 'peer'] });
    if (holder.enrolmentId !== statement.outlet) {
      throw new WaymarkError('data-abnormal', 'The batch was signed by another outlet than it names.');
    }
    return block;
  };
}
