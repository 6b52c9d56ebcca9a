import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LedgerConsortium } from './ledger-firm.ts';

/** Modules that change what a process finds around it, or what it does. */
export type Preload = 'failing-sync.ts' | 'losing-center.ts' | 'lying-center.ts' | 'skewed-clock.ts';

/** Loads a module before the program of every process that is started meanwhile. */
export async function withPreload<T>(
  module: Preload,
  parameters: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const file = pathToFileURL(join(import.meta.dirname, 'preload', module));
  process.env['WAYMARK_NODE_ARGS'] = `--import=${file.href}?${new URLSearchParams(parameters).toString()}`;
  try {
    return await work();
  } finally {
    delete process.env['WAYMARK_NODE_ARGS'];
  }
}

/** Starts a member's process again with a module loaded before its program. */
export function restartWith(
  ledger: LedgerConsortium,
  member: string,
  module: Preload,
  parameters: Readonly<Record<string, string>>,
): Promise<void> {
  return withPreload(module, parameters, () => ledger.restart(member));
}
