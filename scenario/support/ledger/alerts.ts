import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AlertFile } from '@waymark/service-kit';
import type { LedgerConsortium } from './ledger-firm.ts';
import { ledgerFolderOf } from './member-disk.ts';

const pollMs = 100;

/** The alerts that a member raised, from its disk. */
export function alertsOf({ running, firm }: LedgerConsortium, member: string): AlertFile[] {
  const folder = join(ledgerFolderOf(running.consortium, firm, member), 'alerts');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as AlertFile);
}

/** Waits for an alert of a member. @throws Error that names what it has raised instead */
export async function untilAlert(
  ledger: LedgerConsortium,
  member: string,
  isIt: (alert: AlertFile) => boolean,
  timeoutMs = 60_000,
): Promise<AlertFile> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const alerts = alertsOf(ledger, member);
    const found = alerts.find(isIt);
    if (found !== undefined) return found;
    if (Date.now() > deadline)
      throw new Error(
        `no such alert at ${member}: ${JSON.stringify(alerts.map(({ kind, facts, proof }) => [kind, facts, proof?.type]))}`,
      );
    await delay(pollMs);
  }
}
