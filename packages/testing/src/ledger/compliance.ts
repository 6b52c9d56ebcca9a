import type { DecodedBlock, Ledger } from '@waymark/fabric';
import type { WaymarkError } from '@waymark/protocol';
import { expectCode } from '../content/expect-code.ts';
import { blockAt, contract, ledgerBench, text, type LedgersUnderTest } from './bench.ts';
import { endorsementRules } from './endorsement-rules.ts';
import { statusRules } from './status-rules.ts';
import { streamRules } from './stream-rules.ts';

export type { LedgersUnderTest } from './bench.ts';

/** One suite for every implementation of the ledger port and every network behind it. */
export function ledgerCompliance(name: string, prepare: () => Promise<LedgersUnderTest>): void {
  describe(`ledger: ${name}`, () => {
    let underTest: LedgersUnderTest;
    let ledger: Ledger;
    const bench = ledgerBench(() => underTest);
    const { fresh, commit, created, valueOf } = bench;

    beforeAll(async () => {
      underTest = await prepare();
      ledger = underTest.ledger;
    }, 120_000);
    afterAll(() => underTest.dispose(), 30_000);

    test('what a transaction returned and wrote is there once it is committed', async () => {
      const { id, txId, result, blockNumber } = await created();
      expect(JSON.parse(text(result))).toMatchObject({ id, value: 1 });
      expect(blockNumber).toBeGreaterThan(0n);
      expect(await valueOf(id)).toBe(1);
      expect(await ledger.transactionStatus(txId)).toEqual({ txId, blockNumber, valid: true, validationCode: 'VALID' });
    });

    test('an evaluation writes nothing', async () => {
      const id = fresh();
      await ledger.evaluate(contract, 'createAsset', [id, 'owner', '1']);
      await expectCode(ledger.evaluate(contract, 'readAsset', [id]), 'chaincode-error');
    });

    test('what the contract throws is chaincode-error, on both paths, and nothing is written', async () => {
      await expectCode(ledger.evaluate(contract, 'fail', ['on purpose']), 'chaincode-error');
      await expectCode(ledger.submit(contract, 'fail', ['on purpose']), 'chaincode-error');
      expect(text(await ledger.evaluate(contract, 'readRaw', ['never']))).toBe('');
    });

    test('a refusal with one of our codes keeps code and facts, on both paths, and can be told from what others refuse', async () => {
      const refusal = 'WAYMARK_SEQUENCE_GAP: {"id":"Org1MSP/outlet-1/3","reason":"prev","seq":3}';
      const facts = { id: 'Org1MSP/outlet-1/3', reason: 'prev', seq: 3 };
      const evaluated = await failureOf(ledger.evaluate(contract, 'fail', [refusal]));
      expect(evaluated).toMatchObject({ code: 'sequence-gap', details: facts });
      const submitted = await failureOf(ledger.submit(contract, 'fail', [refusal]));
      expect(submitted).toMatchObject({
        code: 'sequence-gap',
        details: { ...facts, txId: expect.any(String) as string },
      });
      for (const { cause, details } of [evaluated, submitted]) {
        expect(cause).toBeDefined();
        expect(details).not.toHaveProperty('grpcStatus');
      }
      const otherwise = await Promise.all([
        failureOf(ledger.evaluate(contract, 'fail', ['x'])),
        failureOf(ledger.submit(contract, 'fail', ['x'])),
      ]);
      for (const { details } of otherwise) expect(details).toHaveProperty('grpcStatus');
    });

    test('a function or contract that is not there is chaincode-error', async () => {
      await expectCode(ledger.evaluate(contract, 'noSuchFunction', []), 'chaincode-error');
      await expectCode(ledger.evaluate('noSuchContract', 'readAsset', ['x']), 'chaincode-error');
    });

    test('arguments may be any bytes', async () => {
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      const key = fresh('bytes');
      await commit('raw', [key, bytes]);
      expect(text(await ledger.evaluate(contract, 'readRaw', [key]))).toBe(Buffer.from(bytes).toString('base64'));
    });

    test('transient values reach the contract and are not in the block', async () => {
      const transient = { secret: Buffer.from('canary-transient') };
      const sizes = await ledger.evaluate(contract, 'transientSizes', [], { transient });
      expect(JSON.parse(text(sizes))).toEqual({ secret: 16 });
      const id = fresh();
      const { blockNumber } = await commit('createAsset', [id, 'owner', '1'], { transient });
      const block = await blockAt(ledger, blockNumber);
      expect(block.transactions.some(({ writes }) => writes.some(({ key }) => key === id))).toBe(true);
      expect(
        JSON.stringify(block.transactions.flatMap(({ writes }) => writes.map(({ value }) => text(value)))),
      ).not.toContain('canary');
    });

    test('concurrent changes of one key: without leave to repeat, one wins and the others learn Fabric’s code', async () => {
      const { id } = await created();
      const outcomes = await Promise.allSettled(
        ['2', '3', '4', '5'].map((value) => commit('updateAsset', [id, value])),
      );
      const failures = outcomes
        .filter((outcome) => outcome.status === 'rejected')
        .map(({ reason }) => reason as unknown);
      expect(failures.length).toBeGreaterThan(0);
      expect(failures.length).toBeLessThan(4);
      for (const failure of failures) {
        expect(failure).toMatchObject({
          code: 'transaction-invalid',
          details: { validationCode: expect.stringMatching(/^(MVCC_READ_CONFLICT|ENDORSEMENT_MISMATCH)$/) as string },
        });
      }
    });

    test('with leave to repeat, all of them get through, each once', async () => {
      const { id } = await created();
      const values = ['2', '3', '4', '5', '6'];
      const committed = await Promise.all(
        values.map((value) => commit('updateAsset', [id, value], { retryable: true })),
      );
      expect(new Set(committed.map(({ txId }) => txId)).size).toBe(values.length);
      const history = JSON.parse(text(await ledger.evaluate(contract, 'assetHistory', [id]))) as {
        readonly txId: string;
      }[];
      expect(history.map(({ txId }) => txId).sort()).toEqual(
        expect.arrayContaining(committed.map(({ txId }) => txId).sort()),
      );
      expect(history).toHaveLength(values.length + 1);
    });

    test('a range that changed meanwhile is a phantom conflict, repeated on request', async () => {
      const [range, total] = [fresh('phantom'), fresh('count-of-phantoms')];
      const count = ledger.submit(contract, 'countInto', [`${range}-`, `${range}-~`, total], { retryable: true });
      const add = ledger.submit(contract, 'createAsset', [`${range}-1`, 'owner', '1']);
      const [counting, adding] = await Promise.all([count, add]);
      await Promise.all([counting.commit(), adding.commit()]);
      expect(await valueOf(total)).toBeLessThanOrEqual(1);
    });

    test('endorsers that answer differently are transaction-invalid, and nothing is ordered', async () => {
      const dice = fresh('dice');
      await expect(ledger.submit(contract, 'random', [dice])).rejects.toMatchObject({
        code: 'transaction-invalid',
        details: { validationCode: 'ENDORSEMENT_MISMATCH' },
      });
      expect(text(await ledger.evaluate(contract, 'readRaw', [dice]))).toBe('');
    });

    test('another organisation sees the same blocks', async () => {
      const { id, blockNumber } = await created();
      const [mine, theirs] = await Promise.all([blockAt(ledger, blockNumber), blockAt(underTest.other, blockNumber)]);
      expect(Buffer.from(theirs.hash)).toEqual(Buffer.from(mine.hash));
      const asset = JSON.parse(text(await underTest.other.evaluate(contract, 'readAsset', [id]))) as {
        readonly id: string;
      };
      expect(asset.id).toBe(id);
    });

    test('blocks from 0 on are linked, without gaps, valid and invalid transactions told apart', async () => {
      const { id } = await created();
      await Promise.allSettled([commit('updateAsset', [id, '2']), commit('updateAsset', [id, '3'])]);
      const { blockNumber } = await created();
      const blocks = await blocksBetween(ledger, 0n, blockNumber);
      expect(blocks[0]?.transactions.map(({ type }) => type)).toEqual(['config']);
      for (const [index, block] of blocks.entries()) {
        expect(block.number).toBe(BigInt(index));
        if (index > 0) expect(Buffer.from(block.previousHash)).toEqual(Buffer.from(blocks[index - 1]?.hash ?? []));
        for (const { valid, writes, validationCode } of block.transactions) {
          expect(valid).toBe(validationCode === 'VALID');
          if (!valid) expect(writes).toEqual([]);
        }
      }
      const writes = blocks.flatMap(({ transactions }) => transactions).flatMap((transaction) => transaction.writes);
      expect(
        writes.filter(({ namespace, key }) => namespace === ledger.chaincode && key === id).length,
      ).toBeGreaterThan(0);
    });

    test('a follower gets each new block as it is committed, and ends when told', async () => {
      const { blockNumber } = await created();
      const abort = new AbortController();
      const seen: bigint[] = [];
      const first = Promise.withResolvers<undefined>();
      const following = (async () => {
        for await (const { number } of ledger.blockEvents({ from: blockNumber, signal: abort.signal })) {
          seen.push(number);
          first.resolve(undefined);
        }
      })();
      await first.promise;
      const last = await created();
      await created();
      while ((seen.at(-1) ?? 0n) < last.blockNumber) await new Promise(setImmediate);
      abort.abort();
      await following;
      expect(seen).toEqual(seen.map((_, index) => blockNumber + BigInt(index)));
    });

    test('a deleted key comes as a deletion, a composite key as it is', async () => {
      const { id } = await created();
      const { blockNumber, txId } = await commit('deleteAsset', [id]);
      const block = await blockAt(ledger, blockNumber);
      const transaction = block.transactions.find((candidate) => candidate.txId === txId);
      expect(transaction?.writes.map(({ key, isDelete }) => [key, isDelete]).sort()).toEqual([
        [`\u0000owner~id\u0000owner\u0000${id}\u0000`, true],
        [id, true],
      ]);
      expect(transaction).toMatchObject({ creatorMsp: ledger.mspId, chaincode: ledger.chaincode, type: 'endorser' });
      expect(transaction?.events.map((event) => event.name)).toEqual(['AssetDeleted']);
      expect(Math.abs(Date.now() - (transaction?.timestampMs ?? 0))).toBeLessThan(60_000);
    });

    test('events come from a block on, and after a transaction, in the order of the chain', async () => {
      const first = await created();
      const second = await created();
      const third = await created();
      const from = async (afterTxId?: string): Promise<string[]> => {
        const ids: string[] = [];
        const options = { fromBlock: first.blockNumber, ...(afterTxId === undefined ? {} : { afterTxId }) };
        for await (const event of ledger.chaincodeEvents(options)) {
          expect(event.name).toBe('AssetCreated');
          ids.push((JSON.parse(text(event.payload)) as { readonly id: string }).id);
          if (event.txId === third.txId) break;
        }
        return ids;
      };
      expect(await from()).toEqual([first.id, second.id, third.id]);
      expect(await from(first.txId)).toEqual([second.id, third.id]);
    });

    test('a block larger than gRPC’s usual 4 MiB is read', async () => {
      const large = fresh('large');
      const value = Buffer.alloc(3 * 1024 * 1024, 0x5a);
      const { blockNumber } = await commit('raw', [large, value]);
      const block = await blockAt(ledger, blockNumber);
      const write = block.transactions.flatMap(({ writes }) => writes).find(({ key }) => key === large);
      expect(write?.value.length).toBe(value.length);
    });

    test('more calls than may be in flight all get their answer', async () => {
      const { id } = await created();
      const answers = await Promise.all(Array.from({ length: 400 }, () => valueOf(id)));
      expect(new Set(answers)).toEqual(new Set([1]));
      expect(ledger.load).toEqual({ inFlight: 0, waiting: 0 });
    });

    endorsementRules(bench);
    statusRules(bench);
    streamRules(bench);

    test('a closed connection ends its streams quietly and answers nothing', async () => {
      const short = underTest.connect();
      const first = Promise.withResolvers<undefined>();
      const following = (async () => {
        for await (const { number } of short.blockEvents({ from: 0n })) if (number === 0n) first.resolve(undefined);
      })();
      await first.promise;
      short.close();
      await following;
      await expectCode(short.evaluate(contract, 'readAsset', ['x']), 'unavailable');
    });
  });
}

async function blocksBetween(ledger: Ledger, from: bigint, to: bigint): Promise<DecodedBlock[]> {
  const blocks: DecodedBlock[] = [];
  for await (const block of ledger.blockEvents({ from })) {
    blocks.push(block);
    if (block.number === to) break;
  }
  return blocks;
}

async function failureOf(call: Promise<unknown>): Promise<WaymarkError> {
  return call.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as WaymarkError,
  );
}
