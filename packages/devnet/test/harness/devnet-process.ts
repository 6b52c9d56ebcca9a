import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { NetworkDescription } from '../../src/cli/describe-network.ts';
import { connectClient, type TestClient } from './client.ts';

const BIN = join(import.meta.dirname, '../../bin/waymark-devnet.js');

/** The command in a process of its own. */
export interface DevnetProcess {
  readonly process: ChildProcess;
  /** The JSON line; undefined when the process ended without one. */
  readonly description: NetworkDescription;
  /** What it wrote to stderr so far. */
  stderr(): string;
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

export class CommandFailed extends Error {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;

  constructor(exitCode: number | null, stdout: string, stderr: string) {
    super(`the command ended with ${exitCode}: ${stderr}`);
    this.exitCode = exitCode;
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

/** Resolves when the network is up. Rejects with CommandFailed when the command ends before that. */
export async function runDevnet(...args: readonly string[]): Promise<DevnetProcess> {
  const child = spawn(process.execPath, [BIN, '--json', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, 'line').then(([line]) => String(line)), exited.then(() => undefined)]);
  if (first === undefined || first.startsWith('{"code"')) {
    const [exitCode] = await exited;
    throw new CommandFailed(exitCode, first ?? '', stderr);
  }
  return {
    process: child,
    description: JSON.parse(first) as NetworkDescription,
    stderr: () => stderr,
    kill: async (signal) => {
      child.kill(signal);
      const [exitCode] = await exited;
      return exitCode;
    },
  };
}

/** A client made of nothing but the paths in the description. */
export async function connectDescribed(network: NetworkDescription, mspId: string): Promise<TestClient> {
  const organisation = network.organisations.find((candidate) => candidate.mspId === mspId);
  if (organisation === undefined) throw new Error(`no ${mspId}`);
  const { gateway, user } = organisation;
  const read = (path: string) => readFile(path, 'utf8');
  return connectClient(
    {
      name: gateway.hostName,
      ...gateway,
      tlsRootCertPem: await read(gateway.tlsRootCertPath),
    },
    { mspId, certificatePem: await read(user.certificatePath), privateKeyPem: await read(user.privateKeyPath) },
  );
}
