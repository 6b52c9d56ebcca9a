import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LedgerConsortium } from './ledger-firm.ts';

/** Modules that change what a process finds around it, or what it does. */
export type Preload = 'failing-sync.ts' | 'lying-center.ts' | 'skewed-clock.ts';

/** Starts a member's process again with a module loaded before its program. */
export async function restartWith(
  ledger: LedgerConsortium,
  member: string,
  module: Preload,
  parameters: Readonly<Record<string, string>>,
): Promise<void> {
  const file = pathToFileURL(join(import.meta.dirname, 'preload', module));
  process.env['WAYMARK_NODE_ARGS'] = `--import=${file.href}?${new URLSearchParams(parameters).toString()}`;
  try {
    await ledger.restart(member);
  } finally {
    delete process.env['WAYMARK_NODE_ARGS'];
  }
}
