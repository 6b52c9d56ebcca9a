import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { NetworkDescription } from '../../src/cli/describe-network.ts';
import { connectDescribed } from '../harness/devnet-process.ts';
import { freePorts } from '../support/free-ports.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary-folder.ts';

const run = promisify(execFile);
const PACKAGE = join(import.meta.dirname, '../..');
const REPOSITORY = join(PACKAGE, '../..');
const REGISTRY_NAME = '@waymark/devnet';

/** A contract as anybody writes one: plain JavaScript, nothing of this repository. */
const CONTRACT = `'use strict';
const { Contract } = require('fabric-contract-api');

class Greetings extends Contract {
  async greet(ctx, name, words) {
    await ctx.stub.putState(name, Buffer.from(words));
    return words.length;
  }
  async greeting(ctx, name) {
    const words = await ctx.stub.getState(name);
    if (words.length === 0) throw new Error('nobody has greeted ' + name);
    return words.toString();
  }
}
module.exports.contracts = [Greetings];
`;
const MANIFEST = {
  name: 'greetings',
  version: '1.0.0',
  private: true,
  main: 'index.js',
  dependencies: { 'fabric-contract-api': '2.5.8', 'fabric-shim': '2.5.8' },
};

interface StartedNetwork {
  readonly process: ChildProcess;
  readonly description: NetworkDescription;
  /** What it wrote to stderr so far. */
  errors(): string;
}

/** The two lines that the README promises, as they stand there. */
async function readmeLines(): Promise<readonly [string, string]> {
  const readme = await readFile(join(PACKAGE, 'README.md'), 'utf8');
  const [, block = ''] = /```\n(npm install [^`]*)```/.exec(readme) ?? [];
  const [install, start, ...rest] = block.trim().split('\n');
  if (install === undefined || start === undefined || rest.length > 0) throw new Error('the README has no two lines');
  return [install, start];
}

describe('a stranger with nothing but the package and its README', () => {
  const processes: ChildProcess[] = [];
  let folder: string;
  let env: NodeJS.ProcessEnv;
  let startLine: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    env = strangersEnvironment(folder);
    const { stdout } = await run(process.execPath, [join(PACKAGE, 'build/package.ts'), join(folder, 'package')]);
    const tarball = stdout.trim();
    const contract = join(folder, 'contract');
    await mkdir(contract);
    await writeFile(join(contract, 'index.js'), CONTRACT);
    await writeFile(join(contract, 'package.json'), JSON.stringify(MANIFEST));
    const [install, start] = await readmeLines();
    expect(install).toContain(REGISTRY_NAME);
    startLine = start;
    await run('sh', ['-c', install.replace(REGISTRY_NAME, tarball)], { cwd: contract, env, maxBuffer: 2 ** 26 });
  }, 180_000);
  afterEach(async () => {
    for (const process of processes.splice(0)) await interrupt(process);
  });
  afterAll(removeTemporaryFolders);

  const shell = (line: string): ChildProcess => {
    const child = spawn('sh', ['-c', `exec ${line}`], {
      cwd: join(folder, 'contract'),
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    processes.push(child);
    return child;
  };
  /** Starts the network by the line; resolves with what it prints. */
  const network = async (line: string): Promise<StartedNetwork> => {
    const started = performance.now();
    const child = shell(`${line} --json`);
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
    if (child.stdout === null) throw new Error('no stdout');
    const lines = createInterface({ input: child.stdout });
    const ended = once(child, 'exit').then(() => Promise.reject(new Error(`the network did not start: ${errors}`)));
    const [first] = (await Promise.race([once(lines, 'line'), ended])) as [string];
    if (first.startsWith('{"code"')) throw new Error(`the network did not start: ${first} ${errors}`);
    const [, startMs] = /started in (\d+) ms/.exec(errors) ?? [];
    const total = Math.round(performance.now() - started);
    process.stdout.write(`npx to ready: ${total} ms, of that the network ${startMs ?? '?'} ms\n`);
    return { process: child, description: JSON.parse(first) as NetworkDescription, errors: () => errors };
  };
  const greet = async (description: NetworkDescription, name: string): Promise<void> => {
    const [client, other] = await Promise.all([
      connectDescribed(description, 'Org1MSP'),
      connectDescribed(description, 'Org2MSP'),
    ]);
    try {
      const contract = client.gateway.getNetwork(description.channel).getContract('mycontract');
      await contract.submitTransaction('greet', name, 'good morning');
      const read = other.gateway.getNetwork(description.channel).getContract('mycontract');
      const words = await read.evaluate('greeting', { arguments: [name] });
      expect(Buffer.from(words).toString()).toBe('good morning');
      await expect(read.evaluateTransaction('greeting', 'nobody')).rejects.toMatchObject({
        details: [{ message: 'chaincode response 500, nobody has greeted nobody' }],
      });
    } finally {
      client.close();
      other.close();
    }
  };

  test('runs the contract of the folder with the two lines, stops with Ctrl-C, and goes on where it stopped', async () => {
    const first = await network(startLine);
    await greet(first.description, 'Ann');
    await interrupt(first.process);
    expect(first.errors()).toContain('SIGINT: stopping');
    const second = await network(startLine);
    const client = await connectDescribed(second.description, 'Org2MSP');
    const contract = client.gateway.getNetwork(second.description.channel).getContract('mycontract');
    expect(Buffer.from(await contract.evaluateTransaction('greeting', 'Ann')).toString()).toBe('good morning');
    client.close();
  }, 60_000);

  test('attaches a chaincode server that runs already', async () => {
    const [port = 0] = await freePorts(1);
    shell(`npx fabric-chaincode-node server --chaincode-address 127.0.0.1:${port} --chaincode-id mycontract:1`);
    const line = startLine.replace('mycontract=.', `mycontract=127.0.0.1:${port} --data other`);
    expect(line).not.toBe(startLine);
    const { description } = await network(line);
    await greet(description, 'Bob');
  }, 60_000);

  test('starts a network from a program of its own', async () => {
    const program = `
      import { startDevnet } from '@waymark/devnet';
      const started = performance.now();
      const devnet = await startDevnet({ dataDir: 'third', organisations: [{ mspId: 'Org1MSP' }, { mspId: 'Org2MSP' }] });
      console.log(process.version, Math.round(performance.now() - started), Object.values(devnet.heights()).join());
      await devnet.stop();`;
    await writeFile(join(folder, 'contract', 'start.mjs'), program);
    const { stdout } = await run('node', ['start.mjs'], { cwd: join(folder, 'contract'), env });
    const [version, ms, heights] = stdout.trim().split(' ');
    process.stdout.write(`startDevnet() on Node ${version ?? '?'}: ${ms ?? '?'} ms\n`);
    expect(heights).toBe('1,1');
    await rm(join(folder, 'contract', 'third'), { recursive: true });
  }, 60_000);
});

/** What a terminal does at Ctrl-C: everybody in the foreground hears it. Resolves when all of them are gone. */
async function interrupt(child: ChildProcess): Promise<void> {
  if (child.stderr?.closed !== false || child.pid === undefined) return;
  const closed = once(child, 'close');
  process.kill(-child.pid, 'SIGINT');
  await closed;
}

/** An empty cache, and none of this checkout's programs or settings. */
function strangersEnvironment(folder: string): NodeJS.ProcessEnv {
  const own = /^(npm_|NODE_|WAYMARK_|INIT_CWD)/;
  const env: NodeJS.ProcessEnv = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
  env['npm_config_cache'] = join(folder, 'cache');
  env['PATH'] = (env['PATH'] ?? '')
    .split(':')
    .filter((entry) => !entry.startsWith(REPOSITORY))
    .join(':');
  return env;
}
