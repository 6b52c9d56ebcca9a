export { type JsonObject, maxFastRecords, maxHitsPerAnswer, maxHitsPerQuery, maxLookupQueries } from './limits.ts';
export { jsonCall, openApiDocument, queryPaths, querySchemas } from './openapi.ts';
export type { Authenticate, IndexHit, Query, QueryIndex, QueryKeys, RecordProofs } from './ports.ts';
export {
  createReads,
  type FastAnswer,
  type HitMessage,
  type LookUpOptions,
  type Reads,
  type ReadsParts,
} from './reads.ts';
export { answer, authentication, callerOf, createQueryRouter, only, type QueryRouterParts } from './router.ts';
