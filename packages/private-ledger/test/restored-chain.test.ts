import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordPlace } from '@waymark/ledger-chain';
import type { SealedBlock, Snapshot } from '@waymark/rsl';
import { ledgerFolder, restoredFile } from '../src/disk/ledger-folder.ts';
import { replayedChain } from '../src/disk/restored-chain.ts';

const blockAt = (height: number, hash = `hash ${String(height)}`): SealedBlock =>
  ({ candidate: { height }, seal: { hash, header: { height } } }) as unknown as SealedBlock;

/** A chain that a backup brought up to block 3; each block holds one record, `record HEIGHT`. */
function restored() {
  const written: string[] = [];
  let reached = 0;
  const place = (oid: string) => ({ height: Number(oid.split(' ')[1]), reason: null }) as RecordPlace;
  const chain = replayedChain(
    {
      height: 3,
      apply: (blocks) => {
        written.push(...blocks.map(({ seal }) => seal.hash));
        return Promise.resolve();
      },
      sync: () => Promise.resolve(),
      installSnapshot: ({ height }) => {
        written.push(`snapshot ${String(height)}`);
        return Promise.resolve();
      },
      findRecord: place,
      seal: (height) => (height <= 3 ? blockAt(height).seal : null),
    },
    () => (reached += 1),
  );
  return { chain, written, reached: () => reached };
}

test('to consensus a restored chain is as high as it was confirmed anew, and no record above that is known', async () => {
  const { chain, reached } = restored();
  expect(chain.height).toBe(0);
  expect(chain.isRecorded('record 2')).toBe(false);
  await chain.apply([blockAt(1), blockAt(2)]);
  expect(chain.height).toBe(2);
  expect(chain.isRecorded('record 2')).toBe(true);
  expect(chain.isRecorded('record 3')).toBe(false);
  expect(reached()).toBe(0);
});

test('once all that was restored is confirmed anew, that is said once', async () => {
  const { chain, reached } = restored();
  await chain.apply([blockAt(1), blockAt(2), blockAt(3)]);
  await chain.apply([blockAt(4)]);
  expect(chain.height).toBe(4);
  expect(reached()).toBe(1);
});

test('a snapshot below what is there skips nothing; one above it leaves blocks to be fetched', async () => {
  const { chain, written } = restored();
  await chain.installSnapshot({ height: 2 } as Snapshot);
  expect({ height: chain.height, written }).toEqual({ height: 2, written: [] });
  await chain.installSnapshot({ height: 9 } as Snapshot);
  expect({ height: chain.height, written }).toEqual({ height: 9, written: ['snapshot 9'] });
});

test('a restored block that is not the confirmed one ends the member', async () => {
  const { chain } = restored();
  await expect(chain.apply([blockAt(1), blockAt(2, 'another')])).rejects.toMatchObject({
    code: 'data-abnormal',
    details: { reason: 'restored-mismatch', height: 2 },
  });
  expect(chain.height).toBe(0);
});

test('a chain without log is a lost disk, unless a restore put it there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'waymark-ledger-folder-'));
  try {
    expect(ledgerFolder(folder).wasMember).toBe(false);
    writeFileSync(join(folder, 'ledger', 'chain'), '');
    expect(ledgerFolder(folder).wasMember).toBe(true);
    writeFileSync(join(folder, 'ledger', restoredFile), '');
    expect(ledgerFolder(folder).wasMember).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
