import { chmod, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import {
  ensureSwarmKey,
  findKuboProgram,
  type KuboNodePlan,
  type KuboRunner,
  type KuboRunOrder,
  type NodeExit,
  startKuboNode,
  writeKuboFiles,
} from '@waymark/kubo-nodes';
import { freePorts } from '@waymark/testing/kubo-peer';
import { expectCode } from '@waymark/testing/content-compliance';
import { newFolder, removeFolders } from './harness/folders.ts';

let folder: string;
const servers: Server[] = [];

beforeEach(async () => {
  folder = await newFolder();
});

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await removeFolders();
});

/** A program that stands in for `ipfs`. */
async function fakeProgram(script: string): Promise<string> {
  const path = join(folder, 'ipfs');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return folder;
}

async function planFor(change: Partial<KuboNodePlan> = {}): Promise<KuboNodePlan> {
  const swarmKeyFile = join(folder, 'swarm.key');
  await ensureSwarmKey(swarmKeyFile);
  const [swarmPort = 0, apiPort = 0] = await freePorts(2);
  return {
    hostName: 'ipfs.a.example',
    folder: join(folder, 'a'),
    swarmPort,
    apiPort,
    swarmKeyFile,
    offline: true,
    ...change,
  };
}

describe('the program', () => {
  test('that is not there is program-missing, in one line that says what to install', async () => {
    await expect(findKuboProgram(folder)).rejects.toMatchObject({
      code: 'program-missing',
      message: expect.stringMatching(
        /^kubo's ipfs not found in .*: install a release of kubo 0\.40\.0 or newer[^\n]*$/,
      ) as string,
    });
    await expectCode(startKuboNode(await planFor({ programsDir: folder })), 'program-missing');
  });

  test.each(['0.39.9', '0.4.23', '0.0.1'])('%s is unsupported', async (version) => {
    await expectCode(findKuboProgram(await fakeProgram(`echo ${version}`)), 'unsupported');
  });

  test.each(['0.40.0', '0.40.1', '0.44.0-dev', '1.0.0'])('%s is taken', async (version) => {
    expect((await findKuboProgram(await fakeProgram(`echo ${version}`))).version).toBe(version);
  });

  test('that is another program is program-missing', async () => {
    await expectCode(findKuboProgram(await fakeProgram('echo hello')), 'program-missing');
    await expectCode(findKuboProgram(await fakeProgram('exit 3')), 'program-missing');
  });
});

test('a daemon that ends at once is unavailable with the last line of its log', async () => {
  const programsDir = await fakeProgram(
    'case "$1" in version) echo 0.41.0;; init) ;; *) echo starting; echo "Error: the lock is taken"; exit 1;; esac',
  );
  await expect(startKuboNode(await planFor({ programsDir }))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('Error: the lock is taken') as string,
  });
});

test('a port in use is unavailable, before anything is started: what answers there is not this node', async () => {
  const programsDir = await fakeProgram(`case "$1" in version) echo 0.41.0;; *) touch ${join(folder, 'ran')};; esac`);
  const plan = await planFor({ programsDir });
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(plan.apiPort, '127.0.0.1', resolve));
  await expect(startKuboNode(plan)).rejects.toMatchObject({
    code: 'unavailable',
    details: { port: plan.apiPort, reason: 'port-in-use' },
  });
  await expect(stat(join(folder, 'ran'))).rejects.toMatchObject({ code: 'ENOENT' });
});

describe('a runner of another kind', () => {
  /** Serves the API in the place of a container. */
  function servingRunner(answers: Readonly<Record<string, unknown>>): { runner: KuboRunner; orders: KuboRunOrder[] } {
    const orders: KuboRunOrder[] = [];
    const runner: KuboRunner = {
      async start(order) {
        orders.push(order);
        let end: (exit: NodeExit) => void = () => undefined;
        const exited = new Promise<NodeExit>((resolve) => (end = resolve));
        const server = createServer((request, response) => {
          const command = /^\/api\/v0\/([^?]*)/.exec(request.url ?? '')?.[1] ?? '';
          response.end(JSON.stringify(answers[command] ?? {}));
        });
        servers.push(server);
        await new Promise<void>((resolve) => server.listen(order.apiPort, '127.0.0.1', resolve));
        return {
          name: order.name,
          pid: 0,
          exited,
          stop: async () => {
            end({ code: 0, signal: null });
            await exited;
          },
          kill: (signal) => end({ code: null, signal }),
          lastWords: () => Promise.resolve('what the container said'),
        };
      },
    };
    return { runner, orders };
  }

  test('gets folders and ports, and the node is the same to its user', async () => {
    const plan = await planFor();
    const { self } = await writeKuboFiles(plan);
    const { runner, orders } = servingRunner({ id: { ID: self.peerId }, version: { Version: '0.41.0' } });
    const node = await startKuboNode(plan, runner);
    expect(orders).toEqual([
      {
        name: plan.hostName,
        nodeDir: join(plan.folder, 'node'),
        dataDir: join(plan.folder, 'data'),
        runDir: join(plan.folder, 'run'),
        swarmPort: plan.swarmPort,
        apiPort: plan.apiPort,
        gatewayPort: undefined,
      },
    ]);
    expect([node.version, node.self, node.apiUrl]).toEqual(['0.41.0', self, `http://127.0.0.1:${plan.apiPort}`]);
    node.kill('SIGKILL');
    expect(await node.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('is held to the version as well, and to the identity of the node', async () => {
    const plan = await planFor();
    const { self } = await writeKuboFiles(plan);
    const old = servingRunner({ id: { ID: self.peerId }, version: { Version: '0.39.0' } });
    await expectCode(startKuboNode(plan, old.runner), 'unsupported');
    const elsewhere = await planFor();
    const stranger = servingRunner({ id: { ID: '12D3KooWstranger' }, version: { Version: '0.41.0' } });
    await expectCode(startKuboNode(elsewhere, stranger.runner), 'configuration-invalid');
  });
});
