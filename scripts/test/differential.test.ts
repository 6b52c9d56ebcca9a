import { execFile } from 'node:child_process';
import { join } from 'node:path';

const script = join(import.meta.dirname, '..', 'differential.ts');

function run(...args: readonly string[]): Promise<{ code: number | string | null | undefined; stdout: string }> {
  return new Promise((resolve) => {
    const flags = ['--disable-warning=ExperimentalWarning', '--disable-warning=DEP0123'];
    execFile(process.execPath, [...flags, script, ...args], (error, stdout) => {
      resolve({ code: error === null ? 0 : error.code, stdout });
    });
  });
}

describe('npm run test:differential', () => {
  test('without the programs of Fabric it is skipped, says why, and ends with 2', async () => {
    const { code, stdout } = await run('--json', '--programs', import.meta.dirname);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toEqual({
      skipped: expect.stringContaining(`Fabric's peer and orderer not found in ${import.meta.dirname}`) as string,
    });
  });

  test.each([
    [['--seed', 'x'], '--seed takes a whole number from 1 on'],
    [['--transactions', '0'], '--transactions takes a whole number from 1 on'],
  ])('%j is refused with 2', async (args, message) => {
    const { code, stdout } = await run('--json', ...args);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toEqual({ code: 'usage', message });
  });
});
