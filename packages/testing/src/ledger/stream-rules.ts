import type { ChaincodeEvent } from '@waymark/fabric';
import { contract, text, type LedgerBench } from './bench.ts';

/** What streams of blocks and events begin with, leave out, and end by. */
export function streamRules(bench: LedgerBench): void {
  const { fresh, commit, created } = bench;

  test('a reader may begin at a block that is not there yet', async () => {
    const { blockNumber } = await created();
    const next = (async () => {
      for await (const { number } of bench.ledger.blockEvents({ from: blockNumber + 1n })) return number;
      return undefined;
    })();
    await created();
    expect(await next).toBe(blockNumber + 1n);
  });

  test('invalid transactions have no events', async () => {
    const { ledger } = bench;
    const { blockNumber } = await created();
    const lost = await ledger.submit(contract, 'announce', ['Lost', fresh()], {
      endorsingOrganizations: [ledger.mspId],
    });
    await lost.commit().catch(() => undefined);
    const payload = fresh();
    await commit('announce', ['Kept', payload]);
    const names: string[] = [];
    for await (const event of ledger.chaincodeEvents({ fromBlock: blockNumber + 1n })) {
      expect(event.txId).not.toBe(lost.txId);
      names.push(event.name);
      if (text(event.payload) === payload) break;
    }
    expect(names).toEqual(['Kept']);
  });

  test('a follower of events gets those to come, with their block, and ends when told', async () => {
    const { blockNumber, txId } = await created();
    const abort = new AbortController();
    const seen: ChaincodeEvent[] = [];
    const three = Promise.withResolvers<undefined>();
    const following = (async () => {
      const options = { fromBlock: blockNumber, afterTxId: txId, signal: abort.signal };
      for await (const event of bench.ledger.chaincodeEvents(options)) {
        seen.push(event);
        if (seen.length === 3) three.resolve(undefined);
      }
    })();
    const made = [await created(), await created(), await created()];
    await three.promise;
    abort.abort();
    await following;
    expect(seen.map((event) => [event.txId, event.blockNumber])).toEqual(
      made.map((transaction) => [transaction.txId, transaction.blockNumber]),
    );
  });

  test('a stream that was ended before it began gives nothing', async () => {
    const signal = AbortSignal.abort();
    for await (const { number } of bench.ledger.blockEvents({ from: 0n, signal })) throw new Error(`block ${number}`);
    for await (const { name } of bench.ledger.chaincodeEvents({ fromBlock: 0n, signal })) throw new Error(name);
    expect(signal.aborted).toBe(true);
  });
}
