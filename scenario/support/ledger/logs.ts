import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LedgerConsortium } from './ledger-firm.ts';

/** What a member's process has written to its log. */
export function logOf(ledger: LedgerConsortium, member: string): string {
  const file = join(ledger.running.consortium.layout.run, `${ledger.service(member).process.name}.log`);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
