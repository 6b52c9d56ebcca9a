import type { common, peer } from '@hyperledger/fabric-protos';
import { transactionIds } from '../block/transaction-ids.ts';
import type { PeerLedger } from '../ledger/ledger.ts';

export interface TransactionStatus {
  readonly blockNumber: bigint;
  readonly validationCode: peer.TxValidationCodeMap[keyof peer.TxValidationCodeMap];
}

export interface Listening {
  readonly committed: Promise<TransactionStatus>;
  /** Stops listening; with an error, `committed` rejects with it. */
  stop(error?: Error): void;
}

/** Tells when transactions are committed on one peer. */
export interface CommitNotifier {
  wait(txId: string): Listening;
  close(): void;
}

interface Waiting {
  readonly resolve: (status: TransactionStatus) => void;
  readonly reject: (error: Error) => void;
}

const TRANSACTIONS_FILTER = 2;

export function createCommitNotifier(ledger: Pick<PeerLedger, 'onCommit'>): CommitNotifier {
  const waiting = new Map<string, Set<Waiting>>();
  const notify = (block: common.Block, blockNumber: bigint) => {
    if (waiting.size === 0) return;
    const flags = block.getMetadata()?.getMetadataList_asU8()[TRANSACTIONS_FILTER] ?? new Uint8Array();
    transactionIds(block).forEach((txId, index) => {
      const waiters = waiting.get(txId);
      if (waiters === undefined) return;
      const validationCode = (flags[index] ?? 255) as TransactionStatus['validationCode'];
      for (const { resolve } of waiters) resolve({ blockNumber, validationCode });
      waiting.delete(txId);
    });
  };
  const unsubscribe = ledger.onCommit(({ block, number }) => notify(block, number));
  return {
    wait: (txId) => {
      let waiter: Waiting = { resolve: () => undefined, reject: () => undefined };
      const committed = new Promise<TransactionStatus>((resolve, reject) => {
        waiter = { resolve, reject };
      });
      committed.catch(() => undefined);
      const waiters = waiting.get(txId) ?? new Set();
      waiting.set(txId, waiters.add(waiter));
      return {
        committed,
        stop: (error) => {
          waiters.delete(waiter);
          if (waiters.size === 0 && waiting.get(txId) === waiters) waiting.delete(txId);
          if (error !== undefined) waiter.reject(error);
        },
      };
    },
    close: unsubscribe,
  };
}
