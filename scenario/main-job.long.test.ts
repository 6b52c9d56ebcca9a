import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '..');

interface Ended {
  readonly code: number;
  readonly lastLine: Record<string, unknown>;
  readonly stderr: string;
}

/** Runs what `npm start` runs. */
function start(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(repository, 'scripts', 'start.ts'), ...args],
      { env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const line = stdout.trimEnd().split('\n').at(-1) ?? '';
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, lastLine: JSON.parse(line) as Record<string, unknown>, stderr });
      },
    );
  });
}

describe('the main job (issue 3 point 8)', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waymark-main-job-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('from nothing: all records proven, at most 5 % of raw on the channel, nothing lost with a killed center, tampering found out (S5, S7, S8, S9, D7, D12, P5)', async () => {
    const { code, lastLine, stderr } = await start('--once', '--json', '--data', join(folder, 'data'));
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const { records, payloadBytes, onChainBytes, rawOnChainBytes, coldStartMs, blocks, anchors, ...rest } =
      lastLine as Record<string, number>;
    expect(records).toBeGreaterThanOrEqual(500);
    expect(payloadBytes).toBeGreaterThan(100_000);
    expect(onChainBytes).toBeGreaterThan(1_000);
    expect((onChainBytes ?? 1) / (rawOnChainBytes ?? 1)).toBeLessThanOrEqual(0.05);
    expect(coldStartMs).toBeGreaterThan(0);
    expect(rest).toEqual({
      trusted: { asked: records, matched: records, trust: 'anchored' },
      fast: { trust: 'unverified' },
      external: { opened: 1 },
      tamper: { code: 'data-abnormal' },
      failover: { acknowledged: 300, lost: 0 },
      rewrite: { code: 'anchor-mismatch' },
    });
    expect(anchors).toBeGreaterThan(0);
    expect(blocks).toBeGreaterThan(anchors ?? 0);
  }, 240_000);

  test('a bad input is refused before anything is loaded, with file and place, and a code that is not 0', async () => {
    const file = join(folder, 'bad.json');
    await writeFile(file, '{"@context":[],"type":"EPCISDocument","schemaVersion":"2.0"');
    const { code, lastLine } = await start('--once', '--json', '--input', file);
    expect(code).not.toBe(0);
    expect(lastLine).toMatchObject({ code: 'input-invalid', file });
  }, 120_000);

  test('an option that is not known is said so', async () => {
    const { code, lastLine } = await start('--once', '--json', '--frobnicate');
    expect(code).not.toBe(0);
    expect(lastLine).toMatchObject({ code: 'input-invalid' });
  }, 60_000);
});
