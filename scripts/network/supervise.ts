import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrorCode, WaymarkError } from '@waymark/protocol';

const repository = join(import.meta.dirname, '..', '..');
export const supervisorLog = 'supervisor.log';

/**
 * Starts the supervisor of a network as a process of its own and waits until everything is up.
 *
 * @throws WaymarkError what kept it from starting
 */
export async function startSupervisor(
  dataDir: string,
  runDir: string,
  chaincodeFolder: string,
  onStep: (step: string) => void,
): Promise<void> {
  await mkdir(runDir, { recursive: true, mode: 0o700 });
  const log = openSync(join(runDir, supervisorLog), 'a', 0o600);
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=DEP0123',
      '--disable-warning=ExperimentalWarning',
      join(repository, 'network', 'src', 'control', 'supervisor.ts'),
      '--data',
      dataDir,
      '--chaincode',
      chaincodeFolder,
    ],
    { detached: true, stdio: ['ignore', log, log, 'ipc'] },
  );
  const { promise, resolve, reject } = Promise.withResolvers<true>();
  let failure: WaymarkError | undefined;
  child.on('message', (message: { step?: string; ready?: boolean; code?: string; message?: string }) => {
    if (message.step !== undefined) onStep(message.step);
    else if (message.ready === true) resolve(true);
    else if (message.code !== undefined) {
      failure = new WaymarkError(
        isErrorCode(message.code) ? message.code : 'internal',
        message.message ?? message.code,
      );
    }
  });
  child.on('error', reject);
  child.on('exit', (code, signal) => {
    reject(
      failure ??
        new WaymarkError(
          'unavailable',
          `the supervisor ended (${String(code ?? signal)}); its log is ${join(runDir, supervisorLog)}`,
        ),
    );
  });
  await promise;
  child.disconnect();
  child.unref();
}
