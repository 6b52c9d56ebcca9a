import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endOrphans } from '../../src/control/orphans.ts';
import { startProcess } from '../../src/processes.ts';

describe('processes that a supervisor has left', () => {
  let folder: string;
  const started: ChildProcess[] = [];
  /** A process that goes on, with a word in its command line or environment. */
  const start = async (words: readonly string[], environment: Record<string, string> = {}): Promise<ChildProcess> => {
    // Goes on until its input ends.
    const child = spawn('/bin/sh', ['-c', 'echo here; read forever', 'sh', ...words], {
      env: environment,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    started.push(child);
    await once(child.stdout, 'data');
    return child;
  };
  const writePid = (place: string, pid: number | string | undefined): Promise<void> =>
    writeFile(join(folder, place), `${String(pid)}\n`);
  const runs = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waymark-orphans-'));
    for (const place of ['run', 'fabric/run', 'content/northline.example/run'])
      await mkdir(join(folder, place), { recursive: true });
  });
  afterEach(async () => {
    for (const child of started.splice(0)) if (runs(child)) child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });

  test('are ended where they carry the folder, in whichever place their pid files lie', async () => {
    const inArguments = await start([`--config=${folder}/organisations/x.yaml`]);
    const inEnvironment = await start([], { FABRIC_CFG_PATH: join(folder, 'fabric', 'node') });
    const folderItself = await start(['--data', folder]);
    await writePid('run/center.pid', inArguments.pid);
    await writePid('fabric/run/leader.pid', inEnvironment.pid);
    await writePid('content/northline.example/run/ipfs.pid', folderItself.pid);
    expect([...(await endOrphans(folder))].toSorted()).toEqual(['center', 'ipfs', 'leader']);
    expect([inArguments, inEnvironment, folderItself].filter(runs)).toEqual([]);
    for (const place of ['run', 'fabric/run', 'content/northline.example/run'])
      expect(await readdir(join(folder, place))).toEqual([]);
  });

  test('others whose number a pid file has go on, also of a network whose folder begins with the same letters', async () => {
    const stranger = await start([]);
    const neighbour = await start([`${folder}2/organisations/x.yaml`]);
    const dashed = await start([`${folder}-old`]);
    await writePid('run/stranger.pid', stranger.pid);
    await writePid('run/neighbour.pid', neighbour.pid);
    await writePid('run/dashed.pid', dashed.pid);
    expect(await endOrphans(folder)).toEqual([]);
    expect([stranger, neighbour, dashed].filter(runs)).toHaveLength(3);
    expect(await readdir(join(folder, 'run'))).toEqual([]);
  });

  test.each(['', 'x', '0', '1', '-1', '1.5', String(2 ** 30)])('a pid file with "%s" ends nothing', async (text) => {
    await writePid('run/odd.pid', text);
    expect(await endOrphans(folder)).toEqual([]);
  });

  test('every process of a network carries its folder, also one whose command says nothing of it', async () => {
    const script = join(folder, '..', `waymark-orphan-${process.pid}.cjs`);
    await writeFile(script, 'setInterval(() => undefined, 60_000)');
    try {
      const chaincode = await startProcess(
        { name: 'chaincode', script, args: [], announcesReady: false },
        join(folder, 'run'),
      );
      expect(await endOrphans(folder)).toEqual(['chaincode']);
      expect(await chaincode.exited).toEqual({ code: null, signal: 'SIGTERM' });
    } finally {
      await rm(script);
    }
  });

  test('a supervisor goes before what it would start again', async () => {
    const supervisor = await start(['--data', folder]);
    const center = await start([join(folder, 'x')]);
    await writePid('run/supervisor.pid', supervisor.pid);
    await writePid('run/center.pid', center.pid);
    expect(await endOrphans(folder)).toEqual(['supervisor', 'center']);
  });
});
