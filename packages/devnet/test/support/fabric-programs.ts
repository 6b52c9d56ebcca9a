import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** Full path of one of Fabric's programs, or undefined when it is not on PATH. */
export function fabricProgram(name: string): string | undefined {
  for (const dir of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(dir, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** `describe`, or one that is skipped and says which of Fabric's programs is missing. */
export function describeWithFabric(name: string, programs: readonly string[], body: () => void): void {
  const missing = programs.filter((program) => fabricProgram(program) === undefined);
  if (missing.length === 0) describe(name, body);
  else describe.skip(`${name} (skipped: not on PATH: ${missing.join(', ')})`, body);
}

/** Runs a program of Fabric's and gives its standard output; throws with its error output when it fails. */
export async function runFabric(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)(fabricProgram(program) ?? program, [...args], {
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}
