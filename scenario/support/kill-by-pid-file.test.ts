import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { killByPidFile } from './kill-by-pid-file.ts';

test('a pid file that is empty, half written or missing kills nobody', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pid-file-'));
  const kill = jest.spyOn(process, 'kill').mockImplementation(() => true);
  const file = join(folder, 'one.pid');
  for (const content of ['', '\n', '0', '1', '-7', 'x', '1e99']) {
    writeFileSync(file, content);
    killByPidFile(file);
  }
  killByPidFile(join(folder, 'none.pid'));
  expect(kill).not.toHaveBeenCalled();
  writeFileSync(file, '4711\n');
  killByPidFile(file);
  expect(kill).toHaveBeenCalledWith(4711, 'SIGKILL');
  kill.mockRestore();
  rmSync(folder, { recursive: true });
});
