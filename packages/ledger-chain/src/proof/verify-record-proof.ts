import {
  type BatchStatement,
  batchHash,
  bytesEqual,
  decodeBatchStatement,
  decodeCid,
  isWaymarkError,
  leafHash,
  nodeHash,
  rawCode,
  readSign1,
  toHex,
  verifyBatchLeaf,
  verifyInclusion,
  verifySign1,
} from '@waymark/protocol';
import {
  anchorLeafStatement,
  auditedStatement,
  type Configuration,
  type Crypto,
  decodeHeader,
  type Header,
  headerHashOf,
  isConfirmedBySeals,
  statementBytes,
} from '@waymark/rsl';
import type { CID } from 'multiformats/cid';
import { abnormalProof } from './abnormal.ts';
import type { RecordProof } from './record-proof.ts';

/** What the channel says of a range of blocks; a part of what `anchors:get` answers. */
export interface AnchorOnChannel {
  readonly first: number;
  readonly last: number;
  /** Hash of the block at `last`. */
  readonly hash: string;
  /** Merkle root over the range's blocks, lower-case hex. */
  readonly root: string;
}

/** What a reader asked for, and whom it believes. */
export interface RecordProofChecks {
  readonly channel: string;
  /** `<msp>/<channel>`. */
  readonly ledger: string;
  /** The record that was asked for. */
  readonly oid: Uint8Array;
  /** For proofs by seals: the members' keys (`createCheckingCrypto`), and the configurations in force at the block and above it. Without them such a proof is refused. */
  readonly members?: { readonly crypto: Crypto; readonly configurations: readonly Configuration[] } | undefined;
}

/** What a proof shows. */
export interface ProvenRecord {
  /** `anchored`: the channel holds it; `confirmed`: the ledger's members do, and no anchor was looked at. */
  readonly state: 'anchored' | 'confirmed';
  readonly oid: Uint8Array;
  /** The envelope. */
  readonly cid: CID;
  readonly index: number;
  readonly statement: BatchStatement;
  /** Of the outlet: the statement names it and its key signed the statement. Whether a CA stands behind it is for the caller. */
  readonly certificateDer: Uint8Array;
  /** Why the audit rejected the record; null when it accepted it. */
  readonly rejected: string | null;
  readonly header: Header;
  readonly blockHash: string;
}

/**
 * Checks a record proof (S7): the outlet signed the batch, the record is in it, the batch with this verdict is in the block, the block is under the
 * anchor that the channel holds or, without one, confirmed by the members' seals. Every part of the proof is needed: one that is altered is refused.
 * @param anchor from the channel; null when it has none for the block: the answer is then `confirmed` at best
 * @throws WaymarkError data-abnormal
 */
export function verifyRecordProof(
  proof: RecordProof,
  anchor: AnchorOnChannel | null,
  checks: RecordProofChecks,
): ProvenRecord {
  try {
    return verify(proof, anchor, checks);
  } catch (error) {
    if (isWaymarkError(error, 'data-abnormal') || !isWaymarkError(error)) throw error;
    throw abnormalProof('a part of it does not have the required form', error);
  }
}

function verify(proof: RecordProof, anchor: AnchorOnChannel | null, checks: RecordProofChecks): ProvenRecord {
  if (!bytesEqual(proof.oid, checks.oid)) throw abnormalProof('it is of another record');
  const statement = decodeBatchStatement(proof.statement);
  if (statement.channel !== checks.channel || statement.ledger !== checks.ledger)
    throw abnormalProof('it is of another ledger');
  const message = readSign1(proof.signature);
  if (message.payload !== null || !bytesEqual(message.certificateDigest, statement.certificateDigest))
    throw abnormalProof('another certificate signed the batch');
  verifyOutlet(message, checks.channel, proof.statement);
  const cid = decodeCid(proof.cid, [rawCode]);
  const leafProof = { leaf: { recordOid: proof.oid, cid }, leafIndex: proof.index, path: proof.batchPath };
  if (!verifyBatchLeaf(statement, leafProof)) throw abnormalProof('the record is not in the batch');
  const header = decodeHeader(proof.header);
  if (header.ledger !== checks.ledger) throw abnormalProof('its block is of another ledger');
  if (toHex(blockRoot(proof, statement)) !== header.root) throw abnormalProof('the batch is not in the block');
  const blockHash = headerHashOf(proof.header);
  const rejected = proof.rejected.find(({ index }) => index === proof.index)?.reason ?? null;
  return {
    state: standingOf(proof, { header, blockHash }, anchor, checks),
    oid: proof.oid,
    cid,
    index: proof.index,
    statement,
    certificateDer: message.certificateDer,
    rejected,
    header,
    blockHash,
  };
}

function verifyOutlet(message: ReturnType<typeof readSign1>, channel: string, statement: Uint8Array): void {
  try {
    verifySign1(message, { type: 'batch', channel }, { payload: statement });
  } catch (cause) {
    throw abnormalProof('the outlet did not sign the batch', cause);
  }
}

/** Root of the block's content, from the audited batch upward. */
function blockRoot({ rejected, blockPath, statement: bytes }: RecordProof, statement: BatchStatement): Uint8Array {
  const submission = {
    department: statement.outlet,
    seq: statement.seq,
    hash: toHex(batchHash(bytes)),
    root: toHex(statement.root),
    records: { length: statement.count },
  };
  const audited = auditedStatement({ submission, rejected });
  let hash = leafHash(statementBytes(audited));
  for (const step of blockPath) hash = step.isLeft ? nodeHash(step.hash, hash) : nodeHash(hash, step.hash);
  return hash;
}

function standingOf(
  { standing }: RecordProof,
  { header, blockHash }: { readonly header: Header; readonly blockHash: string },
  anchor: AnchorOnChannel | null,
  { members, ledger }: RecordProofChecks,
): 'anchored' | 'confirmed' {
  if (standing.kind === 'seals') {
    if (members === undefined) throw abnormalProof('the members of the ledger are not known');
    if (standing.seals[0]?.hash !== blockHash) throw abnormalProof('its seals are of another block');
    if (!isConfirmedBySeals(members.crypto, ledger, members.configurations, standing.seals))
      throw abnormalProof('its seals do not confirm the block');
    return 'confirmed';
  }
  if (anchor === null) throw abnormalProof('the channel has no such anchor');
  const { first, last } = anchor;
  if (standing.first !== first || standing.last !== last || header.height < first || header.height > last)
    throw abnormalProof('the anchor is of other blocks');
  if (header.height === last && anchor.hash !== blockHash) throw abnormalProof('the channel holds another block');
  const leaf = leafHash(statementBytes(anchorLeafStatement(ledger, header.height, blockHash)));
  const head = { size: last - first + 1, root: Buffer.from(anchor.root, 'hex') };
  if (!verifyInclusion(head, header.height - first, leaf, standing.path))
    throw abnormalProof('the channel holds another block');
  return 'anchored';
}
