import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '@waymark/sdk';
import type { NetworkStatus } from '../src/index.ts';
import { isAlive, readControlPlace } from '../src/control/control-file.ts';
import { endOrphans } from '../src/control/orphans.ts';
import { layoutOf } from '../src/layout.ts';

const repository = join(import.meta.dirname, '..', '..');
const withinMs = 240_000;
const pollMs = 50;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  /** Lines. */
  readonly stderr: readonly string[];
}

/** One network, from its first start to its removal, by the command as a user gives it. Each test goes on where the one before ended. */
describe('./test-network.sh on embedded', () => {
  let parent: string;
  const folder = (): string => join(parent, 'network');
  const start = (args: readonly string[]): ChildProcess =>
    spawn(join(repository, 'test-network.sh'), [...args, '--data', folder()], {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const ended = async (child: ChildProcess): Promise<Ended> => {
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (piece: Buffer) => (stdout += piece.toString('utf8')));
    child.stderr?.on('data', (piece: Buffer) => (stderr += piece.toString('utf8')));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout, stderr: stderr.trimEnd().split('\n') };
  };
  const verb = (...args: string[]): Promise<Ended> => ended(start(args));
  /** What a verb that must succeed gives on stdout. */
  const done = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await verb(...args);
    expect({ code, last: stderr.at(-1) }).toEqual({ code: 0, last: stderr.at(-1) });
    return stdout;
  };
  const status = async (): Promise<NetworkStatus> => JSON.parse(await done('status', '--json')) as NetworkStatus;
  /** By name: every process of the network, the supervisor too. */
  const processes = async (): Promise<Map<string, number>> => {
    const run = join(folder(), 'run');
    const names = existsSync(run) ? (await readdir(run)).filter((name) => name.endsWith('.pid')) : [];
    const found = await Promise.all(
      names.map(async (name) => [name.slice(0, -4), Number(await readFile(join(run, name), 'utf8'))] as const),
    );
    return new Map(found.toSorted());
  };
  const untilGone = async (pids: Iterable<number>): Promise<void> => {
    for (const pid of pids) while (isAlive(pid)) await delay(pollMs);
  };
  const record = { eventId: 'kept-over-everything', consignment: 'consignment-1' };
  const asReader = async <T>(act: (reader: ReturnType<typeof connect>) => Promise<T>): Promise<T> => {
    const reader = connect(join(folder(), 'profile.yaml'));
    try {
      return await act(reader);
    } finally {
      await reader.close();
    }
  };
  const trusted = () => asReader((reader) => reader.trace({ eventId: record.eventId }));

  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'waymark-verbs-'));
  });
  afterAll(async () => {
    if (existsSync(folder())) await endOrphans(folder());
    await rm(parent, { recursive: true, force: true });
  }, withinMs);

  test(
    'up that is cut short half-way says so, and up again completes it',
    async () => {
      const first = start(['up', '--runtime', 'embedded']);
      const ending = ended(first);
      if (first.stderr === null) throw new Error('no output');
      for await (const line of createInterface({ input: first.stderr })) {
        if (line.startsWith('starting devnet')) break;
      }
      const before = await processes();
      process.kill(before.get('supervisor') ?? 0, 'SIGKILL');
      expect((await ending).code).toBe(1);
      expect(await verb('status')).toMatchObject({ code: 1, stderr: [expect.stringContaining('the network is down')] });

      const { code, stdout } = await verb('up');
      expect(code).toBe(0);
      expect(stdout.split('\n').filter((line) => line.startsWith('!'))).toEqual([]);
      await untilGone(before.values());
      expect([...(await processes()).keys()]).toEqual([
        'chaincode-northline.example',
        'chaincode-sunparcel.example',
        'devnet',
        'northline.example-audit-office',
        'northline.example-center',
        'northline.example-harbour-depot',
        'northline.example-standby',
        'sunparcel.example-airport-hub',
        'sunparcel.example-audit-office',
        'sunparcel.example-center',
        'sunparcel.example-standby',
        'supervisor',
      ]);
    },
    withinMs,
  );

  test(
    'up again changes nothing',
    async () => {
      const before = await processes();
      const { code, stderr } = await verb('up', '--json');
      expect({ code, stderr }).toEqual({ code: 0, stderr: ['the network is up already'] });
      expect(await processes()).toEqual(before);
    },
    withinMs,
  );

  test(
    'status --json has the members of its contract, and one leader as the anchor of each organisation (S1)',
    async () => {
      const found = await status();
      const wellPeer = (name: string, anchor: boolean) => ({ name, height: expect.any(Number) as number, anchor });
      type Kind = NetworkStatus['organisations'][number]['services'][number]['kind'];
      const service = (name: string, kind: Kind) => ({ name, kind, state: 'ready' });
      const height = expect.any(Number) as number;
      const ledger = (mspId: string, outlet: string) => ({
        mspId,
        center: 'center',
        term: 1,
        height,
        confirmed: height,
        anchored: height,
        members: [
          { id: 'center', role: 'center' },
          { id: 'standby', role: 'standby' },
          { id: outlet, role: 'department' },
          { id: 'audit-office', role: 'department' },
        ]
          .sort((a, b) => (a.id < b.id ? -1 : 1))
          .map((member) => ({ ...member, height, lag: height })),
      });
      expect(found).toEqual({
        runtime: 'embedded',
        fabricVersion: null,
        ordering: 'devnet',
        orderers: 1,
        toleratedFaults: 0,
        organisations: [
          {
            mspId: 'NorthlineMSP',
            role: 'carrier',
            peers: [wellPeer('leader', true), wellPeer('harbour-depot', false)],
            name: 'Northline Freight',
            services: [
              service('northline.example-center', 'center'),
              service('northline.example-harbour-depot', 'outlet'),
              service('northline.example-standby', 'standby'),
              service('northline.example-audit-office', 'verifier'),
            ],
          },
          {
            mspId: 'SunparcelMSP',
            role: 'carrier',
            peers: [wellPeer('leader', true), wellPeer('airport-hub', false)],
            name: 'Sunparcel Express',
            services: [
              service('sunparcel.example-center', 'center'),
              service('sunparcel.example-airport-hub', 'outlet'),
              service('sunparcel.example-standby', 'standby'),
              service('sunparcel.example-audit-office', 'verifier'),
            ],
          },
        ],
        pins: {
          anchored: expect.any(Number) as number,
          replicated: expect.any(Number) as number,
          missing: expect.any(Number) as number,
          silentCenters: 0,
        },
        ledgers: [ledger('NorthlineMSP', 'harbour-depot'), ledger('SunparcelMSP', 'airport-hub')],
        certificates: expect.any(Array) as unknown[],
        // Beside the contract.
        channel: 'waymark',
        chaincode: { name: 'waymark', version: '0.1.0', sequence: 1 },
        leader: null,
        away: [],
      });
      expect(found.certificates.length).toBeGreaterThan(10);
      for (const certificate of found.certificates) {
        expect(Object.keys(certificate).toSorted()).toEqual(['notAfter', 'subject']);
        expect(certificate.subject).toContain('CN=');
        expect(new Date(certificate.notAfter).toISOString()).toBe(certificate.notAfter);
      }
    },
    withinMs,
  );

  test(
    'logs lists what logs, and shows the end of one',
    async () => {
      const names = (await done('logs')).trimEnd().split('\n');
      for (const name of ['devnet', 'supervisor', 'northline.example-center', 'chaincode-northline.example'])
        expect(names).toContain(name);
      const lines = (await done('logs', 'supervisor', '--lines', '2')).trimEnd().split('\n');
      expect(lines).toHaveLength(2);
      expect(lines[1]).toMatch(/ ready$/);
      expect(await verb('logs', 'nobody')).toMatchObject({ code: 2, stderr: [expect.stringContaining('nobody')] });
    },
    withinMs,
  );

  test(
    'demo loads the sample and asks each kind of query',
    async () => {
      const figures = JSON.parse(await done('demo', '--json')) as {
        runtime: string;
        records: number;
        trusted: { asked: number; matched: number };
        fast: { trust: string };
        external: { opened: number };
        tamper: { code: string };
        blocks: number;
        anchors: number;
        failover: { acknowledged: number; lost: number };
        rewrite: { code: string };
      };
      const { runtime, trusted: proven, fast, external, tamper, failover, rewrite } = figures;
      expect(figures.records).toBeGreaterThan(0);
      expect(figures.anchors).toBeGreaterThan(0);
      expect(figures.blocks).toBeGreaterThanOrEqual(figures.anchors);
      expect({ runtime, proven, fast, external, tamper, failover, rewrite }).toEqual({
        runtime: 'embedded',
        proven: expect.objectContaining({ asked: figures.records, matched: figures.records }) as object,
        fast: { trust: expect.any(String) as string },
        external: { opened: 1 },
        tamper: { code: 'data-abnormal' },
        failover: { acknowledged: expect.any(Number) as number, lost: 0 },
        rewrite: { code: 'anchor-mismatch' },
      });
      expect(figures.failover.acknowledged).toBeGreaterThan(100);
      await asReader((reader) =>
        reader.submitOne(
          { ...record, schema: 'example/v1', collectionTime: '2026-05-04T09:30:00.000Z', payload: { pallets: 6 } },
          { until: 'anchored' },
        ),
      );
    },
    withinMs,
  );

  test(
    'drills break something, see it noticed, and leave everything well',
    async () => {
      const names = (await done('drill')).trimEnd().split('\n');
      expect(names.map((line) => line.split(' ')[0])).toEqual(['tamper', 'kill-center', 'stop-orderer', 'cut-peer']);
      expect(JSON.parse(await done('drill', 'tamper', '--json'))).toMatchObject({
        drill: 'tamper',
        noticed: 'the asker gets data-abnormal',
      });
      expect(JSON.parse(await done('drill', 'kill-center', '--json'))).toMatchObject({
        drill: 'kill-center',
        broken: expect.stringMatching(/^northline\.example-(center|standby)$/) as string,
        noticed: expect.stringMatching(/^(center|standby) is in office/) as string,
        healed: 'it is back and has every block',
      });
      expect(JSON.parse(await done('drill', 'stop-orderer', '--json'))).toMatchObject({
        drill: 'stop-orderer',
        noticed: expect.stringContaining('nobody orders') as string,
        healed: 'what had waited is anchored',
      });
      expect((await status()).away).toEqual([]);
      expect(await verb('drill', 'flood')).toMatchObject({ code: 2 });
    },
    withinMs,
  );

  test(
    'a supervisor that is killed: status says that the network is down, up ends what was left and goes on',
    async () => {
      const before = await processes();
      process.kill(before.get('supervisor') ?? 0, 'SIGKILL');
      await untilGone([before.get('supervisor') ?? 0]);
      expect(await verb('status', '--json')).toMatchObject({
        code: 1,
        stdout: expect.stringContaining('"code":"unavailable"') as string,
        stderr: [expect.stringContaining('the network is down') as string],
      });
      await done('up', '--json');
      await untilGone(before.values());
      const after = await processes();
      expect([...after.keys()]).toEqual([...before.keys()]);
      expect([...after.values()].filter((pid) => [...before.values()].includes(pid))).toEqual([]);
      expect((await trusted()).records).toHaveLength(1);
    },
    withinMs,
  );

  test(
    'add-org brings an organisation in while everything runs, and again it changes nothing',
    async () => {
      const file = join(repository, 'examples', 'organisation.yaml');
      expect(await done('add-org', file)).toBe('EastbridgeMSP takes part\n');
      const { organisations } = await status();
      expect(organisations.map(({ mspId }) => mspId)).toEqual(['NorthlineMSP', 'SunparcelMSP', 'EastbridgeMSP']);
      for (const { peers, services } of organisations) {
        expect(peers.filter(({ anchor }) => anchor).map(({ name }) => name)).toEqual(['leader']);
        expect(services.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready', 'ready']);
      }
      const before = await processes();
      expect(await done('add-org', file)).toBe('EastbridgeMSP took part already\n');
      expect(await processes()).toEqual(before);

      const other = join(parent, 'other.yaml');
      await writeFile(other, (await readFile(file, 'utf8')).replace('eastbridge.example', 'elsewhere.example'));
      expect(await verb('add-org', other)).toMatchObject({
        code: 2,
        stderr: [expect.stringContaining('takes part already') as string],
      });
    },
    withinMs,
  );

  test(
    'deploy upgrades the chaincode, and again it has nothing to do',
    async () => {
      const upgraded = { name: 'waymark', version: '0.2.0', sequence: 2 };
      expect(JSON.parse(await done('deploy', '--version', '0.2.0', '--json'))).toEqual({ ...upgraded, changed: true });
      expect([...(await processes()).keys()].filter((name) => name.startsWith('chaincode-'))).toEqual([
        'chaincode-eastbridge.example-2',
        'chaincode-northline.example-2',
        'chaincode-sunparcel.example-2',
      ]);
      expect(JSON.parse(await done('deploy', '--version', '0.2.0', '--json'))).toEqual({ ...upgraded, changed: false });
      expect((await status()).chaincode).toEqual(upgraded);
      expect(await verb('deploy', '--version', 'two words')).toMatchObject({ code: 2 });
    },
    withinMs,
  );

  test(
    'down ends everything; up again has all that was there',
    async () => {
      const before = await processes();
      await done('down');
      await untilGone(before.values());
      expect(await processes()).toEqual(new Map());
      expect(await verb('status')).toMatchObject({ code: 1, stderr: [expect.stringContaining('the network is down')] });
      expect((await verb('down')).code).toBe(0);

      await done('up', '--json');
      const { organisations, chaincode } = await status();
      expect(organisations).toHaveLength(3);
      expect(chaincode.version).toBe('0.2.0');
      const { records, trust } = await trusted();
      expect({ trust, ids: records.map(({ cid }) => typeof cid) }).toEqual({ trust: 'anchored', ids: ['string'] });
    },
    withinMs,
  );

  test(
    'what the network was not made as is refused',
    async () => {
      expect(await verb('up', '--runtime', 'native')).toMatchObject({
        code: 2,
        stderr: [expect.stringContaining('was made with --runtime embedded') as string],
      });
      expect(await verb('up', '--topology', 'full')).toMatchObject({
        code: 2,
        stderr: [expect.stringContaining('was made with another topology') as string],
      });
      // An organisation that came later makes it no other one.
      await done('up', '--topology', 's12', '--json');
    },
    withinMs,
  );

  test(
    'clean ends everything, removes what the network made, and names what it leaves',
    async () => {
      const before = await processes();
      await writeFile(join(folder(), 'letter.txt'), 'mine');
      const { code, stderr } = await verb('clean');
      expect({ code, last: stderr.at(-1) }).toEqual({
        code: 0,
        last: `left in ${folder()}, not made by the network: letter.txt`,
      });
      await untilGone(before.values());
      expect(await readdir(folder())).toEqual(['letter.txt']);
      expect(await readFile(join(folder(), 'letter.txt'), 'utf8')).toBe('mine');
      expect(await readControlPlace(layoutOf(folder()))).toBeUndefined();
      expect(await verb('clean')).toMatchObject({ code: 0, stderr: ['there is nothing to remove'] });
      // What is not a network's is no place for one.
      expect(await verb('up', '--runtime', 'embedded')).toMatchObject({ code: 1 });
      expect(await readdir(folder())).toEqual(['letter.txt']);
    },
    withinMs,
  );
});
