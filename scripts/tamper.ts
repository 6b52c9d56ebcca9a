/**
 * Alters what a network keeps, on disk, behind the back of the running services.
 *
 *   npm run tamper -- --data DIR --cid CID [--firm DOMAIN] [--heal]
 *
 * Flips one bit of a stored block; with `--heal` only when that puts it right. Alters all copies of the firm, or the first copy that is found. Where the network runs in containers, the block is altered inside its kubo's. Prints {file, offset, cid}; offset is null when there was nothing to heal. Exit code 1 when no store below DIR holds the block.
 *
 *   npm run tamper -- --data DIR --firm DOMAIN --ledger MEMBER [--height HEIGHT] [--heal]
 *
 * Rewrites the firm's private ledger on the disk of one member, which must not be running: one block tells something else, and all hashes and links from there on agree with it (see `tamper/rewritten-chain.ts`). With `--heal` the chain is put back as it was. Where the network runs in containers, the member's volume is altered. Prints {folder, height, hash, was, above}, and for `--heal` {folder, healed}.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isWaymarkError } from '@waymark/protocol';
import { containersOf, type FolderContainers, layoutOf } from '@waymark/network';
import { findContainerBlock, flipBitInContainer, isIntactInContainer } from './tamper/container-block.ts';
import { memberContainer, putChain, takeChain } from './tamper/container-ledger.ts';
import { chainOfMember } from './tamper/member-chain.ts';
import { type ChainPlace, restoreChain, rewriteChain } from './tamper/rewritten-chain.ts';
import { findStoredBlocks, flipStoredBit, isIntact, type StoredBlock } from './tamper/stored-block.ts';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    cid: { type: 'string' },
    firm: { type: 'string', default: '' },
    ledger: { type: 'string' },
    height: { type: 'string' },
    heal: { type: 'boolean', default: false },
  },
});
if (values.data !== undefined && values.ledger !== undefined && values.firm !== '') {
  await tamperWithLedger(values.data, values.firm, values.ledger);
  process.exit();
}
if (values.data === undefined || values.cid === undefined) {
  process.stderr.write(`usage: npm run tamper -- --data DIR --cid CID [--firm DOMAIN] [--heal]
       npm run tamper -- --data DIR --firm DOMAIN --ledger MEMBER [--height HEIGHT] [--heal]
`);
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
  // A firm's store is its kubo's, or its centers' own: each of them answers, so that all of them are altered.
  const folders = firm === '' ? [root] : [join(content, firm), join(root, 'organisations', firm)];
  const found: StoredBlock[] = [];
  for (const folder of folders.filter((path) => existsSync(path))) found.push(...(await findStoredBlocks(folder, cid)));
  const [first] = found;
  if (first === undefined) return undefined;
  const altered = firm === '' ? [first] : found;
  return {
    file: first.file,
    isIntact: async () => (await Promise.all(altered.map((block) => isIntact(block, cid)))).every(Boolean),
    async flip() {
      const places: number[] = [];
      // To heal, only what is altered is flipped back: a repair may have been there before.
      for (const block of altered)
        if (!values.heal || !(await isIntact(block, cid))) places.push(await flipStoredBit(block));
      return places[0] ?? 0;
    },
  };
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

async function tamperWithLedger(dataDir: string, domain: string, member: string): Promise<void> {
  try {
    const configuration = join(layoutOf(dataDir).root, 'organisations', domain, member, 'configuration.yaml');
    const there = await containersOf(layoutOf(dataDir, 'docker'));
    if (there === undefined) {
      const place = await chainOfMember(configuration);
      tell(place.folder, await tamperWithChain(place));
      return;
    }
    const container = await memberContainer(there, domain, member);
    const folder = await mkdtemp(join(tmpdir(), 'waymark-chain-'));
    const copy = join(folder, 'ledger');
    try {
      await takeChain(there, container, copy);
      const done = await tamperWithChain(await chainOfMember(configuration, copy));
      await putChain(there, container, copy);
      tell(container, done);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  } catch (error) {
    if (!isWaymarkError(error)) throw error;
    process.stderr.write(`${error.code}: ${error.message}\n`);
    process.exitCode = 1;
  }
}

async function tamperWithChain(place: ChainPlace): Promise<object> {
  return values.heal
    ? { healed: await restoreChain(place) }
    : await rewriteChain(place, values.height === undefined ? undefined : Number(values.height));
}

function tell(folder: string, done: object): void {
  process.stdout.write(`${JSON.stringify({ folder, ...done })}\n`);
}
