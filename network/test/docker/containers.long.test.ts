import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { connect, type Waymark } from '@waymark/sdk';
import { ensureChaincodeBuilt } from '../../../scripts/build-chaincode.ts';
import { containersOf, type FolderContainers, removeContainers } from '../../src/docker/folder-containers.ts';
import { projectName } from '../../src/docker/project.ts';
import {
  type Consortium,
  findRuntimeProblem,
  readTopology,
  startConsortium,
  type TopologyOrganisation,
} from '../../src/index.ts';

const problem = await findRuntimeProblem('docker');
if (problem !== undefined) process.stderr.write(`skipped: a network of containers: ${problem}\n`);
const describeDocker = problem === undefined ? describe : describe.skip;
const run = promisify(execFile);
const waitMs = 60_000;
const pollMs = 200;

describeDocker(`a network of containers${problem === undefined ? '' : ` (skipped: ${problem})`}`, () => {
  let dataDir: string;
  let consortium: Consortium;
  let stop = (): Promise<void> => Promise.resolve();
  let containers: FolderContainers;
  let firms: readonly TopologyOrganisation[];

  const start = async (): Promise<void> => {
    const topology = await readTopology(join(import.meta.dirname, '..', '..', 'topology.yaml'));
    firms = topology.organisations;
    consortium = await startConsortium({
      topology,
      dataDir,
      chaincodeFolder: await ensureChaincodeBuilt(),
      runtime: 'docker',
    });
    stop = () => consortium.stop();
    const found = await containersOf(consortium.layout);
    if (found === undefined) throw new Error('a network of containers has a compose file');
    containers = found;
  };
  const docker = async (...args: string[]): Promise<string> =>
    (await run('docker', args, { maxBuffer: 64_000_000 })).stdout;
  const ofProject = async (kind: 'container' | 'volume' | 'network'): Promise<string[]> => {
    const filter = `label=com.docker.compose.project=${projectName(dataDir)}`;
    const all = kind === 'container' ? ['--all'] : [];
    return (await docker(kind, 'ls', '--quiet', ...all, '--filter', filter)).split('\n').filter((id) => id !== '');
  };
  const firm = (index: number): TopologyOrganisation => {
    const found = firms[index];
    if (found === undefined) throw new Error('S12 has two firms');
    return found;
  };
  /** A record goes in at an outlet, is anchored, and is asked for with proofs. */
  const submitAndTrace = async (eventId: string): Promise<string> => {
    const waymark = connect(consortium.layout.node(firm(0), 'reader').profile);
    try {
      const receipt = await waymark.submitOne({
        eventId,
        consignment: 'a consignment',
        schema: 'example/handover/v1',
        collectionTime: '2026-05-04T09:30:00.000Z',
        payload: { pallets: 6 },
      });
      expect(receipt.state).toBe('anchored');
      return await trust(eventId, waymark);
    } finally {
      await waymark.close();
    }
  };
  const trust = (eventId: string, waymark: Waymark): Promise<string> =>
    eventually(async () => {
      const answer = await waymark.trace({ eventId });
      expect(answer.records).toHaveLength(1);
      return answer.trust;
    });
  const canReach = async (from: string, host: string, port: number): Promise<boolean> => {
    const script = `require('net').connect(${port}, '${host}').on('connect', () => process.exit(0)).on('error', () => process.exit(3))`;
    return containers.run(from, ['node', '-e', script]).then(
      () => true,
      () => false,
    );
  };

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'waymark-docker-'));
    await start();
  }, 600_000);
  afterAll(async () => {
    await stop().catch(() => undefined);
    await removeContainers(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  }, 120_000);

  test('takes a record and proves it to whoever asks', async () => {
    expect(await submitAndTrace('first')).toBe('anchored');
    expect(await consortium.channel.blockBytes()).toBeGreaterThan(0);
  }, 60_000);

  test('runs what the compose file promises: no root, no capabilities, loopback only, bounded', async () => {
    const inspected = JSON.parse(await docker('inspect', ...(await ofProject('container')))) as Inspected[];
    expect(inspected).toHaveLength(17);
    for (const { Config, HostConfig } of inspected) {
      expect(Config.User).toMatch(/^[1-9]\d*:\d+$/);
      expect(HostConfig).toMatchObject({ Privileged: false, ReadonlyRootfs: true, CapAdd: null, CapDrop: ['ALL'] });
      expect(HostConfig.Memory).toBeGreaterThan(0);
      expect(HostConfig.PidsLimit).toBeGreaterThan(0);
      const bindings = Object.values(HostConfig.PortBindings ?? {}).flat();
      expect(bindings.every(({ HostIp }) => HostIp === '127.0.0.1')).toBe(true);
      expect(HostConfig.Binds ?? []).not.toContainEqual(expect.stringContaining('docker.sock'));
    }
  }, 30_000);

  test("no key, pass phrase or bearer secret is in a container's description, an image or the compose file", async () => {
    const described = [
      await docker('inspect', ...(await ofProject('container'))),
      ...(await Promise.all(
        ['waymark/service:0.1.0', 'waymark/chaincode:0.1.0'].map((image) => docker('history', '--no-trunc', image)),
      )),
      await readFile(join(dataDir, 'docker', 'compose.yaml'), 'utf8'),
    ].join('\n');
    const secrets = await secretsBelow(dataDir);
    expect(secrets.length).toBeGreaterThan(20);
    expect(secrets.filter((secret) => described.includes(secret))).toEqual([]);
    expect(described).not.toContain('PRIVATE KEY');
  }, 30_000);

  test("an organisation's content API and chaincode are reached by itself and by nobody else", async () => {
    const [own, other] = [firm(0), firm(1)];
    const apiPort = consortium.ports.content?.[own.mspId]?.apiPort ?? 0;
    const chaincodePort = consortium.ports.chaincodes[own.mspId] ?? 0;
    expect(await canReach(`center.${own.domain}`, `ipfs.${own.domain}`, apiPort)).toBe(true);
    expect(await canReach(`center.${own.domain}`, `chaincode.${own.domain}`, chaincodePort)).toBe(true);
    expect(await canReach(`center.${other.domain}`, `ipfs.${own.domain}`, apiPort)).toBe(false);
    expect(await canReach(`center.${other.domain}`, `chaincode.${own.domain}`, chaincodePort)).toBe(false);
    expect((await fetch(`http://127.0.0.1:${apiPort}/api/v0/id`, { method: 'POST' })).status).toBe(403);
  }, 60_000);

  test('a program that crashes is started again by the engine, and nobody is told that it ended', async () => {
    const name = `center.${firm(0).domain}`;
    const outcome = Promise.race([
      consortium.failed,
      eventually(async () => {
        const { stdout } = await run('docker', [
          'inspect',
          '--format',
          '{{.RestartCount}}',
          `${projectName(dataDir)}-${name}-1`,
        ]);
        expect(Number(stdout)).toBe(1);
        return 'started again';
      }),
    ]);
    // Everything the user may end: the program, not the init process above it.
    await containers.run(name, ['sh', '-c', 'kill -9 -1']).catch(() => undefined);
    expect(await outcome).toBe('started again');
    expect(await submitAndTrace('after a crash')).toBe('anchored');
  }, 120_000);

  test('a container that is killed stays away until it is started again', async () => {
    const name = `leader.${firm(1).domain}`;
    const peer = consortium.processes().find((process) => process.name === name);
    peer?.kill('SIGKILL');
    expect(await peer?.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await consortium.restart(name);
    expect(await submitAndTrace('after a kill')).toBe('anchored');
  }, 120_000);

  test('goes on where it stopped; taken down, nothing of it is left', async () => {
    await stop();
    await start();
    const waymark = connect(consortium.layout.node(firm(0), 'reader').profile);
    expect(await trust('first', waymark)).toBe('anchored');
    await waymark.close();
    await stop();
    await containers.takeDown({ volumes: true });
    for (const kind of ['container', 'volume', 'network'] as const) expect(await ofProject(kind)).toEqual([]);
  }, 300_000);
});

/** What is read of `docker inspect`. */
interface Inspected {
  readonly Config: { readonly User: string };
  readonly HostConfig: {
    readonly Memory: number;
    readonly PidsLimit: number;
    readonly Binds: readonly string[] | null;
    readonly PortBindings: Readonly<Record<string, readonly { readonly HostIp: string }[]>> | null;
  };
}

const secretFile =
  /(^|\/)(passphrase|content-secret|api-secret|swarm\.key|priv_sk|server\.key|index-root|private-key\.pem|tls-private-key\.pem)$/;

/** Lines of all files with secrets below a folder. */
async function secretsBelow(folder: string): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true })).filter((name) => secretFile.test(name));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  return texts.flatMap((text) => text.split('\n')).filter((line) => line.length >= 16 && !/^(-----|\/key)/.test(line));
}

async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(pollMs);
    }
  }
}
