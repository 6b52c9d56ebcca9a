import { mkdir } from 'node:fs/promises';
import { type Block, writeCar } from '@waymark/content';
import { ioFault, privateFileSystem } from '@waymark/durable-files';
import { dagCborCode, parseCid, WaymarkError } from '@waymark/protocol';
import type { BackupManifest, LedgerChain, StoredBlock } from '../store/ledger-chain.ts';
import { backupFiles, manifestFile, type SealLine } from './backup-form.ts';
import { createDigestedFile, type DigestedFile } from './digested-file.ts';

/** What a backup is made of. */
export type BackupSource = Pick<LedgerChain, 'ledger' | 'height' | 'hash' | 'missing' | 'storedBlock' | 'anchors'>;

/**
 * Writes what a chain cannot be made again without: blocks as one CAR, seals, and what the channel held. The index is left out: a restore makes it
 * anew. The chain may grow meanwhile; the backup ends where it stood at the call. The manifest is written last: without it there is no backup.
 * @param targetFolder must not exist
 * @throws WaymarkError unavailable: blocks are missing, or the disk; data-abnormal: a block here is damaged
 */
export async function backupChain(chain: BackupSource, targetFolder: string): Promise<BackupManifest> {
  const { ledger, height, hash } = chain;
  if (chain.missing().length > 0)
    throw new WaymarkError('unavailable', 'The chain is not whole: blocks below a snapshot are still to be fetched.', {
      details: { reason: 'missing-blocks' },
    });
  const anchors = chain.anchors().filter(({ last }) => last <= height);
  const open: DigestedFile<string>[] = [];
  const create = async <Name extends string>(name: Name): Promise<DigestedFile<Name>> => {
    const file = await createDigestedFile(targetFolder, name);
    open.push(file);
    return file;
  };
  try {
    await mkdir(targetFolder, { mode: 0o700 });
    const [blocks, seals, ranges] = [
      await create(backupFiles.blocks),
      await create(backupFiles.seals),
      await create(backupFiles.anchors),
    ];
    const roots = height === 0 ? [] : [parseCid(hash, [dagCborCode])];
    for await (const piece of writeCar(roots, blocksOf(chain, height, seals))) await blocks.write(piece);
    for (const anchor of anchors) await ranges.write(lineOf(anchor));
    const files = [await blocks.finish(), await seals.finish(), await ranges.finish()];
    const manifest: BackupManifest = { v: 1, ledger, height, hash, files };
    const last = await create(manifestFile);
    await last.write(Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
    await last.finish();
    await privateFileSystem.syncFolder(targetFolder);
    return manifest;
  } catch (cause) {
    throw ioFault('The backup cannot be written.', cause);
  } finally {
    for (const file of open) await file.close();
  }
}

/** Blocks in the order of the chain; their seals are written on the way. */
async function* blocksOf(
  chain: Pick<LedgerChain, 'storedBlock'>,
  height: number,
  seals: DigestedFile<string>,
): AsyncGenerator<Block> {
  for (let at = 1; at <= height; at += 1) {
    const stored = await chain.storedBlock(at);
    await seals.write(lineOf(sealLine(stored)));
    yield* stored.blocks;
  }
}

function sealLine({ height, hash, seal, candidateSignature }: StoredBlock): SealLine {
  return { height, hash, seal: Buffer.from(seal).toString('base64url'), candidateSignature };
}

function lineOf(value: object): Uint8Array {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}
