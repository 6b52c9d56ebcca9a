import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type ChainReport, openLedgerChain, restoreLedgerChain, verifyChain } from '@waymark/ledger-chain';
import { restoredFile } from '@waymark/private-ledger';
import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import { loadMemberConfiguration } from './configuration.ts';
import { openOfflineMember } from './member.ts';

/** What a check without the service is about. */
export interface OfflineOptions {
  /** Configuration file of the member's service: keys, trust, members and gateway are taken from it. */
  readonly configurationFile: string;
  /** The channel is not asked: the anchors that the folder or the backup remembers have to do. */
  readonly withoutChannel: boolean;
}

/** What was found, and what it was compared with. */
export interface OfflineReport extends ChainReport {
  /** Height up to which the channel has the ledger; null when it was not asked. */
  readonly anchored: number | null;
}

const manifestName = 'manifest.json';
const chainName = 'chain';
/** Beside the chain, while `restoreLedgerChain` is at work. */
const unfinished = `${chainName}.restoring`;

/**
 * Checks a member's chain, or a backup of one, without its service, which must not be running on it.
 * @param folder a service's data folder, the folder of a chain, or a backup; default: the data folder of the configuration
 * @throws WaymarkError unavailable: the service is running, the channel does not answer, the disk; input-invalid: no chain there; data-abnormal; configuration-invalid
 */
export async function verifyFolder({
  configurationFile,
  withoutChannel,
  folder,
}: OfflineOptions & { readonly folder?: string | undefined }): Promise<OfflineReport> {
  const config = loadMemberConfiguration(configurationFile);
  const place = resolve(folder ?? config.dataFolder);
  const member = await openOfflineMember(config);
  const { ledger, bodyCipher, checks } = member;
  const anchors = withoutChannel ? null : await member.anchors();
  const anchored = anchors === null ? null : (anchors.at(-1)?.last ?? 0);
  if (existsSync(join(place, manifestName))) {
    const work = await mkdtemp(join(tmpdir(), 'waymark-ledger-'));
    try {
      const restoring = { backup: place, folder: join(work, 'chain'), ledger, bodyCipher };
      const report = await restoreLedgerChain({ ...restoring, checks: { ...checks, anchors: anchors ?? [] } });
      return { ...report, anchored };
    } catch (error) {
      if (!isWaymarkError(error, 'data-abnormal')) throw error;
      return { ledger, height: 0, blocks: 0, valid: false, problems: [problemOf('backup-damaged', error)], anchored };
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  const damaged = (error: unknown): OfflineReport => {
    if (!isWaymarkError(error, 'data-abnormal')) throw error;
    return { ledger, height: 0, blocks: 0, valid: false, problems: [problemOf('unreadable', error)], anchored };
  };
  const chain = await openLedgerChain({ folder: chainIn(place), ledger, bodyCipher }).catch(damaged);
  if ('valid' in chain) return chain;
  try {
    const report = await verifyChain(chain, { ...checks, anchors: anchors ?? chain.anchors() });
    return { ...report, anchored };
  } finally {
    await chain.close();
  }
}

/**
 * Makes the data folder of a member from a backup: the confirmed chain and nothing else. What consensus remembered does not come back (docs/rsl.md, "Lost
 * disks"), so that the folder is for a member with another id, or for reading.
 * @param folder the new service's data folder; must hold no ledger
 * @throws WaymarkError data-abnormal: the backup does not hold; conflict: there is a ledger in the folder; recipient-mismatch, input-invalid, unavailable,
 *   configuration-invalid
 */
export async function restoreFolder({
  configurationFile,
  withoutChannel,
  backup,
  folder,
}: OfflineOptions & { readonly backup: string; readonly folder: string }): Promise<OfflineReport & { chain: string }> {
  const config = loadMemberConfiguration(configurationFile);
  const ledgerFolder = join(resolve(folder), 'ledger');
  if (await holdsSomething(ledgerFolder))
    throw new WaymarkError('conflict', `${ledgerFolder}: there is a ledger already; restore into a new folder.`);
  if (!existsSync(join(backup, manifestName)))
    throw new WaymarkError('input-invalid', `${backup}: this is not a backup: it has no ${manifestName}.`);
  const member = await openOfflineMember(config);
  const { ledger, bodyCipher, checks } = member;
  const anchors = withoutChannel ? null : await member.anchors();
  await mkdir(ledgerFolder, { recursive: true, mode: 0o700 });
  // Before the chain: a chain without this beside it is one whose log was lost.
  await writeFile(join(ledgerFolder, restoredFile), `${JSON.stringify({ v: 1, ledger })}\n`, { mode: 0o600 });
  const chain = join(ledgerFolder, chainName);
  const report = await restoreLedgerChain({
    backup: resolve(backup),
    folder: chain,
    ledger,
    bodyCipher,
    checks: { ...checks, anchors: anchors ?? [] },
  });
  return { ...report, anchored: anchors === null ? null : (anchors.at(-1)?.last ?? 0), chain };
}

/** The chain in a data folder, or the folder itself where it is one. */
function chainIn(place: string): string {
  const found = [join(place, 'ledger', 'chain'), join(place, 'chain'), place].find((candidate) =>
    existsSync(join(candidate, 'index.db')),
  );
  if (found === undefined)
    throw new WaymarkError('input-invalid', `${place}: there is neither the chain of a private ledger nor a backup.`);
  return found;
}

function problemOf(code: string, error: WaymarkError) {
  const { problems } = error.details;
  const listed = Array.isArray(problems) ? problems.join('; ') : '';
  return { height: 0, code, message: `${error.message} ${listed}`.trim() };
}

/** What an interrupted restore left may be written over. */
async function holdsSomething(folder: string): Promise<boolean> {
  const known = await stat(folder).catch(() => undefined);
  if (known === undefined) return false;
  return !known.isDirectory() || (await readdir(folder)).some((name) => name !== restoredFile && name !== unfinished);
}
