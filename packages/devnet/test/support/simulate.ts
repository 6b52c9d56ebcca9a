import { TxSimulator } from '../../src/simulation/index.ts';
import type { TestTransaction, TransactionParts } from './test-transaction.ts';
import type { TestChain } from './test-chain.ts';

/** Simulates a transaction against the ledger as it is now, the way an endorser does. */
export async function simulate(
  chain: TestChain,
  run: (simulator: TxSimulator) => Promise<void>,
  parts: Partial<TransactionParts> = {},
): Promise<TestTransaction> {
  const simulator = new TxSimulator('test', await chain.ledger.snapshot());
  try {
    await run(simulator);
    return chain.transaction(undefined, { results: simulator.results().readWriteSet, ...parts });
  } finally {
    await simulator.done();
  }
}

/** Reads a range to its end, or only the first `count` results, and writes `key`. */
export function rangeThenWrite(
  chain: TestChain,
  range: { readonly start: string; readonly end: string; readonly count?: number },
  key: string,
): Promise<TestTransaction> {
  return simulate(chain, async (simulator) => {
    const results = simulator.rangeQuery('basic', range.start, range.end);
    for (let taken = 0; taken < (range.count ?? Infinity); taken++) {
      if ((await results.next()) === undefined) break;
    }
    await results.close();
    await simulator.putState('basic', key, Buffer.from('written'));
  });
}
