/**
 * Runs a network until it is told to stop: `node network/src/control/supervisor.ts --data DIR --chaincode DIR`. Says over the channel to
 * its parent what it does, and at the end `ready` or what failed; from then on it is reached over its control server.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

enableCompileCache();
const { isWaymarkError, WaymarkError } = await import('@waymark/protocol');
const { startConsortium } = await import('../consortium.ts');
const { actionsOf } = await import('./actions.ts');
const { removeControlPlace, writeControlPlace } = await import('./control-file.ts');
const { startControlServer } = await import('./control-server.ts');
const { keepRunning } = await import('./keeper.ts');
const { readNetworkFolder } = await import('./network-folder.ts');
const { endOrphans, supervisorPidFile } = await import('./orphans.ts');
const { takeRunFolder } = await import('./run-folder.ts');

const { values } = parseArgs({ options: { data: { type: 'string' }, chaincode: { type: 'string' } } });
const log = (text: string): void => void process.stdout.write(`${new Date().toISOString()} ${text}\n`);
const tell = (message: object): void => {
  // Whoever started this may be gone; the network is not his.
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
};

const listeners = new Set<(step: string) => void>();

try {
  const { data = '', chaincode = '' } = values;
  const dataDir = resolve(data);
  const folder = await readNetworkFolder(dataDir);
  if (folder === undefined) throw new WaymarkError('input-invalid', `${dataDir} holds no network`);
  const run = join(dataDir, 'run');
  mkdirSync(run, { recursive: true, mode: 0o700 });
  // Before anything is ended: what another supervisor is just starting is no orphan.
  const lock = takeRunFolder(run);
  for (const name of await endOrphans(dataDir)) log(`${name} was still running and has been ended`);
  const pidFile = join(run, supervisorPidFile);
  writeFileSync(pidFile, `${String(process.pid)}\n`);
  process.once('exit', () => rmSync(pidFile, { force: true }));
  const consortium = await startConsortium({
    ...folder,
    dataDir,
    chaincodeFolder: chaincode,
    onProgress: (step) => {
      log(step);
      tell({ step });
      for (const listen of listeners) listen(step);
    },
  });
  const keeper = keepRunning(consortium, log);
  let ending: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    keeper.stop();
    await consortium.stop();
    await removeControlPlace(consortium.layout);
    lock.release();
    log('stopped');
  };
  const stop = (): Promise<void> => (ending ??= end());
  const control = await startControlServer({
    ...actionsOf({ consortium, keeper, dataDir, listeners }),
    stop: async () => {
      await stop();
      setImmediate(() => process.exit(0));
    },
  });
  await writeControlPlace(consortium.layout, control.place);
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => void stop().then(() => process.exit(0)));
  log('ready');
  tell({ ready: true });
} catch (error) {
  const code = isWaymarkError(error) ? error.code : 'internal';
  const message = error instanceof Error ? error.message : String(error);
  log(`${code}: ${message}`);
  tell({ code, message });
  process.exitCode = 1;
  if (process.connected) process.disconnect();
}
