import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import { type DataFolderLock, lockDataFolder } from '@waymark/service-kit';

/**
 * Takes the right to be the only supervisor of a network.
 *
 * @throws WaymarkError `unavailable` while another one starts, runs or stops it
 */
export function takeRunFolder(run: string): DataFolderLock {
  try {
    return lockDataFolder(run);
  } catch (cause) {
    if (!isWaymarkError(cause, 'configuration-invalid')) throw cause;
    throw new WaymarkError('unavailable', `another process starts or stops this network: ${cause.message}`, { cause });
  }
}
