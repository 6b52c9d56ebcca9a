import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Block, writeCar } from '@waymark/content';
import { ioFault, privateFileSystem } from '@waymark/durable-files';
import { dagCborCode, parseCid, WaymarkError } from '@waymark/protocol';
import type { BackupManifest, LedgerChain, StoredBlock } from '../store/ledger-chain.ts';

/** Files of a backup. */
export const backupFiles = { blocks: 'blocks.car', seals: 'seals.jsonl', anchors: 'anchors.jsonl' } as const;
export const manifestFile = 'manifest.json';

type File = BackupManifest['files'][number];

/** One line of `seals.jsonl`. */
export interface SealLine {
  readonly height: number;
  readonly hash: string;
  /** base64url. */
  readonly seal: string;
  readonly candidateSignature: string;
}

/**
 * Writes what a chain cannot be made again without: blocks as one CAR, seals, and what the channel held. The index is left out: a restore makes it
 * anew. The chain may grow meanwhile; the backup ends where it stood at the call. The manifest is written last, so that without it there is no backup.
 * @param targetFolder must not exist
 * @throws WaymarkError unavailable: blocks are missing, or the disk; data-abnormal: a block here is damaged
 */
export async function backupChain(
  chain: Pick<LedgerChain, 'ledger' | 'height' | 'hash' | 'missing' | 'storedBlock' | 'anchors'>,
  targetFolder: string,
): Promise<BackupManifest> {
  const { ledger, height, hash } = chain;
  if (chain.missing().length > 0)
    throw new WaymarkError('unavailable', 'The chain is not whole: blocks below a snapshot are still to be fetched.', {
      details: { reason: 'missing-blocks' },
    });
  const anchors = chain.anchors().filter(({ last }) => last <= height);
  try {
    await mkdir(targetFolder, { mode: 0o700 });
    const lines: string[] = [];
    async function* blocks(): AsyncGenerator<Block> {
      for (let at = 1; at <= height; at += 1) {
        const stored = await chain.storedBlock(at);
        lines.push(`${JSON.stringify(sealLine(stored))}\n`);
        yield* stored.blocks;
      }
    }
    const roots = height === 0 ? [] : [parseCid(hash, [dagCborCode])];
    const files = [
      await writeFile(targetFolder, backupFiles.blocks, writeCar(roots, blocks())),
      await writeFile(targetFolder, backupFiles.seals, textsOf(lines)),
      await writeFile(
        targetFolder,
        backupFiles.anchors,
        textsOf(anchors.map((anchor) => `${JSON.stringify(anchor)}\n`)),
      ),
    ];
    const manifest: BackupManifest = { v: 1, ledger, height, hash, files };
    await writeFile(targetFolder, manifestFile, textsOf([`${JSON.stringify(manifest, null, 2)}\n`]));
    await privateFileSystem.syncFolder(targetFolder);
    return manifest;
  } catch (cause) {
    throw ioFault('The backup cannot be written.', cause);
  }
}

function sealLine({ height, hash, seal, candidateSignature }: StoredBlock): SealLine {
  return { height, hash, seal: Buffer.from(seal).toString('base64url'), candidateSignature };
}

function* textsOf(texts: readonly string[]): Generator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function writeFile(
  folder: string,
  name: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<File> {
  const file = await open(join(folder, name), 'wx', 0o600);
  try {
    const digest = createHash('sha256');
    let sizeBytes = 0;
    for await (const piece of pieces) {
      digest.update(piece);
      await file.write(piece);
      sizeBytes += piece.length;
    }
    await file.sync();
    return { name, sizeBytes, sha256: digest.digest('hex') };
  } finally {
    await file.close();
  }
}
