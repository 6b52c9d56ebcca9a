import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readCar } from '@waymark/content';
import { ioFault, privateFileSystem } from '@waymark/durable-files';
import { WaymarkError } from '@waymark/protocol';
import type { BodyCipher } from '../body/body-cipher.ts';
import type { AnchoredRange, BackupManifest, StoredBlock } from '../store/ledger-chain.ts';
import { openLedgerChain } from '../store/open-ledger-chain.ts';
import { decodeSeal } from '../store/seal-bytes.ts';
import { candidateOf } from '../store/stored-block.ts';
import { type ChainChecks, type ChainReport, verifyChain } from '../verify/verify-chain.ts';
import { anchorLines, backupFiles, manifestFile, manifestOf, sealLines } from './backup-form.ts';
import { blocksInOrder } from './blocks-in-order.ts';

export interface RestoreOptions {
  /** What `backup` wrote. */
  readonly backup: string;
  /** Folder of the new chain; must not exist. */
  readonly folder: string;
  readonly ledger: string;
  readonly bodyCipher: BodyCipher;
  /** What the chain is checked against before it can be used. Anchors that the backup remembers are checked as well. */
  readonly checks: ChainChecks;
}

/** Blocks applied with one sync. */
const groupBlocks = 64;

/**
 * Makes a chain from a backup. It is written beside its place, checked from the first block to the last, and only then gets its name, so that a
 * folder that is there is a chain that was found to be whole.
 * @returns what the check found: valid, in any case
 * @throws WaymarkError data-abnormal: the backup is damaged, or its chain does not hold (details: problems); conflict: the folder is there;
 *   recipient-mismatch: another ledger's; input-invalid: not a backup; unavailable: the disk
 */
export async function restoreLedgerChain(options: RestoreOptions): Promise<ChainReport> {
  const { backup, folder, ledger } = options;
  if (await exists(folder)) throw new WaymarkError('conflict', 'There is something in the place of the chain already.');
  const unfinished = `${folder}.restoring`;
  try {
    await rm(unfinished, { recursive: true, force: true });
    const manifest = manifestOf(await readFile(join(backup, manifestFile)));
    if (manifest.ledger !== ledger)
      throw new WaymarkError('recipient-mismatch', 'The backup is of the chain of another ledger.');
    for (const file of manifest.files) await checkFile(join(backup, file.name), file);
    const report = await fill(unfinished, manifest, options);
    await rename(unfinished, folder);
    await privateFileSystem.syncFolder(dirname(folder));
    return report;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw ioFault('The chain cannot be restored.', error);
  }
}

async function fill(
  folder: string,
  manifest: BackupManifest,
  { backup, ledger, bodyCipher, checks }: RestoreOptions,
): Promise<ChainReport> {
  const seals = sealLines(join(backup, backupFiles.seals));
  const anchors: AnchoredRange[] = [];
  for await (const anchor of anchorLines(join(backup, backupFiles.anchors))) anchors.push(anchor);
  const car = await readCar(createReadStream(join(backup, backupFiles.blocks)));
  const chain = await openLedgerChain({ folder, ledger, bodyCipher });
  try {
    let group: StoredBlock[] = [];
    const apply = async (): Promise<void> => {
      await chain.apply(
        group.map(({ seal: bytes, blocks, candidateSignature }) => {
          const seal = decodeSeal(bytes);
          const [, root, ...parts] = blocks;
          if (root === undefined) throw damaged('blocks');
          const body = bodyCipher.decodeBody(
            root,
            parts.map((part) => part.bytes),
          );
          return { seal, candidate: candidateOf(seal, body, candidateSignature) };
        }),
      );
      group = [];
    };
    for await (const block of blocksInOrder(seals, car.blocks, bodyCipher)) {
      group.push(block);
      if (group.length === groupBlocks) await apply();
    }
    await apply();
    if (chain.height !== manifest.height || chain.hash !== manifest.hash) throw damaged('height');
    for (const anchor of anchors) chain.markAnchored(anchor);
    const report = await verifyChain(chain, { ...checks, anchors: [...anchors, ...checks.anchors] });
    if (!report.valid)
      throw new WaymarkError('data-abnormal', 'The chain of the backup does not hold.', {
        details: { problems: report.problems.slice(0, 20).map(({ height, code }) => `${String(height)}: ${code}`) },
      });
    return report;
  } finally {
    await chain.close();
  }
}

async function checkFile(path: string, { sizeBytes, sha256 }: BackupManifest['files'][number]): Promise<void> {
  const digest = createHash('sha256');
  let found = 0;
  for await (const piece of createReadStream(path)) {
    digest.update(piece as Buffer);
    found += (piece as Buffer).length;
  }
  if (found !== sizeBytes || digest.digest('hex') !== sha256) throw damaged('file');
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** The backup is not what was written. */
function damaged(reason: string): WaymarkError {
  return new WaymarkError('data-abnormal', 'The backup is damaged.', { details: { reason } });
}
