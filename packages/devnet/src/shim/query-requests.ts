import { ledger, peer } from '@hyperledger/fabric-protos';
import { createTimestamp } from '../block/timestamp.ts';
import type { HistoryEntry, StateEntry } from '../ledger/ledger.ts';
import type { ResultsIterator } from '../simulation/tx-simulator.ts';
import { unmarshal } from './chaincode-message.ts';
import { buildQueryResponse, nextQueryResponse } from './query-response.ts';
import { refuseCollection, type StateRequestHandler } from './state-requests.ts';

/** Results after which any query ends silently (Fabric: ledger.state.totalQueryLimit). */
const TOTAL_QUERY_LIMIT = 100_000;

export const handleGetStateByRange: StateRequestHandler = async (payload, context) => {
  const request = unmarshal(peer.GetStateByRange, payload);
  refuseCollection(request.getCollection());
  const { simulator } = context.transaction;
  const metadata = unmarshal(peer.QueryMetadata, request.getMetadata_asU8());
  const pageSize = metadata.getPagesize();
  const bookmark = metadata.getBookmark();
  const limit = pageSize > 0 && pageSize < TOTAL_QUERY_LIMIT ? pageSize : TOTAL_QUERY_LIMIT;
  const encode = (entry: StateEntry) => encodeKv(context.namespace, entry);
  if (pageSize === 0 && bookmark === '') {
    const range = simulator.rangeQuery(context.namespace, request.getStartkey(), request.getEndkey());
    return nextQueryResponse(context, context.openQuery(mapResults(range, encode), limit));
  }
  const start = bookmark === '' ? request.getStartkey() : bookmark;
  const range = simulator.pagedRangeQuery(context.namespace, start, request.getEndkey(), pageSize);
  return nextQueryResponse(context, context.openQuery(mapResults(range, encode), limit, range));
};

export const handleGetHistoryForKey: StateRequestHandler = async (payload, context) => {
  const key = unmarshal(peer.GetHistoryForKey, payload).getKey();
  const history = context.transaction.simulator.history(context.namespace, key);
  return nextQueryResponse(context, context.openQuery(mapResults(history, encodeModification), TOTAL_QUERY_LIMIT));
};

export const handleQueryStateNext: StateRequestHandler = async (payload, context) => {
  const query = context.query(unmarshal(peer.QueryStateNext, payload).getId());
  if (query === undefined) throw new Error('query iterator not found');
  return nextQueryResponse(context, query);
};

export const handleQueryStateClose: StateRequestHandler = async (payload, context) => {
  const id = unmarshal(peer.QueryStateClose, payload).getId();
  await context.closeQuery(id);
  return buildQueryResponse(id, [], false);
};

/** Rich queries need CouchDB; the text is that of a Fabric peer with LevelDB. */
export const handleGetQueryResult: StateRequestHandler = (payload) => {
  const request = unmarshal(peer.GetQueryResult, payload);
  refuseCollection(request.getCollection());
  const metadata = unmarshal(peer.QueryMetadata, request.getMetadata_asU8());
  const paged = metadata.getPagesize() !== 0 || metadata.getBookmark() !== '';
  throw new Error(`${paged ? 'ExecuteQueryWithMetadata' : 'ExecuteQuery'} not supported for leveldb`);
};

function encodeKv(namespace: string, entry: StateEntry): Uint8Array {
  const kv = new ledger.queryresult.KV();
  kv.setNamespace(namespace);
  kv.setKey(entry.key);
  kv.setValue(entry.value);
  return kv.serializeBinary();
}

function encodeModification(entry: HistoryEntry): Uint8Array {
  const modification = new ledger.queryresult.KeyModification();
  modification.setTxId(entry.txId);
  modification.setValue(entry.value);
  modification.setTimestamp(createTimestamp(entry.timestampMs));
  modification.setIsDelete(entry.isDelete);
  return modification.serializeBinary();
}

function mapResults<T>(iterator: ResultsIterator<T>, encode: (result: T) => Uint8Array): ResultsIterator<Uint8Array> {
  return {
    next: async () => {
      const result = await iterator.next();
      return result === undefined ? undefined : encode(result);
    },
    close: () => iterator.close(),
  };
}
