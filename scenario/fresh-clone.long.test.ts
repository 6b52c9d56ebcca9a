import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '..');
const inClone = existsSync(join(repository, '.git')) ? describe : describe.skip;

inClone(
  'a stranger with a fresh clone and an empty npm cache (issue 3 point 1; skipped outside a git checkout)',
  () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'waymark-stranger-'));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    test('npm ci && npm start works', async () => {
      const clone = join(folder, 'clone');
      await run('git', ['clone', '--quiet', repository, clone]);
      const hidden = new Set(['WAYMARK_DATA', 'NODE_OPTIONS', 'NODE_PATH', 'NODE_ENV']);
      const env: NodeJS.ProcessEnv = Object.fromEntries(
        Object.entries(process.env).filter(([name]) => !hidden.has(name)),
      );
      env['npm_config_cache'] = join(folder, 'cache');
      // The PATH of a stranger does not have this checkout's programs on it.
      env['PATH'] = (env['PATH'] ?? '')
        .split(':')
        .filter((entry) => !entry.startsWith(repository))
        .join(':');
      const options = { cwd: clone, env, maxBuffer: 64 * 1024 * 1024 };
      await run('npm', ['ci'], options);
      const { stdout } = await run('npm', ['start', '--silent', '--', '--once', '--json'], options);
      const figures = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as {
        trusted: { asked: number; matched: number };
      };
      expect(figures.trusted.matched).toBe(figures.trusted.asked);
      expect(figures.trusted.asked).toBeGreaterThanOrEqual(500);
    }, 600_000);
  },
);
