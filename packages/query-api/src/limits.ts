import type { JsonValue } from '@waymark/protocol';

/** A JSON object under construction. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Queries, or consignments, in one request. */
export const maxLookupQueries = 500;
/** Hits for one query. */
export const maxHitsPerQuery = 1_000;
/** Hits in one answer, over all its queries. */
export const maxHitsPerAnswer = 20_000;
/** Records in one fast answer: their envelopes travel in it. */
export const maxFastRecords = 50;
/** Record proofs in one answer, in bytes before base64url: what does not fit is asked for by record. */
export const maxProofBytesPerAnswer = 8 * 1024 * 1024;
