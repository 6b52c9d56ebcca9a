import { randomUUID } from 'node:crypto';
import type { peer } from '@hyperledger/fabric-protos';
import type { ResultsIterator, TxSimulator } from '../simulation/tx-simulator.ts';

/** Queries that a transaction may have open in one chaincode: each holds an iterator of the database. */
const MAX_OPEN_QUERIES = 10_000;

/** What a running transaction is to the peer: the same for a chaincode and for those it calls. */
export interface Transaction {
  readonly channelId: string;
  readonly txId: string;
  readonly simulator: TxSimulator;
  readonly signedProposal: peer.SignedProposal;
}

/** An open query: results are serialised `queryresult` messages. */
export interface PendingQuery {
  readonly id: string;
  readonly iterator: ResultsIterator<Uint8Array>;
  /** Results after which the query ends without an error. */
  readonly limit: number;
  readonly paged?: { bookmarkAndClose(): Promise<string> };
  pending: Uint8Array[];
  returned: number;
}

/** A transaction within one chaincode: its namespace and the queries that are open. */
export class TransactionContext {
  readonly transaction: Transaction;
  readonly namespace: string;
  /** A chaincode has one request at a time in flight per transaction. */
  requestActive = false;
  readonly #queries = new Map<string, PendingQuery>();

  constructor(transaction: Transaction, namespace: string) {
    this.transaction = transaction;
    this.namespace = namespace;
  }

  openQuery(
    iterator: ResultsIterator<Uint8Array>,
    limit: number,
    paged?: { bookmarkAndClose(): Promise<string> },
  ): PendingQuery {
    if (this.#queries.size >= MAX_OPEN_QUERIES) {
      throw new Error(`more than ${MAX_OPEN_QUERIES} queries are open`);
    }
    const query: PendingQuery = {
      id: randomUUID(),
      iterator,
      limit,
      pending: [],
      returned: 0,
      ...(paged === undefined ? {} : { paged }),
    };
    this.#queries.set(query.id, query);
    return query;
  }

  query(id: string): PendingQuery | undefined {
    return this.#queries.get(id);
  }

  async closeQuery(id: string): Promise<void> {
    const query = this.#queries.get(id);
    this.#queries.delete(id);
    await query?.iterator.close();
  }

  async closeQueries(): Promise<void> {
    await Promise.all([...this.#queries.keys()].map((id) => this.closeQuery(id)));
  }
}
