import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isWaymarkError } from '@waymark/protocol';
import { type LedgerChain, openLedgerChain, restoreLedgerChain, verifyChain } from '../src/index.ts';
import { filesUnder, flipBit } from './support/flips.ts';
import { newFolder } from './support/folders.ts';
import { createTestLedger, ledgerName, storedAnchor, type TestLedger } from './support/test-ledger.ts';

let ledger: TestLedger;
let chain: LedgerChain;
let anchor: ReturnType<typeof storedAnchor>;

beforeAll(async () => {
  ledger = await createTestLedger();
  ledger.submit('outlet-1', 4, [1]);
  ledger.submit('outlet-2', 3);
  ledger.submit('outlet-1', 2);
  chain = await openLedgerChain({
    folder: join(await newFolder(), 'chain'),
    ledger: ledgerName,
    bodyCipher: ledger.bodyCipher,
  });
  await chain.apply(ledger.blocks.slice(0, 5));
  anchor = storedAnchor(ledger.anchorOf(1, 4), ledger.blocks);
  chain.markAnchored(anchor);
});
afterAll(() => chain.close());

const restore = (backup: string, folder: string, anchors: readonly (typeof anchor)[] = [anchor]) =>
  restoreLedgerChain({
    backup,
    folder,
    ledger: ledgerName,
    bodyCipher: ledger.bodyCipher,
    checks: { configuration: ledger.first, crypto: ledger.crypto, anchors },
  });
const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

test('a chain is restored from a backup that was written while it grew, and goes on', async () => {
  const folder = await newFolder();
  const [manifest] = await Promise.all([chain.backup(join(folder, 'backup')), chain.apply(ledger.blocks)]);
  expect(manifest).toMatchObject({ v: 1, ledger: ledgerName, height: 5, hash: ledger.blocks[4]?.seal.hash });
  const report = await restore(join(folder, 'backup'), join(folder, 'restored'));
  expect(report).toMatchObject({ valid: true, height: 5, blocks: 5 });
  const restored = await openLedgerChain({
    folder: join(folder, 'restored'),
    ledger: ledgerName,
    bodyCipher: ledger.bodyCipher,
  });
  expect(restored.anchoredUpTo).toBe(4);
  await restored.apply(ledger.blocks);
  const checks = { configuration: ledger.first, crypto: ledger.crypto, anchors: restored.anchors() };
  expect((await verifyChain(restored, checks)).valid).toBe(true);
  await restored.close();
  await expect(restore(join(folder, 'backup'), join(folder, 'restored'))).rejects.toMatchObject({ code: 'conflict' });
});

test('a backup with a flipped bit anywhere is refused, and nothing is left in the place of the chain', async () => {
  const folder = await newFolder();
  await chain.backup(join(folder, 'backup'));
  for (const { path, sizeBytes } of await filesUnder(join(folder, 'backup'))) {
    for (let at = 0; at < 4; at += 1) {
      const bit = Math.floor((sizeBytes * 8 * (2 * at + 1)) / 8);
      await flipBit(path, bit);
      const name = `${path} bit ${bit}`;
      const outcome = await restore(join(folder, 'backup'), join(folder, 'restored')).then(
        () => 'restored',
        (error: unknown) => (isWaymarkError(error) ? error.code : String(error)),
      );
      expect([name, outcome]).toEqual([name, expect.stringMatching(/data-abnormal|input-invalid|recipient-mismatch/)]);
      expect(await exists(join(folder, 'restored'))).toBe(false);
      expect(await exists(join(folder, 'restored.restoring'))).toBe(false);
      await flipBit(path, bit);
    }
  }
  expect((await restore(join(folder, 'backup'), join(folder, 'restored'))).valid).toBe(true);
});

test('a backup whose chain the channel contradicts is refused, and one without its manifest', async () => {
  const folder = await newFolder();
  await chain.backup(join(folder, 'backup'));
  const foreign = { ...anchor, hash: ledger.blocks[0]?.seal.hash ?? '' };
  await expect(restore(join(folder, 'backup'), join(folder, 'restored'), [foreign])).rejects.toMatchObject({
    code: 'data-abnormal',
    details: { problems: ['4: anchor-mismatch'] },
  });
  const manifest = join(folder, 'backup', 'manifest.json');
  const text = await readFile(manifest, 'utf8');
  await writeFile(manifest, text.replace('blocks.car', '../blocks.car'));
  await expect(restore(join(folder, 'backup'), join(folder, 'restored'))).rejects.toMatchObject({
    code: 'input-invalid',
  });
  await writeFile(manifest, '');
  await expect(restore(join(folder, 'backup'), join(folder, 'restored'))).rejects.toMatchObject({
    code: 'input-invalid',
  });
});
