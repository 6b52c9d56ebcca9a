import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFabricPrograms } from '../src/index.ts';

describe("Fabric's programs", () => {
  let dir = '';
  const program = async (name: string, version: string): Promise<void> => {
    await writeFile(join(dir, name), `#!/bin/sh\necho '${name}:'\necho ' Version: ${version}'\n`);
    await chmod(join(dir, name), 0o755);
  };

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'programs-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  test('what is missing is named, and what to do', async () => {
    await program('peer', 'v3.1.5');
    await expect(findFabricPrograms(dir)).rejects.toMatchObject({
      code: 'program-missing',
      message: expect.stringMatching(/^Fabric's orderer not found in .*: install a release/) as string,
      details: { programs: ['orderer'] },
    });
  });

  test('they say their version', async () => {
    await program('peer', 'v2.5.16');
    await program('orderer', 'v2.5.16');
    await expect(findFabricPrograms(dir)).resolves.toMatchObject({ version: '2.5.16', peer: join(dir, 'peer') });
  });

  test('a peer and an orderer of different versions are refused', async () => {
    await program('peer', 'v3.1.5');
    await program('orderer', 'v2.5.16');
    await expect(findFabricPrograms(dir)).rejects.toMatchObject({ code: 'configuration-invalid' });
  });
});
