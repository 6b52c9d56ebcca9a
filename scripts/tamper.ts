/**
 * Flips one bit of a stored block on disk, behind the back of the running services; with `--heal` only when that puts it right.
 *
 *   npm run tamper -- --data DIR --cid CID [--firm DOMAIN] [--heal]
 *
 * Alters the copy of the firm, or of the first one that has it. Where the network runs in containers, the block is altered inside its kubo's. Prints {file, offset, cid}; offset is null when there was nothing to heal. Exit code 1 when no store below DIR holds the block.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { containersOf, type FolderContainers, layoutOf } from '@waymark/network';
import { findContainerBlock, flipBitInContainer, isIntactInContainer } from './tamper/container-block.ts';
import { findStoredBlock, flipStoredBit, isIntact, type StoredBlock } from './tamper/stored-block.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    cid: { type: 'string' },
    firm: { type: 'string', default: '' },
    heal: { type: 'boolean', default: false },
  },
});
if (values.data === undefined || values.cid === undefined) {
  process.stderr.write('usage: npm run tamper -- --data DIR --cid CID [--firm DOMAIN] [--heal]\n');
  process.exit(2);
}
const { data, cid, firm } = values;
const containers = await containersOf(layoutOf(data, 'docker'));
const stored = containers === undefined ? await onThisMachine() : await inContainers(containers);
if (stored === undefined) {
  process.stderr.write('no store holds this block\n');
  process.exit(1);
}
const offset = values.heal && (await stored.isIntact()) ? null : await stored.flip();
process.stdout.write(`${JSON.stringify({ file: stored.file, offset, cid })}\n`);

/** A block where it is stored. */
interface Stored {
  readonly file: string;
  isIntact(): Promise<boolean>;
  flip(): Promise<number>;
}

async function onThisMachine(): Promise<Stored | undefined> {
  const { root, content } = layoutOf(data);
  // A firm's store is its kubo's, or its center's own.
  const folders = firm === '' ? [root] : [join(content, firm), join(root, 'organisations', firm)];
  let found: StoredBlock | undefined;
  for (const folder of folders.filter((path) => existsSync(path))) found ??= await findStoredBlock(folder, cid);
  return found && { file: found.file, isIntact: () => isIntact(found, cid), flip: () => flipStoredBit(found) };
}

async function inContainers(running: FolderContainers): Promise<Stored | undefined> {
  const found = await findContainerBlock(running, cid, firm);
  return (
    found && {
      file: `${found.container}:${found.file}`,
      isIntact: () => isIntactInContainer(running, found, cid),
      flip: () => flipBitInContainer(running, found),
    }
  );
}
