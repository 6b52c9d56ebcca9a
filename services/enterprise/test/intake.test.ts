import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal, type Journal } from '../src/journal/journal.ts';
import { createGroupCommit } from '../src/upload/group-commit.ts';
import { createTurns } from '../src/upload/turns.ts';
import { createHeads } from '../src/upload/heads.ts';
import { acceptedBatch } from './harness/accepted-batch.ts';

describe('group commit', () => {
  test('what arrives during a write goes with the next one: the number of writes follows the disk', async () => {
    const groups: number[][] = [];
    const gates: (() => void)[] = [];
    const group = createGroupCommit<number>(async (items) => {
      groups.push([...items]);
      await new Promise<void>((resolve) => gates.push(resolve));
    }, 100);
    const all = [group.add(0)];
    for (let item = 1; item < 50; item += 1) all.push(group.add(item));
    expect(group.size).toBe(50);
    gates.shift()?.();
    await all[0];
    while (gates.length === 0) await Promise.resolve();
    gates.shift()?.();
    await Promise.all(all);
    expect(groups.map((items) => items.length)).toEqual([1, 49]);
    expect(groups.flat()).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(group.size).toBe(0);
  });

  test('a group has at most as many items as it may', async () => {
    const sizes: number[] = [];
    const group = createGroupCommit<number>((items) => {
      sizes.push(items.length);
      return Promise.resolve();
    }, 4);
    await Promise.all(Array.from({ length: 10 }, (_, index) => group.add(index)));
    expect(Math.max(...sizes)).toBe(4);
  });

  test('nothing is told to be on disk before it is; after a fault whatever waits fails as well, and the next one is written', async () => {
    let fail = true;
    const group = createGroupCommit<number>(async () => {
      await Promise.resolve();
      if (fail) throw new Error('the disk is full');
    }, 1);
    const results = await Promise.allSettled([group.add(1), group.add(2), group.add(3)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    fail = false;
    await expect(group.add(4)).resolves.toBeUndefined();
  });
});

describe('turns', () => {
  test('calls of one name go one after another, those of others beside them; a failure stops nobody', async () => {
    const turns = createTurns();
    const done: string[] = [];
    const gate = Promise.withResolvers<undefined>();
    const first = turns.take('a', async () => {
      await gate.promise;
      done.push('a1');
      throw new Error('no');
    });
    const second = turns.take('a', () => Promise.resolve(done.push('a2')));
    await turns.take('b', () => Promise.resolve(done.push('b1')));
    gate.resolve(undefined);
    await expect(first).rejects.toThrow('no');
    await second;
    expect(done).toEqual(['b1', 'a1', 'a2']);
  });
});

describe('the journal', () => {
  let folder: string;
  let journal: Journal;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'journal-'));
    journal = openJournal(join(folder, 'journal.db'));
  });
  afterEach(() => {
    journal.close();
    rmSync(folder, { recursive: true });
  });

  test('what was accepted is there after it is opened again, oldest first', () => {
    journal.accept([acceptedBatch('depot', 1, 10), acceptedBatch('yard', 1, 5), acceptedBatch('depot', 2, 20)]);
    journal.close();
    journal = openJournal(join(folder, 'journal.db'));
    expect(journal.pending(10).map(({ outlet, seq }) => `${outlet}/${String(seq)}`)).toEqual([
      'yard/1',
      'depot/1',
      'depot/2',
    ]);
    expect(journal.pendingCount()).toBe(3);
    expect(journal.position('depot')).toMatchObject({ seq: 2 });
  });

  test('a group is accepted whole or not at all', () => {
    journal.accept([acceptedBatch('depot', 1)]);
    expect(() => journal.accept([acceptedBatch('depot', 2), acceptedBatch('depot', 1)])).toThrow();
    expect(journal.position('depot')).toMatchObject({ seq: 1 });
    expect(journal.pendingCount()).toBe(1);
  });

  test('marks count once', () => {
    journal.accept([acceptedBatch('depot', 1)]);
    const mark = { outlet: 'depot', seq: 1, txId: 'tx', receipt: Buffer.from('r') };
    journal.markAnchored([mark]);
    journal.markAnchored([mark]);
    journal.markRefused('depot', 1, { code: 'conflict', message: 'too late' });
    expect(journal.pendingCount()).toBe(0);
    expect(journal.counts()).toEqual({ accepted: 0, confirmed: 0, anchored: 1, refused: 0 });
  });

  test('an emptied index is told from one that has nothing', () => {
    expect(journal.isEmptied()).toBe(false);
    journal.accept([acceptedBatch('depot', 1)]);
    expect(journal.isEmptied()).toBe(false);
  });

  test('heads run ahead of the disk and fall back to it', () => {
    journal.accept([acceptedBatch('depot', 1)]);
    const heads = createHeads(journal);
    heads.advance('depot', { seq: 2, batchHash: new Uint8Array(32) });
    heads.advance('yard', { seq: 7, batchHash: new Uint8Array(32) });
    expect(heads.get('depot')?.seq).toBe(2);
    heads.reset('depot');
    expect([heads.get('depot')?.seq, heads.get('yard')?.seq]).toEqual([1, 7]);
    heads.reset();
    expect(heads.get('yard')).toBeUndefined();
  });
});
