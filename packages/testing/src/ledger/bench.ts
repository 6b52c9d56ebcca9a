import { randomUUID } from 'node:crypto';
import type { CommittedTransaction, DecodedBlock, Ledger, SubmitOptions } from '@waymark/fabric';

/** Two organisations' connections to one channel that serves the contract of `examples/asset-contract`, endorsed by both. */
export interface LedgersUnderTest {
  readonly ledger: Ledger;
  /** As another organisation, through its own peer. */
  readonly other: Ledger;
  /** A new connection as the first organisation. */
  connect(): Ledger;
  dispose(): Promise<void>;
}

/** Name of the contract in the chaincode. */
export const contract = 'assets';

/** What the rules stand on: the connections, and calls that most of them begin with. Keys differ from run to run. */
export interface LedgerBench {
  readonly ledger: Ledger;
  readonly underTest: LedgersUnderTest;
  /** A key that no other rule and no earlier run uses. */
  readonly fresh: (name?: string) => string;
  readonly commit: (
    fn: string,
    args: readonly (string | Uint8Array)[],
    options?: SubmitOptions,
  ) => Promise<CommittedTransaction>;
  /** A new asset of value 1. */
  readonly created: () => Promise<CommittedTransaction & { readonly id: string }>;
  readonly valueOf: (id: string) => Promise<number>;
}

/** @param of gives the connections, once they are there */
export function ledgerBench(of: () => LedgersUnderTest): LedgerBench {
  const run = randomUUID().slice(0, 8);
  let count = 0;
  const fresh = (name = 'asset'): string => `${name}-${run}-${(count += 1)}`;
  const bench: LedgerBench = {
    get ledger() {
      return of().ledger;
    },
    get underTest() {
      return of();
    },
    fresh,
    commit: async (fn, args, options) => (await of().ledger.submit(contract, fn, args, options)).commit(),
    created: async () => {
      const id = fresh();
      return { id, ...(await bench.commit('createAsset', [id, 'owner', '1'])) };
    },
    valueOf: async (id) => {
      const asset = JSON.parse(text(await of().ledger.evaluate(contract, 'readAsset', [id]))) as {
        readonly value: number;
      };
      return asset.value;
    },
  };
  return bench;
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

export async function blockAt(ledger: Ledger, number: bigint): Promise<DecodedBlock> {
  for await (const block of ledger.blockEvents({ from: number })) return block;
  throw new Error('the stream ended');
}
