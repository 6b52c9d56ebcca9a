import type { PeerLedger } from '../ledger/ledger.ts';
import type { DevnetEmitter } from './events.ts';
import type { OrderedBlocks } from './orderer-slot.ts';

/** Commits the orderer's blocks on one peer, from where its ledger ends. */
export interface BlockFollower {
  /** Rejects when the peer can commit no more, with the reason; never resolves. */
  readonly failed: Promise<never>;
  /** Resolves when the peer has so many blocks. Rejects when it fails before. */
  reached(height: bigint): Promise<void>;
  stop(): Promise<void>;
}

export function followOrderer(params: {
  readonly peer: string;
  readonly ledger: PeerLedger;
  readonly orderer: OrderedBlocks;
  readonly events: DevnetEmitter;
}): BlockFollower {
  const { peer, ledger, orderer, events } = params;
  const stopped = new AbortController();
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);

  const follow = async () => {
    try {
      for await (const block of orderer.blocks(ledger.height, stopped.signal)) {
        const { number } = await ledger.commit(block);
        const transactions = block.getData()?.getDataList().length ?? 0;
        events.emit('block', { peer, number, transactions });
      }
      fail(new Error('the network has stopped'));
    } catch (error) {
      fail(error);
      if (!stopped.signal.aborted) events.emit('failed', { peer, error: error as Error });
    }
  };
  const following = follow();
  return {
    failed,
    reached: (height) => Promise.race([ledgerReached(ledger, height), failed]),
    stop: async () => {
      stopped.abort();
      await following;
    },
  };
}

function ledgerReached(ledger: PeerLedger, height: bigint): Promise<void> {
  return new Promise((resolve) => {
    if (ledger.height >= height) {
      resolve();
      return;
    }
    const unsubscribe = ledger.onCommit(() => {
      if (ledger.height < height) return;
      unsubscribe();
      resolve();
    });
  });
}
