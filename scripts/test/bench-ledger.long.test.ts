import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findProgram } from '@waymark/fabric-nodes';

const script = join(import.meta.dirname, '..', 'bench.ts');
const isThere = findProgram('etcd') !== undefined;
const withEtcd = isThere ? test : test.skip;
const reason = isThere ? '' : ' (skipped: etcd is not on PATH)';
if (!isThere) process.stderr.write('the comparison with etcd is skipped: etcd is not on PATH\n');

/** Where the benchmark puts its temporary folder. */
let scratch: string;
beforeEach(() => (scratch = mkdtempSync(join(tmpdir(), 'waymark-bench-test-'))));
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

function start(args: readonly string[], path = process.env['PATH']): ChildProcess {
  return spawn(process.execPath, [script, 'ledger', '--json', ...args], {
    env: { ...process.env, TMPDIR: scratch, PATH: path },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function outcome(child: ChildProcess): Promise<{ code: unknown; stdout: string; stderr: string }> {
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (piece: Buffer) => (stdout += piece.toString()));
  child.stderr?.on('data', (piece: Buffer) => (stderr += piece.toString()));
  const [code] = (await once(child, 'close')) as [unknown];
  return { code, stdout, stderr };
}

/** Processes whose command line names the temporary folder. */
function leftOver(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter((line) => line.includes(scratch));
}

describe('bench ledger', () => {
  test('without etcd it ends with 2 and says what is missing', async () => {
    const { code, stdout, stderr } = await outcome(start([], dirname(process.execPath)));
    expect(code).toBe(2);
    expect(stderr).toContain('etcd is not on PATH');
    expect(JSON.parse(stdout)).toMatchObject({ code: 'program-missing' });
  }, 60_000);

  withEtcd(
    `both profiles and all workloads, whatever the figures of a second are${reason}`,
    async () => {
      const { code, stdout, stderr } = await outcome(start(['--rounds', '1', '--seconds', '1']));
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      const number = expect.any(Number) as number;
      const figures = { ours: number, peer: number, ratioMedian: number, ratioLowerQuartile: number };
      const measured = expect.objectContaining({ ...figures, p99Ms: number, peerP99Ms: number }) as object;
      const profile = { single1: measured, single64: measured, batched: measured };
      expect(JSON.parse(stdout)).toMatchObject({
        name: 'ledger',
        rounds: 1,
        peer: expect.stringMatching(/^etcd \d/) as string,
        profiles: { trusted: profile, lying: profile },
      });
      // Every acknowledged record is there: with fewer the run would have failed.
      expect(stderr.match(/records acknowledged, the members hold/g)).toHaveLength(3);
      expect(readdirSync(scratch)).toEqual([]);
      if (process.platform === 'linux') expect(leftOver()).toEqual([]);
    },
    240_000,
  );

  withEtcd(
    `interrupted in a round, it leaves no process and no folder${reason}`,
    async () => {
      const child = start(['--rounds', '100', '--seconds', '1']);
      const ended = outcome(child);
      child.stderr?.on('data', (piece: Buffer) => {
        if (piece.toString().includes('single1, round 1')) child.kill('SIGINT');
      });
      const { code, stdout } = await ended;
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({ message: 'interrupted' });
      expect(readdirSync(scratch)).toEqual([]);
      if (process.platform === 'linux') expect(leftOver()).toEqual([]);
    },
    120_000,
  );
});
