import { execFile } from 'node:child_process';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { common, peer } from '@hyperledger/fabric-protos';
import { ClassicLevel } from 'classic-level';
import { openPeerLedger, type HistoryEntry, type LedgerFaultPoint } from '../../src/ledger/index.ts';
import { blockKey, stateKey } from '../../src/ledger/state-encoding.ts';
import { createTestChannel } from '../support/test-channel.ts';
import { TestChain, codesOf } from '../support/test-chain.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary-folder.ts';

const open: TestChain[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((chain) => chain.ledger.close()));
});
afterAll(removeTemporaryFolders);

async function newChain(...args: Parameters<typeof TestChain.create>): Promise<TestChain> {
  const chain = await TestChain.create(...args);
  open.push(chain);
  return chain;
}

async function historyOf(chain: TestChain, key: string): Promise<HistoryEntry[]> {
  const snapshot = await chain.ledger.snapshot();
  const entries: HistoryEntry[] = [];
  for await (const entry of snapshot.history('basic', key)) entries.push(entry);
  snapshot.release();
  return entries;
}

test('a ledger starts at height 1 with the genesis block', async () => {
  const { genesisBlock } = await createTestChannel();
  const ledger = await openPeerLedger({ dir: await temporaryFolder(), genesisBlock });
  expect(ledger.height).toBe(1n);
  expect(ledger.channelId).toBe('testchannel');
  const stored = await ledger.getBlock(0n);
  expect(stored?.block.getHeader()?.getDataHash()).toEqual(genesisBlock.getHeader()?.getDataHash());
  expect(stored === undefined ? [] : codesOf(stored)).toEqual([peer.TxValidationCode.VALID]);
  expect(await ledger.getBlock(1n)).toBeUndefined();
  expect(await ledger.getBlock(-1n)).toBeUndefined();
  await ledger.close();
});

test('committed values are read back, also after opening again', async () => {
  const chain = await newChain();
  await chain.commit(chain.write('a', '1'), chain.write('b', '2'));
  await chain.commit(
    chain.write('a', '3'),
    chain.transaction((set) => {
      set.addWrite('basic', 'b', new Uint8Array());
    }),
  );
  const check = async () => {
    expect(chain.ledger.height).toBe(4n);
    expect(await chain.get('a')).toBe('3');
    expect(await chain.get('b')).toBeUndefined();
    expect(await chain.keys()).toEqual(['a']);
  };
  await check();
  const hash = chain.ledger.currentBlockHash;
  await chain.reopen();
  await check();
  expect(Buffer.from(chain.ledger.currentBlockHash)).toEqual(Buffer.from(hash));
  expect(await chain.commit(chain.write('c', '4'))).toEqual([0]);
});

test('a snapshot keeps seeing its height while later blocks commit', async () => {
  const chain = await newChain();
  await chain.commit(chain.write('a', 'old'), chain.write('gone', 'x'));
  const snapshot = await chain.ledger.snapshot();
  await chain.commit(
    chain.write('a', 'new'),
    chain.write('b', 'new'),
    chain.transaction((set) => {
      set.addWrite('basic', 'gone', new Uint8Array());
    }),
  );
  expect(snapshot.height).toBe(3n);
  expect(Buffer.from((await snapshot.get('basic', 'a'))?.value ?? []).toString()).toBe('old');
  const keys: string[] = [];
  for await (const { key } of snapshot.range('basic', '', '')) keys.push(key);
  expect(keys).toEqual(['a', 'gone']);
  const history: string[] = [];
  for await (const { value } of snapshot.history('basic', 'a')) history.push(Buffer.from(value).toString());
  expect(history).toEqual(['old']);
  snapshot.release();
  snapshot.release();
  await expect(snapshot.get('basic', 'a')).rejects.toMatchObject({ code: 'LEDGER_CLOSED' });
  expect(await chain.get('a')).toBe('new');
});

test('snapshots of one height are let go one by one, and a commit in between is seen by the next one only', async () => {
  const chain = await newChain();
  await chain.commit(chain.write('a', 'old'), chain.write('b', 'old'));
  const [one, other] = [await chain.ledger.snapshot(), await chain.ledger.snapshot()];
  const read = async (snapshot: typeof one, key: string) =>
    Buffer.from((await snapshot.get('basic', key))?.value ?? []).toString();
  expect(await read(one, 'a')).toBe('old');
  one.release();
  await chain.commit(chain.write('a', 'new'), chain.write('b', 'new'));
  const next = await chain.ledger.snapshot();
  expect([await read(other, 'a'), await read(other, 'b')]).toEqual(['old', 'old']);
  expect([await read(next, 'a'), await read(next, 'b')]).toEqual(['new', 'new']);
  expect([other.height, next.height]).toEqual([3n, 4n]);
  other.release();
  expect(await read(next, 'b')).toBe('new');
  next.release();
});

test('keys are ordered by UTF-8 bytes, bounds are inclusive and exclusive', async () => {
  const chain = await newChain();
  // In UTF-16 order the emoji (a surrogate pair) would come before U+FF5E.
  const keys = ['', 'a', 'a\u0000b', 'ab', 'b', '\u00e9', '\uff5e', '\u{1f600}'];
  await chain.commit(...[...keys].reverse().map((key) => chain.write(key, 'x')));
  expect(await chain.keys()).toEqual(keys);
  expect(await chain.keys('a', 'b')).toEqual(['a', 'a\u0000b', 'ab']);
  expect(await chain.keys('\u00e9', '')).toEqual(['\u00e9', '\uff5e', '\u{1f600}']);
  expect(await chain.keys('b', 'a')).toEqual([]);
});

test('history is newest first, with transaction ids, times and deletions, without invalid transactions', async () => {
  const chain = await newChain();
  const first = chain.write('k', '1', { timestampMs: 1000 });
  const unendorsed = chain.write('k', 'bad', { endorsers: [] });
  const deletion = chain.transaction(
    (set) => {
      set.addWrite('basic', 'k', new Uint8Array());
    },
    { timestampMs: 3000 },
  );
  expect(await chain.commit(first, unendorsed)).toEqual([0, peer.TxValidationCode.ENDORSEMENT_POLICY_FAILURE]);
  await chain.commit(chain.write('other', 'x'), chain.write('kk', 'y'));
  await chain.commit(deletion);
  expect(await historyOf(chain, 'k')).toEqual([
    { txId: deletion.txId, timestampMs: 3000, value: new Uint8Array(), isDelete: true },
    { txId: first.txId, timestampMs: 1000, value: Buffer.from('1'), isDelete: false },
  ]);
  expect(await historyOf(chain, 'never')).toEqual([]);
});

test('transactions are found by id with their codes, and their block', async () => {
  const chain = await newChain();
  const good = chain.write('a', '1');
  const bad = chain.write('b', '2', { endorsers: [chain.channel.org1.peer] });
  await chain.commit(good, bad);
  expect(await chain.ledger.getTransaction(good.txId)).toEqual({ blockNumber: 2n, txNumber: 0, validationCode: 0 });
  expect(await chain.ledger.getTransaction(bad.txId)).toEqual({
    blockNumber: 2n,
    txNumber: 1,
    validationCode: peer.TxValidationCode.ENDORSEMENT_POLICY_FAILURE,
  });
  expect((await chain.ledger.getBlockByTransaction(bad.txId))?.number).toBe(2n);
  expect(await chain.ledger.getTransaction('unknown')).toBeUndefined();
  expect(await chain.ledger.getTransaction('')).toBeUndefined();
  expect(await chain.ledger.getBlockByTransaction('unknown')).toBeUndefined();
});

test('listeners hear of each block once, in order, until they leave', async () => {
  const chain = await newChain();
  const heard: bigint[] = [];
  const leave = chain.ledger.onCommit(({ number }) => heard.push(number));
  await chain.commit(chain.write('a', '1'));
  await chain.commit(chain.write('a', '2'));
  leave();
  await chain.commit(chain.write('a', '3'));
  expect(heard).toEqual([2n, 3n]);
});

test('block bytes are what getBlock decodes, before and after opening again', async () => {
  const chain = await newChain();
  await chain.commit(chain.write('a', '1'));
  const before = await chain.ledger.getBlock(2n);
  await chain.reopen();
  const after = await chain.ledger.getBlock(2n);
  expect(Buffer.from(after?.bytes ?? [])).toEqual(Buffer.from(before?.bytes ?? []));
  expect(common.Block.deserializeBinary(before?.bytes ?? new Uint8Array()).toObject()).toEqual(after?.block.toObject());
});

describe('blocks that are not the next one are rejected and leave the ledger usable', () => {
  test.each<[string, (chain: TestChain, block: common.Block) => common.Block]>([
    [
      'number',
      (_, block) => {
        block.getHeader()?.setNumber(9);
        return block;
      },
    ],
    [
      'previous hash',
      (_, block) => {
        block.getHeader()?.setPreviousHash(Buffer.alloc(32));
        return block;
      },
    ],
    [
      'data',
      (chain, block) => {
        block.getData()?.setDataList([chain.write('z', '9').envelope.serializeBinary()]);
        return block;
      },
    ],
    [
      'signature',
      (_, block) => {
        block.getMetadata()?.setMetadataList([]);
        return block;
      },
    ],
    [
      'header',
      (_, block) => {
        block.setHeader(undefined);
        return block;
      },
    ],
  ])('%s', async (_, spoil) => {
    const chain = await newChain();
    const block = spoil(chain, chain.block([chain.write('a', '1').envelope.serializeBinary()]));
    await expect(chain.ledger.commit(block)).rejects.toMatchObject({ code: 'BLOCK_REJECTED' });
    expect(chain.ledger.height).toBe(2n);
    expect(await chain.commit(chain.write('a', '2'))).toEqual([0]);
  });

  test("signed by a peer's key", async () => {
    const chain = await newChain();
    const impostor = await TestChain.create();
    open.push(impostor);
    const envelope = chain.write('a', '1').envelope.serializeBinary();
    const forged = impostor.block([envelope]);
    forged.getHeader()?.setPreviousHash(chain.ledger.currentBlockHash);
    await expect(chain.ledger.commit(forged)).rejects.toMatchObject({ code: 'BLOCK_REJECTED' });
  });

  test('the same block twice', async () => {
    const chain = await newChain();
    const block = chain.block([chain.write('a', '1').envelope.serializeBinary()]);
    await chain.commitBlock(block);
    await expect(chain.ledger.commit(block)).rejects.toMatchObject({ code: 'BLOCK_REJECTED' });
  });
});

describe('one folder, one owner', () => {
  test('a second opener in this process is refused', async () => {
    const chain = await newChain();
    await expect(openPeerLedger({ dir: chain.dir, genesisBlock: chain.channel.genesisBlock })).rejects.toMatchObject({
      code: 'LEDGER_LOCKED',
    });
  });

  test('a second process is refused', async () => {
    const chain = await newChain();
    const genesis = join(await temporaryFolder(), 'genesis.block');
    await writeFile(genesis, chain.channel.genesisBlock.serializeBinary());
    const script = join(import.meta.dirname, '../support/open-ledger.ts');
    const { stdout } = await promisify(execFile)(process.execPath, [script, chain.dir, genesis]);
    expect(stdout).toContain('LEDGER_LOCKED');
  });

  test("another channel's genesis block is refused", async () => {
    const chain = await newChain();
    await chain.ledger.close();
    const other = await createTestChannel();
    await expect(openPeerLedger({ dir: chain.dir, genesisBlock: other.genesisBlock })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});

describe('the state is made again from the blocks', () => {
  async function filled(): Promise<TestChain> {
    const chain = await newChain();
    await chain.commit(chain.write('a', '1'), chain.write('b', '2'));
    await chain.commit(chain.write('a', '3'));
    await chain.commit(chain.write('c', '4'), chain.write('b', 'x', { endorsers: [] }));
    return chain;
  }

  async function expectWhole(chain: TestChain): Promise<void> {
    expect(chain.ledger.height).toBe(5n);
    expect([await chain.get('a'), await chain.get('b'), await chain.get('c')]).toEqual(['3', '2', '4']);
    expect((await historyOf(chain, 'a')).map(({ value }) => Buffer.from(value).toString())).toEqual(['3', '1']);
    expect(await chain.commit(chain.write('d', '5'))).toEqual([0]);
  }

  test('when the database is gone', async () => {
    const chain = await filled();
    await chain.ledger.close();
    await rm(join(chain.dir, 'state'), { recursive: true });
    await chain.reopen();
    await expectWhole(chain);
  });

  test('when a write in the middle is missing', async () => {
    const chain = await filled();
    await chain.ledger.close();
    const database = new ClassicLevel<Uint8Array, Uint8Array>(join(chain.dir, 'state'), {
      keyEncoding: 'view',
      valueEncoding: 'view',
    });
    await database.batch([
      { type: 'del', key: blockKey(3n) },
      { type: 'del', key: stateKey('basic', 'a') },
    ]);
    await database.close();
    await chain.reopen();
    await expectWhole(chain);
  });

  test('when its files were damaged, the damage is not served', async () => {
    const chain = await filled();
    await chain.ledger.close();
    const dir = join(chain.dir, 'state');
    for (const name of await readdir(dir)) {
      if (!/\.(log|ldb)$|MANIFEST/.test(name)) continue;
      const bytes = await readFile(join(dir, name));
      for (let at = 0; at < bytes.length; at += 97) bytes[at] = (bytes[at] ?? 0) ^ 0x55;
      await writeFile(join(dir, name), bytes);
    }
    await chain.reopen();
    await expectWhole(chain);
  });

  test('but blocks that are gone while the state knows of them are a loss, and refused', async () => {
    const chain = await filled();
    await chain.ledger.close();
    await rm(join(chain.dir, 'blocks'), { recursive: true });
    await expect(openPeerLedger({ dir: chain.dir, genesisBlock: chain.channel.genesisBlock })).rejects.toMatchObject({
      code: 'LEDGER_CORRUPT',
    });
  });
});

describe('a disk that fails', () => {
  test.each<LedgerFaultPoint>(['before-block-write', 'before-block-sync', 'before-state-write', 'after-state-write'])(
    '%s: the commit is refused, the ledger stops, and opens again with whole blocks',
    async (failing) => {
      let full = false;
      const chain = await newChain(
        {},
        {
          at: (point) => {
            if (full && point === failing)
              throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
          },
        },
      );
      await chain.commit(chain.write('a', '1'));
      full = true;
      await expect(chain.commit(chain.write('a', '2'))).rejects.toMatchObject({
        code: 'LEDGER_CLOSED',
        cause: { code: 'ENOSPC' },
      });
      await expect(chain.commit(chain.write('a', '3'))).rejects.toMatchObject({ code: 'LEDGER_CLOSED' });
      await expect(chain.get('a')).rejects.toMatchObject({ code: 'LEDGER_CLOSED' });
      await chain.reopen();
      const kept = failing === 'before-block-write' ? '1' : '2';
      expect(await chain.get('a')).toBe(kept);
      expect(chain.ledger.height).toBe(kept === '1' ? 3n : 4n);
    },
  );
});

test('a closed ledger answers nothing', async () => {
  const chain = await newChain();
  const block = chain.block([chain.write('a', '1').envelope.serializeBinary()]);
  await chain.ledger.close();
  await expect(chain.ledger.commit(block)).rejects.toMatchObject({ code: 'LEDGER_CLOSED' });
  await expect(chain.ledger.getBlock(0n)).rejects.toMatchObject({ code: 'LEDGER_CLOSED' });
});
