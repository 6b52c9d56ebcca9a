import { decodeHeader } from '@waymark/rsl';
import type { Logger } from '@waymark/service-kit';
import type { OwnLedger } from './own-ledger.ts';
import type { PinStore } from './pin-store.ts';

/** Blocks that are offered to the others before they are anchored: the rest has its turn behind them. */
const maxOffered = 256;

/** What a gate is made of. */
export interface LedgerGateParts {
  readonly mspId: string;
  /** Organisations that must have given a receipt, the own one included. */
  readonly replicas: number;
  readonly store: Pick<PinStore, 'replicas' | 'receiptCount' | 'anchored'>;
  readonly ownLedger: () => OwnLedger | undefined;
  /** Notes that an own body is pinned here. */
  readonly holdOwn: (cid: string) => void;
  /** Asks the others to keep bodies. */
  readonly ask: (cids: readonly string[]) => void;
  /** Told when bodies can be had by the others: blocks may have become free to be anchored. */
  readonly onPublished: () => void;
  readonly logger: Logger;
}

/** Lets blocks be anchored once enough organisations have given receipts for their bodies. */
export interface LedgerGate {
  /**
   * The highest block from `first` to `last` that may be anchored, and with it all below it; `first - 1` for none. Those that may not are put where others can get them,
   * and receipts are asked for.
   */
  mayAnchor(first: number, last: number): number;
  /** Blocks that wait for receipts. */
  readonly lacking: number;
}

/** Builds a gate. */
export function createLedgerGate(parts: LedgerGateParts): LedgerGate {
  const { mspId, store } = parts;
  let publishing: Promise<void> | undefined;
  let lacking: readonly string[] = [];

  const isPublished = (cid: string): boolean => store.replicas(cid).some(({ msp }) => msp === mspId);

  /** One call at a time; when it fails, the relay comes back and it is tried again. */
  function publish(ledger: OwnLedger, blocks: readonly { readonly height: number; readonly cid: string }[]): void {
    const [from] = blocks;
    const to = blocks.at(-1);
    if (publishing !== undefined || from === undefined || to === undefined) return;
    publishing = ledger.publish(from.height, to.height).then(
      () => {
        for (const { cid } of blocks) parts.holdOwn(cid);
        publishing = undefined;
        parts.onPublished();
      },
      (error: unknown) => {
        publishing = undefined;
        parts.logger.warn('blocks could not be put where other organisations get them', { height: from.height, error });
      },
    );
  }

  return {
    mayAnchor(first, last) {
      const ledger = parts.ownLedger();
      const headers = ledger?.headers(first, Math.min(last, first + maxOffered - 1));
      if (ledger === undefined || headers === undefined) return first - 1;
      const blocks = headers.map((bytes, index) => ({ height: first + index, cid: decodeHeader(bytes).body }));
      const held = blocks.findIndex(({ cid }) => store.receiptCount(cid) < parts.replicas);
      const waiting = held < 0 ? [] : blocks.slice(held);
      lacking = waiting.filter(({ cid }) => store.receiptCount(cid) < parts.replicas).map(({ cid }) => cid);
      const unpublished = waiting.findIndex(({ cid }) => !isPublished(cid));
      const offered = unpublished < 0 ? waiting : waiting.slice(0, unpublished);
      if (unpublished >= 0) publish(ledger, waiting.slice(unpublished));
      parts.ask(offered.map(({ cid }) => cid));
      return held < 0 ? first + blocks.length - 1 : first + held - 1;
    },
    get lacking() {
      return lacking.filter((cid) => store.anchored(cid) === undefined && store.receiptCount(cid) < parts.replicas)
        .length;
    },
  };
}
