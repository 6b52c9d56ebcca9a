import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { FolderContainers } from '@waymark/network';
import { WaymarkError } from '@waymark/protocol';

/** Where a member keeps its ledger in its container. */
const ledgerFolder = '/etc/waymark/data/ledger';

/** The container of a firm's member: an outlet's stands one label below its peer's. @throws WaymarkError input-invalid */
export async function memberContainer(containers: FolderContainers, domain: string, member: string): Promise<string> {
  const names = await containers.names();
  const name = [`outlet.${member}.${domain}`, `${member}.${domain}`].find((one) => names.includes(one));
  if (name === undefined) throw new WaymarkError('input-invalid', `There is no container of ${member} at ${domain}.`);
  return name;
}

/** Copies a member's chain, and what lies beside it of a rewriting, from its volume. Its container must not be running. */
export async function takeChain(containers: FolderContainers, container: string, folder: string): Promise<void> {
  const archive = `${folder}.tar`;
  const output = createWriteStream(archive, { mode: 0o600 });
  try {
    await containers.runBeside(container, ['sh', '-c', `cd ${ledgerFolder} && tar -c chain*`], { output });
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await promisify(execFile)('tar', ['-x', '-f', archive, '-C', folder]);
  } finally {
    await rm(archive, { force: true });
  }
}

/** Puts a member's chain, and what lies beside it, into its volume in the place of what is there. */
export async function putChain(containers: FolderContainers, container: string, folder: string): Promise<void> {
  const archive = `${folder}.tar`;
  // All of it is there before anything is taken away.
  const replace = `cd ${ledgerFolder} && rm -rf arriving && mkdir arriving && tar -x --no-same-owner -C arriving && rm -rf chain chain.* && mv arriving/chain* . && rm -rf arriving`;
  try {
    await promisify(execFile)('tar', ['-c', '-f', archive, '-C', folder, '.']);
    await containers.runBeside(container, ['sh', '-c', replace], { input: createReadStream(archive) });
  } finally {
    await rm(archive, { force: true });
  }
}

/** Paths of the alerts that a member has raised. Its container must be running. */
export async function alertsInContainer(containers: FolderContainers, container: string): Promise<string[]> {
  const found = await containers.run(container, ['find', ledgerFolder, '-path', '*/alerts/*.json']);
  return found
    .toString('utf8')
    .split('\n')
    .filter((path) => path !== '');
}

/** @param path as `alertsInContainer` lists it */
export async function alertInContainer(containers: FolderContainers, container: string, path: string): Promise<string> {
  return (await containers.run(container, ['cat', path])).toString('utf8');
}
