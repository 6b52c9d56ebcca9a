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
import type { TrustedReaderParts } from './ports.ts';

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
  const { maxCachedBatches = 256 } = parts;
  const batches = new Map<string, Promise<ProvenBatch>>();
  return {
    get(evidenceId) {
      const known = batches.get(evidenceId);
      const batch = known ?? prove(parts, evidenceId);
      batches.delete(evidenceId);
      batches.set(evidenceId, batch);
      if (known === undefined) {
        batch.catch(() => {
          if (batches.get(evidenceId) === batch) batches.delete(evidenceId);
        });
        if (batches.size > maxCachedBatches) batches.delete(batches.keys().next().value ?? '');
      }
      return batch;
    },
  };
}

async function prove(parts: TrustedReaderParts, evidenceId: string): Promise<ProvenBatch> {
  const evidence = await evidenceOnChain(parts, evidenceId);
  const bytes = await parts.content.get(parseCid(evidence.cid, [dagCborCode]));
  const verified = verifyBatchBlock(bytes, evidence, parts.ledger.channel);
  checkOutlet(parts, verified);
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

/**
 * The certificate must have been good when the batch was sent. What happened to it later is no reason to reject: order counts from
 * anchoring, and the chaincode refuses what is anchored after a revocation.
 */
function checkOutlet(parts: TrustedReaderParts, { statement, certificateDer }: VerifiedBatch): void {
  const verifier = parts.verifierOf(statement.msp);
  if (verifier === undefined) {
    throw new WaymarkError('data-abnormal', 'The batch is of an organisation that this reader does not trust.', {
      details: { mspId: statement.msp },
    });
  }
  try {
    const certificate = verifier.verify(certificateDer, { atMs: statement.sentAtMs, roles: ['client', 'peer'] });
    if (certificate.enrolmentId === statement.outlet) return;
  } catch (cause) {
    throw new WaymarkError('data-abnormal', 'The batch was not signed by an outlet of its organisation.', { cause });
  }
  throw new WaymarkError('data-abnormal', 'The batch was signed by another outlet than it names.');
}
