import {
  dagCborCode,
  type Evidence,
  formatEvidenceId,
  isWaymarkError,
  parseCid,
  parseEvidence,
  verifyBatchBlock,
  type VerifiedBatch,
  WaymarkError,
} from '@waymark/protocol';
import { checkOutlet } from './outlet-check.ts';
import type { TrustedReaderParts } from './ports.ts';
import { remembering } from './remembering.ts';

/** A batch that agrees with the channel and was signed by an outlet of its organisation. */
export interface ProvenBatch extends VerifiedBatch {
  readonly evidence: Evidence;
}

/** Proves batches, each once: evidence is written once, so what was proven stays so. */
export interface ProvenBatches {
  /** @throws WaymarkError data-abnormal, unavailable */
  get(evidenceId: string): Promise<ProvenBatch>;
}

/** A cache of proven batches over the channel and the content store; the least recently used goes first. */
export function createProvenBatches(parts: TrustedReaderParts): ProvenBatches {
  const batches = remembering<ProvenBatch>(parts.maxCachedBatches ?? 256);
  return { get: (evidenceId) => batches.get(evidenceId, () => prove(parts, evidenceId)) };
}

async function prove(parts: TrustedReaderParts, evidenceId: string): Promise<ProvenBatch> {
  const evidence = await evidenceOnChain(parts, evidenceId);
  const bytes = await parts.content.get(parseCid(evidence.cid, [dagCborCode]));
  const verified = verifyBatchBlock(bytes, evidence, parts.ledger.channel);
  checkOutlet(parts.verifierOf, verified);
  return { ...verified, evidence };
}

async function evidenceOnChain(parts: TrustedReaderParts, evidenceId: string): Promise<Evidence> {
  let answer: Uint8Array;
  try {
    answer = await parts.ledger.evaluate('evidence', 'get', [evidenceId]);
  } catch (error) {
    if (!isWaymarkError(error, 'refused')) throw error;
    throw new WaymarkError('unavailable', 'The channel has no evidence for this record, or not yet.', {
      details: { evidenceId },
      cause: error,
    });
  }
  const evidence = parseEvidence(answer);
  if (formatEvidenceId(evidence) !== evidenceId) {
    throw new WaymarkError('data-abnormal', 'The channel answered with the evidence of another batch.');
  }
  return evidence;
}
