import { parseEvidenceId, WaymarkError } from '@waymark/protocol';
import type { Asked, Hint } from '@waymark/reading';
import { answerSchemas, parseAnswer } from '../api/answers.ts';
import type { ApiClient } from '../api/api-client.ts';

/** What is asked for: an id that people use, an event id, or a record's oid (64 hex digits). */
export type TraceQuery =
  { readonly type: string; readonly value: string } | { readonly eventId: string } | { readonly recordOid: string };

/** A query in the form the services take. @throws WaymarkError input-invalid */
export function askedBy(query: TraceQuery): Asked {
  if ('eventId' in query) return { type: 'event', value: query.eventId };
  if ('recordOid' in query) {
    if (/^[0-9a-f]{64}$/.test(query.recordOid)) return { recordOid: query.recordOid };
    throw new WaymarkError('input-invalid', 'A record oid has 64 lower-case hexadecimal digits.');
  }
  return { type: query.type, value: query.value };
}

/** Queries in one look-up. */
export const lookupPage = 500;

/** What the index says of one query. */
export interface LookedUp {
  readonly hints: readonly Hint[];
  /** There are more than the service gives in one answer. */
  readonly more: boolean;
}

/** Looks up to 500 queries up, in order, with what proves the records of a private ledger. @throws WaymarkError */
export async function lookUp(api: ApiClient, asked: readonly Asked[], signal?: AbortSignal): Promise<LookedUp[]> {
  const { results } = parseAnswer(
    answerSchemas.lookups,
    await api.call('POST', 'v1/lookups', { queries: asked, proofs: true }, signal),
  );
  if (results.length !== asked.length) throw new WaymarkError('unavailable', 'The service did not answer every query.');
  return results.map(({ hits, more }) => ({
    hints: hits.map((hit) => ({ ...toHint(hit), proof: proofOf(api, hit) })),
    more,
  }));
}

/** The proof that came with a hit, then whatever the service gives by then. */
function proofOf(
  api: ApiClient,
  { recordOid, proof }: { readonly recordOid: string; readonly proof?: string | null | undefined },
): Hint['proof'] {
  if (proof === undefined) return undefined;
  let given = proof;
  return async () => {
    if (given !== null) {
      const bytes = Buffer.from(given, 'base64url');
      given = null;
      return bytes;
    }
    const answer = parseAnswer(answerSchemas.proof, await api.call('GET', `v1/records/${recordOid}/proof`));
    return Buffer.from(answer.proof, 'base64url');
  };
}

/** A hit as a reader takes it. */
export function toHint(hit: { recordOid: string; evidenceId: string; leafIndex: number; cid: string }): Hint {
  try {
    parseEvidenceId(hit.evidenceId);
  } catch (cause) {
    throw new WaymarkError('data-abnormal', 'The index names an evidence that cannot be.', { cause });
  }
  const { evidenceId, leafIndex, cid } = hit;
  return { recordOid: Buffer.from(hit.recordOid, 'hex'), evidenceId, leafIndex, cid };
}

/** One answer for not-yours and not-there. */
export function nothingFound(): WaymarkError {
  return new WaymarkError('refused', 'There is no such record, or it is not yours to see.');
}
