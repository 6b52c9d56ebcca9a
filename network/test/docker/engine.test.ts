import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEngine } from '../../src/docker/engine.ts';
import { commandEnvironment, runCommand } from '../../src/docker/run-command.ts';

const well = `case "$1 $2" in
  "info --format") echo '{"ServerVersion":"28.1.0","SecurityOptions":["name=seccomp,profile=builtin"],"ClientInfo":{"Version":"27.0.1"}}';;
  "compose version") echo v2.40.3;;
  *) echo "out: $*"; echo "no such thing" >&2; exit 3;;
esac`;

describe('the Docker engine', () => {
  const path = process.env['PATH'];
  let folder: string;
  /** A program of that name that does what a script says. */
  const docker = async (script: string): Promise<void> => {
    await writeFile(join(folder, 'docker'), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, 'docker'), 0o755);
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waymark-engine-'));
    process.env['PATH'] = folder;
  });
  afterEach(async () => {
    process.env['PATH'] = path;
    await rm(folder, { recursive: true, force: true });
  });

  test.each([
    ['a missing program', undefined, 'docker not found on PATH'],
    [
      'an engine that is down',
      'echo "Cannot connect to the Docker daemon" >&2; exit 1',
      'does not answer: Cannot connect',
    ],
    // Some versions of the program succeed and say nothing of a server.
    ['a program without an engine', `echo '{"ServerVersion":"","ServerErrors":["down"]}'`, 'does not answer'],
    ['Compose that is missing', `[ "$1" = compose ] && exit 1\n${well}`, 'Docker Compose v2 is missing'],
    [
      'Compose that is too old',
      `[ "$1" = compose ] && echo 2.17.2 && exit 0\n${well}`,
      'Docker Compose 2.17.2 is too old',
    ],
    ['Compose of the first generation', `[ "$1" = compose ] && echo v1.29.2 && exit 0\n${well}`, '1.29.2 is too old'],
  ])('%s is told in one line', async (_what, script, message) => {
    if (script !== undefined) await docker(script);
    const error = (await findEngine().catch((cause: unknown) => cause)) as Error;
    expect(error).toMatchObject({ code: 'program-missing' });
    expect(error.message).toContain(message);
    expect(error.message).not.toContain('\n');
  });

  test('that answers says its versions; Compose that was built without one is taken', async () => {
    await docker(well);
    expect(await findEngine()).toMatchObject({
      version: '28.1.0',
      clientVersion: '27.0.1',
      composeVersion: '2.40.3',
      rootless: false,
    });
    await docker(`[ "$1" = compose ] && echo dev && exit 0\n${well.replace('name=seccomp', 'name=rootless')}`);
    expect(await findEngine()).toMatchObject({ composeVersion: 'dev', rootless: true });
  });

  test('a command that fails is an error with its last words', async () => {
    await docker(well);
    const engine = await findEngine();
    await expect(engine.docker(['start', 'x'])).rejects.toMatchObject({
      code: 'unavailable',
      message: 'docker start failed: no such thing',
    });
    expect(await engine.tryDocker(['start', 'x'])).toEqual({
      code: 3,
      stdout: 'out: start x\n',
      stderr: 'no such thing\n',
    });
  });

  test('a command that hangs is ended', async () => {
    await docker('exec /bin/sleep 60');
    await expect(runCommand('docker', ['start'], { timeoutMs: 200 })).rejects.toMatchObject({ code: 'unavailable' });
  });

  test("gets what names the engine from the environment, and nothing that changes the file's meaning", () => {
    const given = {
      PATH: '/bin',
      DOCKER_HOST: 'unix:///run/user/1000/docker.sock',
      https_proxy: 'http://proxy.example',
      COMPOSE_FILE: 'other.yaml',
      COMPOSE_PROJECT_NAME: 'other',
      WAYMARK_PASSPHRASE: 'secret',
    };
    expect(Object.keys(commandEnvironment(given))).toEqual(['PATH', 'DOCKER_HOST', 'https_proxy']);
  });
});
