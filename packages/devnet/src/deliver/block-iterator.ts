import type { CommittedBlock } from '../ledger/ledger.ts';

/** Anything that has blocks and tells of new ones: a peer's ledger or an orderer's. */
export interface BlockSource {
  readonly height: bigint;
  getBlock(number: bigint): Promise<CommittedBlock | undefined>;
  onCommit(listener: (block: CommittedBlock) => void): () => void;
}

/** Blocks from `start` on, waiting for those to come, until aborted. */
export async function* blocksFrom(
  source: BlockSource,
  start: bigint,
  aborted: AbortSignal,
): AsyncGenerator<CommittedBlock, void> {
  let wake: () => void = () => undefined;
  let newest: CommittedBlock | undefined;
  const unsubscribe = source.onCommit((block) => {
    newest = block;
    wake();
  });
  const stop = () => wake();
  aborted.addEventListener('abort', stop);
  try {
    for (let number = start; !aborted.aborted; number++) {
      while (source.height <= number) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        if (isAborted(aborted)) return;
      }
      const block = newest?.number === number ? newest : await source.getBlock(number);
      if (block === undefined) throw new Error(`block ${number} is not in the ledger`);
      yield block;
    }
  } finally {
    aborted.removeEventListener('abort', stop);
    unsubscribe();
  }
}

/** Asked again after each wait: the type checker does not know that waiting changes it. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
