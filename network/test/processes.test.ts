import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess } from '../src/processes.ts';

describe('the pid file of a process', () => {
  let folder: string;
  const pidFile = (): string => join(folder, 'run', 'center.pid');
  const start = async () => {
    const script = join(folder, 'idle.cjs');
    await writeFile(script, 'setInterval(() => undefined, 60_000)');
    return startProcess({ name: 'center', script, args: [], announcesReady: false }, join(folder, 'run'));
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waymark-processes-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('says which one runs, and is gone once its end is known', async () => {
    const center = await start();
    expect(await readFile(pidFile(), 'utf8')).toBe(`${center.pid}\n`);
    await center.stop();
    expect(existsSync(pidFile())).toBe(false);
  });

  test('of a new process stays when the end of the old one is heard of late', async () => {
    const old = await start();
    const young = await start();
    await old.stop();
    expect(await readFile(pidFile(), 'utf8')).toBe(`${young.pid}\n`);
    await young.stop();
    expect(existsSync(pidFile())).toBe(false);
  });

  test('may be gone already, and the end is known all the same', async () => {
    const center = await start();
    await rm(pidFile());
    center.kill('SIGKILL');
    expect(await center.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });
});
