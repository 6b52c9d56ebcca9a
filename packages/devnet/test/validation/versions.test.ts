import { peer } from '@hyperledger/fabric-protos';
import { rangeThenWrite, simulate } from '../support/simulate.ts';
import { TestChain } from '../support/test-chain.ts';
import { removeTemporaryFolders } from '../support/temporary-folder.ts';

const { VALID, MVCC_READ_CONFLICT, PHANTOM_READ_CONFLICT } = peer.TxValidationCode;

let chain: TestChain;
beforeEach(async () => {
  chain = await TestChain.create();
});
afterEach(async () => {
  await chain.ledger.close();
});
afterAll(removeTemporaryFolders);

const increment = (key: string) =>
  simulate(chain, async (simulator) => {
    const stored = await simulator.getState('basic', key);
    const value = Number(Buffer.from(stored?.value ?? []).toString() || '0');
    await simulator.putState('basic', key, Buffer.from(String(value + 1)));
  });
const remove = (key: string) =>
  chain.transaction((set) => {
    set.addWrite('basic', key, new Uint8Array());
  });

describe('reads of single keys', () => {
  test('two increments of one state: the first wins', async () => {
    const [one, two] = await Promise.all([increment('n'), increment('n')]);
    expect(await chain.commit(one, two)).toEqual([VALID, MVCC_READ_CONFLICT]);
    expect(await chain.get('n')).toBe('1');
  });

  test('a read that a committed block has outdated', async () => {
    await chain.commit(chain.write('n', '5'));
    const stale = await increment('n');
    await chain.commit(chain.write('n', '7'));
    expect(await chain.commit(stale, await increment('n'))).toEqual([MVCC_READ_CONFLICT, VALID]);
    expect(await chain.get('n')).toBe('8');
  });

  test('an absent key that has come, a present key that has gone', async () => {
    await chain.commit(chain.write('gone', '1'));
    const [sawNothing, sawValue] = await Promise.all([increment('new'), increment('gone')]);
    await chain.commit(chain.write('new', '1'), remove('gone'));
    expect(await chain.commit(sawNothing, sawValue)).toEqual([MVCC_READ_CONFLICT, MVCC_READ_CONFLICT]);
  });

  test('a deletion earlier in the block counts as a change', async () => {
    await chain.commit(chain.write('n', '1'));
    expect(await chain.commit(remove('n'), await increment('n'))).toEqual([VALID, MVCC_READ_CONFLICT]);
  });

  test('an invalid earlier transaction changes nothing', async () => {
    const unendorsed = chain.write('n', '9', { endorsers: [] });
    expect((await chain.commit(unendorsed, await increment('n')))[1]).toBe(VALID);
  });

  test('blind writes never conflict; the last one stays', async () => {
    expect(await chain.commit(chain.write('n', '1'), chain.write('n', '2'), chain.write('n', '3'))).toEqual([
      VALID,
      VALID,
      VALID,
    ]);
    expect(await chain.get('n')).toBe('3');
  });

  test('writing only metadata gives the key a new version', async () => {
    await chain.commit(chain.write('n', '1'));
    const stale = await increment('n');
    const metadataOnly = chain.transaction((set) => {
      set.addMetadataWrite('basic', 'n', new Map([['note', Buffer.from('x')]]));
    });
    expect(await chain.commit(metadataOnly)).toEqual([VALID]);
    expect(await chain.commit(stale)).toEqual([MVCC_READ_CONFLICT]);
    const snapshot = await chain.ledger.snapshot();
    const stored = await snapshot.get('basic', 'n');
    expect(stored?.version).toEqual({ blockNumber: 3n, txNumber: 0n });
    expect(Buffer.from(stored?.metadata?.get('note') ?? []).toString()).toBe('x');
    snapshot.release();
  });
});

describe.each([
  ['few results, read one by one', 8],
  ['many results, summarised by hashes', 120],
  ['so many that hashes are hashed again', 2700],
])('range reads: %s', (_, count) => {
  const keyAt = (index: number) => `k${String(index * 2).padStart(5, '0')}`;
  const range = { start: 'k', end: 'l' };

  beforeEach(async () => {
    const fill = chain.transaction((set) => {
      for (let index = 0; index < count; index++) set.addWrite('basic', keyAt(index), Buffer.from(String(index)));
    });
    expect(await chain.commit(fill)).toEqual([VALID]);
  });

  test('stand while nothing in the range changes', async () => {
    const reader = await rangeThenWrite(chain, range, 'result');
    await chain.commit(chain.write('a', '1'), chain.write('z', '1'), chain.write('l', '1'));
    expect(await chain.commit(chain.write('m', '1'), reader)).toEqual([VALID, VALID]);
  });

  test.each<[string, () => ReturnType<TestChain['write']>]>([
    ['an insert at the start', () => chain.write('k', 'phantom')],
    ['an insert in the middle', () => chain.write(`${keyAt(Math.floor(count / 2))}x`, 'phantom')],
    ['an insert at the end', () => chain.write('k~', 'phantom')],
    ['a deletion', () => remove(keyAt(Math.floor(count / 3)))],
    ['a deletion of the last', () => remove(keyAt(count - 1))],
    ['a new value', () => chain.write(keyAt(Math.floor(count / 2)), 'changed')],
  ])('fall by %s, committed before or earlier in the block', async (_name, change) => {
    const [one, two] = await Promise.all([
      rangeThenWrite(chain, range, 'result'),
      rangeThenWrite(chain, range, 'result2'),
    ]);
    expect(await chain.commit(change(), one)).toEqual([VALID, PHANTOM_READ_CONFLICT]);
    expect(await chain.commit(two)).toEqual([PHANTOM_READ_CONFLICT]);
    expect(await chain.get('result')).toBeUndefined();
  });

  test('that stopped early care only for what was seen', async () => {
    const stopped = { ...range, count: Math.ceil(count / 2) };
    const lastSeen = keyAt(stopped.count - 1);
    const [one, two, three] = await Promise.all([
      rangeThenWrite(chain, stopped, 'r1'),
      rangeThenWrite(chain, stopped, 'r2'),
      rangeThenWrite(chain, stopped, 'r3'),
    ]);
    expect(await chain.commit(chain.write(`${lastSeen}x`, 'beyond'), one)).toEqual([VALID, VALID]);
    expect(await chain.commit(remove(lastSeen), two)).toEqual([VALID, PHANTOM_READ_CONFLICT]);
    expect(await chain.commit(three)).toEqual([PHANTOM_READ_CONFLICT]);
  });
});

test('an empty range falls when something comes', async () => {
  const [one, two] = await Promise.all([
    rangeThenWrite(chain, { start: 'p', end: 'q' }, 'r1'),
    rangeThenWrite(chain, { start: 'p', end: 'q' }, 'r2'),
  ]);
  expect(await chain.commit(one)).toEqual([VALID]);
  await chain.commit(chain.write('p1', 'x'));
  expect(await chain.commit(two)).toEqual([PHANTOM_READ_CONFLICT]);
});

test('a range to the end of the namespace ends there', async () => {
  const reader = await rangeThenWrite(chain, { start: 'a', end: '' }, 'b');
  expect(await chain.commit(reader)).toEqual([VALID]);
});
