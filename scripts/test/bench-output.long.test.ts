import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** The result lines have the form that others read; the figures of a second mean nothing. */
async function result(...args: readonly string[]): Promise<Record<string, unknown>> {
  const script = join(import.meta.dirname, '..', 'bench.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args, '--json', '--rounds', '1'], {
    // Without Fabric's programs: the case that every machine has.
    env: { ...process.env, PATH: dirname(process.execPath) },
  });
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('what benchmarks print', () => {
  test('devnet, alone where Fabric is not on PATH (issue 4 point 6)', async () => {
    expect(await result('devnet', '--seconds', '2')).toMatchObject({
      name: 'devnet',
      rounds: 1,
      devnet: { submitPerSecond: expect.any(Number) as number, evaluatePerSecond: expect.any(Number) as number },
      fabric: null,
      ratioMedian: null,
    });
  }, 120_000);

  test('rsl-core, for batches of 1 to 4,096 (issue 6 point 7)', async () => {
    const { name, batches } = await result('rsl-core', '--seconds', '1');
    expect(name).toBe('rsl-core');
    expect(batches).toEqual(
      [1, 8, 64, 512, 4096].map(
        (batch) => expect.objectContaining({ batch, recordsPerSecond: expect.any(Number) as number }) as object,
      ),
    );
  }, 120_000);

  test('ledger-log, for batches of 1, 64 and 512 (issue 7 point 1)', async () => {
    const { name, batches } = await result('ledger-log', '--seconds', '1');
    expect(name).toBe('ledger-log');
    const figures = { recordsPerSecond: expect.any(Number) as number, ratioMedian: expect.any(Number) as number };
    expect(batches).toEqual([1, 64, 512].map((batch) => expect.objectContaining({ batch, ...figures }) as object));
  }, 120_000);
});
