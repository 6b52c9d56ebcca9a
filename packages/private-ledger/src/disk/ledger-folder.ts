import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Name of the file that a restore leaves in the folder. */
export const restoredFile = 'restored';

/** What a member keeps, below the service's data folder. */
export interface LedgerFolder {
  readonly dir: string;
  /** Steps of consensus (`@waymark/ledger-log`). */
  readonly log: string;
  /** Confirmed blocks (`@waymark/ledger-chain`). */
  readonly chain: string;
  readonly alerts: string;
  readonly notes: string;
  /** Left by a restore until all of the chain was confirmed anew. */
  readonly restored: string;
  /** Whether this node has been a member before: its log must be there then. What a restore brought back is the chain alone. */
  readonly wasMember: boolean;
}

/** The folder of a member, made when it is not there. */
export function ledgerFolder(dataFolder: string): LedgerFolder {
  const dir = join(dataFolder, 'ledger');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const chain = join(dir, 'chain');
  const notes = join(dir, 'notes.db');
  const restored = join(dir, restoredFile);
  return {
    dir,
    log: join(dir, 'log'),
    chain,
    alerts: join(dir, 'alerts'),
    notes,
    restored,
    wasMember: !existsSync(restored) && (existsSync(chain) || existsSync(notes)),
  };
}
