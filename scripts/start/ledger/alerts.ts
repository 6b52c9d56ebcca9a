import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { containersOf } from '@waymark/network';
import { alertInContainer, alertsInContainer, memberContainer } from '../../tamper/container-ledger.ts';
import type { LedgerPlace } from './ledger-place.ts';

/** What a member of a private ledger has raised alarm about. */
export interface Alerts {
  /** Paths of the alerts, in order. */
  list(): Promise<string[]>;
  read(path: string): Promise<string>;
}

const isAlert = (file: string): boolean => file.endsWith('.json');

/** The alerts of one member: a folder of this machine, or of its container, which then must be running. */
export async function alertsOf({ firm, layout }: LedgerPlace, node: string): Promise<Alerts> {
  const containers = await containersOf(layout);
  if (containers === undefined) {
    const folder = join(layout.node(firm, node).data, 'ledger', 'alerts');
    return {
      list: async () =>
        existsSync(folder)
          ? (await readdir(folder))
              .filter(isAlert)
              .map((file) => join(folder, file))
              .sort()
          : [],
      read: (path) => readFile(path, 'utf8'),
    };
  }
  const container = await memberContainer(containers, firm.domain, node);
  return {
    list: async () => (await alertsInContainer(containers, container)).sort(),
    read: (path) => alertInContainer(containers, container, path),
  };
}
