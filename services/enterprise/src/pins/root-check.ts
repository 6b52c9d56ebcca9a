import { decode } from '@ipld/dag-cbor';
import { decodeBodyRoot } from '@waymark/ledger-chain';
import {
  decodeBatchBlock,
  decodeBatchStatement,
  type Evidence,
  evidenceOf,
  ledgerName,
  maxBatchRecords,
  verifyBatchBlock,
  WaymarkError,
} from '@waymark/protocol';
import type { Member } from '../members/members-file.ts';

/** Judges the block of a batch, or the root of a body, before anything it links to is fetched. @throws WaymarkError */
export type RootCheck = (bytes: Uint8Array) => void;

/** Parts of a body's ciphertext, 1 MiB each: those of the largest plaintext that a member reads, and one. */
export const maxBodyParts = 65;
const bodyType = 'waymark/rsl-body';

/** A batch that the channel has: it must be the one. @throws WaymarkError data-abnormal */
export function anchoredBatchCheck(evidence: Evidence, channel: string): RootCheck {
  return (bytes) => void verifyBatchBlock(bytes, evidence, channel);
}

/** The body of a block: that it is the block's says the CID in the header. @throws WaymarkError data-abnormal, recipient-mismatch, limit-exceeded */
export function bodyCheck(mspId: string, channel: string): RootCheck {
  return (bytes) => {
    const { ledger, parts, links } = decodeBodyRoot(bytes);
    if (ledger !== ledgerName(mspId, channel)) {
      throw new WaymarkError('recipient-mismatch', 'The body is of another ledger.');
    }
    if (parts.length > maxBodyParts || links.length > maxBatchRecords) {
      throw new WaymarkError('limit-exceeded', 'The body links to more than a block may hold.', {
        details: { parts: parts.length, links: links.length },
      });
    }
  };
}

/** What another organisation asks for before the channel has it: a batch of its own, or a body of its own ledger. @throws as the check for its kind */
export function offeredCheck(
  cid: string,
  member: Pick<Member, 'mspId' | 'verifier'>,
  channel: string,
  hasLedger: boolean,
): RootCheck {
  const batch = offeredBatchCheck(cid, member, channel);
  const body = bodyCheck(member.mspId, channel);
  return (bytes) => (hasLedger && isBody(bytes) ? body : batch)(bytes);
}

function isBody(bytes: Uint8Array): boolean {
  try {
    return decode<{ readonly type?: unknown } | null>(bytes)?.type === bodyType;
  } catch {
    return false;
  }
}

/**
 * A batch that is not on the channel yet: it must be whole in itself, of this channel, of the organisation that asks for it, and
 * signed by somebody whom that organisation's CA vouches for. So nobody has others keep what is none of theirs.
 * @throws WaymarkError data-abnormal, recipient-mismatch, certificate-...
 */
function offeredBatchCheck(cid: string, member: Pick<Member, 'mspId' | 'verifier'>, channel: string): RootCheck {
  return (bytes) => {
    const { statement: signed } = decodeBatchBlock(bytes);
    const statement = decodeBatchStatement(signed);
    if (statement.msp !== member.mspId) {
      throw new WaymarkError('recipient-mismatch', 'The batch is of another organisation than the one that asks.');
    }
    const evidence = evidenceOf(statement, signed, cid, '');
    const { certificateDer } = verifyBatchBlock(bytes, evidence, channel);
    const holder = member.verifier.verify(certificateDer, { atMs: statement.sentAtMs, roles: ['client', 'peer'] });
    if (holder.enrolmentId !== statement.outlet) {
      throw new WaymarkError('data-abnormal', 'The batch was signed by another outlet than it names.');
    }
  };
}
