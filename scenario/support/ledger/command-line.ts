import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadProfile } from '@waymark/sdk';
import type { Firm, RunningConsortium } from '../running-consortium.ts';

const repository = join(import.meta.dirname, '..', '..', '..');

/** What a command came to: its exit code and the one line of its `--json`. */
export interface Outcome {
  readonly code: number;
  readonly result: Record<string, unknown>;
}

/** Runs `waymark ARGS --json` as the shipped program, with a profile. */
export function waymark(profile: string, ...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(repository, 'packages', 'sdk', 'bin', 'waymark.js'), ...args, '--json', '--profile', profile],
      { maxBuffer: 64 * 1024 * 1024 },
      (error, stdout) => {
        const line = stdout.trimEnd().split('\n').at(-1) ?? '';
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, result: JSON.parse(line === '' ? '{}' : line) as Record<string, unknown> });
      },
    );
  });
}

/** Writes a profile for the firm's administrator. @returns its file */
export async function administratorProfile(
  { folder: base, consortium }: RunningConsortium,
  firm: Firm,
): Promise<string> {
  const admin = await firm.admin();
  const folder = join(base, 'administrator');
  await mkdir(folder, { mode: 0o700 });
  const profile = {
    ...loadProfile(consortium.layout.node(firm.organisation, 'reader').profile),
    identity: { certificateFile: 'certificate.pem', privateKeyFile: 'private-key.pem' },
  };
  await writeFile(join(folder, 'certificate.pem'), admin.certificatePem);
  await writeFile(join(folder, 'private-key.pem'), admin.privateKeyPem, { mode: 0o600 });
  // JSON is YAML.
  await writeFile(join(folder, 'profile.yaml'), JSON.stringify(profile));
  return join(folder, 'profile.yaml');
}
