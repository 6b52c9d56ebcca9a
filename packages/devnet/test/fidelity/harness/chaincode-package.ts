import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runFabric } from '../../support/fabric-programs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** An external builder for chaincode that runs already: all that a peer needs to know is its address. Gives the folder. */
export async function writeBuilder(dir: string): Promise<string> {
  const programs = {
    detect: 'exit 0',
    build: 'cp "$1/connection.json" "$3/"',
    release: 'mkdir -p "$2/chaincode/server" && cp "$1/connection.json" "$2/chaincode/server/"',
  };
  await mkdir(join(dir, 'bin'), { recursive: true });
  for (const [name, command] of Object.entries(programs)) {
    const path = join(dir, 'bin', name);
    await writeFile(path, `#!/bin/sh\nset -e\n${command}\n`);
    await chmod(path, 0o755);
  }
  return dir;
}

/** A package that holds an address. */
export async function writePackage(path: string, label: string, address: string): Promise<void> {
  const dir = await temporaryFolder();
  const write = (name: string, content: unknown) => writeFile(join(dir, name), JSON.stringify(content));
  await write('connection.json', { address, dial_timeout: '10s', tls_required: false });
  await write('metadata.json', { type: 'service', label });
  await runFabric('tar', ['-C', dir, '-czf', join(dir, 'code.tar.gz'), 'connection.json']);
  await runFabric('tar', ['-C', dir, '-czf', path, 'metadata.json', 'code.tar.gz']);
}
