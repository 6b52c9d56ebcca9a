import { createSimulatedFiles, type SimulatedFiles } from '@waymark/testing/simulated-files';
import { type LedgerLog, type LedgerLogOptions, openLedgerLog } from '@waymark/ledger-log';

export const folder = '/ledger';

/** Opens a log on a simulated disk, which has no locks. Marks are written at closing only, so that nothing depends on time. */
export function openOn(files: SimulatedFiles, options: Partial<LedgerLogOptions> = {}): Promise<LedgerLog> {
  return openLedgerLog({
    folder,
    create: true,
    markAfterMs: null,
    fileSystem: files.fileSystem,
    lock: () => Promise.resolve({ close: () => Promise.resolve() }),
    ...options,
  });
}

export const newDisk = (): SimulatedFiles => createSimulatedFiles();

/** Path of a segment. */
export const segmentPath = (segment: number): string => `${folder}/segments/${String(segment).padStart(12, '0')}.log`;
