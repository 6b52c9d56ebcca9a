import { peer } from '@hyperledger/fabric-protos';
import type { PendingQuery, TransactionContext } from './transaction-context.ts';

/** Results per message between peer and chaincode; it does not limit what the chaincode gets. */
const BATCH_SIZE = 100;

/**
 * The next `QueryResponse` of a query (Fabric: core/chaincode/query_response_generator.go). Without paging, batches of 100
 * go out as long as there is more; at the query limit it simply ends. With paging, one response carries the page and the
 * bookmark of the next.
 */
export async function nextQueryResponse(context: TransactionContext, query: PendingQuery): Promise<Uint8Array> {
  while (query.returned < query.limit) {
    const result = await query.iterator.next();
    if (result === undefined) break;
    query.returned++;
    if (query.paged === undefined && query.pending.length === BATCH_SIZE) {
      const batch = query.pending;
      query.pending = [result];
      return buildQueryResponse(query.id, batch, true);
    }
    query.pending.push(result);
  }
  const batch = query.pending;
  query.pending = [];
  if (query.paged === undefined) {
    await context.closeQuery(query.id);
    return buildQueryResponse(query.id, batch, false);
  }
  const bookmark = await query.paged.bookmarkAndClose();
  await context.closeQuery(query.id);
  const metadata = new peer.QueryResponseMetadata();
  metadata.setFetchedRecordsCount(query.returned);
  metadata.setBookmark(bookmark);
  return buildQueryResponse(query.id, batch, false, metadata.serializeBinary());
}

export function buildQueryResponse(
  id: string,
  results: readonly Uint8Array[],
  hasMore: boolean,
  metadata?: Uint8Array,
): Uint8Array {
  const response = new peer.QueryResponse();
  response.setId(id);
  response.setHasMore(hasMore);
  response.setResultsList(
    results.map((bytes) => {
      const result = new peer.QueryResultBytes();
      result.setResultbytes(bytes);
      return result;
    }),
  );
  if (metadata !== undefined) response.setMetadata(metadata);
  return response.serializeBinary();
}
