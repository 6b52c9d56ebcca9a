import { ledger } from '@hyperledger/fabric-protos';
import { TxSimulator } from '../../src/simulation/index.ts';
import { MemoryState } from '../harness/memory-state.ts';

describe('transaction simulation', () => {
  const state = () =>
    new MemoryState().put('cc', 'a', '1').put('cc', 'b', '2').put('cc', 'c', '3').put('cc', '\u{1f600}', '4');

  test('the read-write set does not depend on the order of reads and writes', async () => {
    const one = new TxSimulator('tx', state());
    await one.getState('cc', 'b');
    await one.getState('cc', 'a');
    await one.putState('zz', 'y', Buffer.from('1'));
    await one.putState('cc', 'x', Buffer.from('1'));
    await one.putState('cc', 'w', Buffer.from('1'));
    const other = new TxSimulator('tx', state());
    await other.putState('cc', 'w', Buffer.from('1'));
    await other.putState('cc', 'x', Buffer.from('1'));
    await other.getState('cc', 'a');
    await other.putState('zz', 'y', Buffer.from('1'));
    await other.getState('cc', 'b');
    expect(Buffer.from(one.results().readWriteSet)).toEqual(Buffer.from(other.results().readWriteSet));
  });

  test('a key that is absent is read without a version, one of block 3 with it', async () => {
    const simulator = new TxSimulator('tx', state());
    expect(await simulator.getState('cc', 'absent')).toBeUndefined();
    await simulator.getState('cc', 'b');
    const [present, absent] = parse(simulator).getReadsList().reverse();
    expect(absent?.getKey()).toBe('absent');
    expect(absent?.hasVersion()).toBe(false);
    expect(present?.getVersion()?.toObject()).toEqual({ blockNum: 3, txNum: 1 });
  });

  test('what is written is not read, the last write of a key counts, an empty value deletes', async () => {
    const simulator = new TxSimulator('tx', state());
    await simulator.putState('cc', 'a', Buffer.from('new'));
    expect(Buffer.from((await simulator.getState('cc', 'a'))?.value ?? []).toString()).toBe('1');
    await simulator.putState('cc', 'a', Buffer.from('newer'));
    await simulator.putState('cc', 'b', new Uint8Array());
    await simulator.deleteState('cc', 'c');
    expect(
      parse(simulator)
        .getWritesList()
        .map((write) => [write.getKey(), Buffer.from(write.getValue_asU8()).toString(), write.getIsDelete()]),
    ).toEqual([
      ['a', 'newer', false],
      ['b', '', true],
      ['c', '', true],
    ]);
  });

  test('a range read that stopped early ends at the last key taken, an exhausted one where it was asked to', async () => {
    const simulator = new TxSimulator('tx', state());
    const early = simulator.rangeQuery('cc', 'a', 'z');
    await early.next();
    await early.next();
    const whole = simulator.rangeQuery('cc', 'b', '');
    const keys: string[] = [];
    for (let entry = await whole.next(); entry !== undefined; entry = await whole.next()) keys.push(entry.key);
    expect(keys).toEqual(['b', 'c', '\u{1f600}']);
    const queries = parse(simulator).getRangeQueriesInfoList();
    expect(queries.map((query) => [query.getStartKey(), query.getEndKey(), query.getItrExhausted()])).toEqual([
      ['a', 'b', false],
      ['b', '', true],
    ]);
    expect(
      queries[0]
        ?.getRawReads()
        ?.getKvReadsList()
        .map((read) => read.getKey()),
    ).toEqual(['a', 'b']);
  });

  test('a page has a bookmark: the key that follows it, empty at the end', async () => {
    const simulator = new TxSimulator('tx', state());
    const page = simulator.pagedRangeQuery('cc', '', '', 2);
    expect([await page.next(), await page.next(), await page.next()].map((entry) => entry?.key)).toEqual([
      'a',
      'b',
      undefined,
    ]);
    expect(await page.bookmarkAndClose()).toBe('c');
    const last = simulator.pagedRangeQuery('cc', 'c', '', 10);
    while ((await last.next()) !== undefined);
    expect(await last.bookmarkAndClose()).toBe('');
  });

  test('pages and writes do not go together, in the words of Fabric', async () => {
    const reading = new TxSimulator('t1', state());
    reading.pagedRangeQuery('cc', '', '', 1);
    await expect(reading.putState('cc', 'x', Buffer.from('1'))).rejects.toThrow(
      'txid [t1]: unsuppored transaction. Transaction has already performed a paginated query. Writes are not allowed',
    );
    const writing = new TxSimulator('t2', state());
    await writing.putState('cc', 'x', Buffer.from('1'));
    expect(() => writing.pagedRangeQuery('cc', '', '', 1)).toThrow(
      'txid [t2]: unsuppored transaction. Paginated queries are supported only in a read-only transaction',
    );
  });

  test('the committed metadata of written keys is told, for the endorsement policies that bind them', async () => {
    const policy = Buffer.from('policy');
    const simulator = new TxSimulator('tx', state().put('cc', 'k', '1', { VALIDATION_PARAMETER: policy }));
    await simulator.putState('cc', 'k', Buffer.from('2'));
    await simulator.putMetadata('cc', 'fresh', new Map([['VALIDATION_PARAMETER', policy]]));
    const { writtenMetadata } = simulator.results();
    expect(writtenMetadata.get('cc')?.get('k')?.get('VALIDATION_PARAMETER')).toEqual(policy);
    expect(writtenMetadata.get('cc')?.get('fresh')?.size).toBe(0);
    expect(parse(new TxSimulator('tx', state())).getMetadataWritesList()).toEqual([]);
  });

  test('after the end nothing works any more, and the snapshot is released once', async () => {
    const snapshot = state();
    const simulator = new TxSimulator('tx', snapshot);
    await simulator.done();
    await simulator.done();
    expect(snapshot.released).toBe(1);
    await expect(simulator.getState('cc', 'a')).rejects.toThrow(
      'this instance should not be used after calling Done()',
    );
  });
});

function parse(simulator: TxSimulator, namespace = 'cc'): ledger.rwset.kvrwset.KVRWSet {
  const set = ledger.rwset.TxReadWriteSet.deserializeBinary(simulator.results().readWriteSet);
  const found = set.getNsRwsetList().find((candidate) => candidate.getNamespace() === namespace);
  return ledger.rwset.kvrwset.KVRWSet.deserializeBinary(found?.getRwset_asU8() ?? new Uint8Array());
}
