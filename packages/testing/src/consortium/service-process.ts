import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const services = join(import.meta.dirname, '../../../../services');

/** A service in a process of its own. */
export interface ServiceProcess {
  readonly process: ChildProcess;
  /** Its ready line. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts `services/<name>/src/main.ts` with a configuration file; stderr goes to `logFile`. */
export async function startServiceProcess(
  name: 'enterprise' | 'department',
  configurationFile: string,
  options: { readonly logFile: string; readonly nodeArgs?: readonly string[] },
): Promise<ServiceProcess> {
  const script = join(services, name, 'src/main.ts');
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', ...(options.nodeArgs ?? []), script, '--config', configurationFile],
    { stdio: ['ignore', 'pipe', openSync(options.logFile, 'a')] },
  );
  const exited = once(child, 'exit') as Promise<[number | null]>;
  if (child.stdout === null) throw new Error('no output');
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([text]) => String(text)),
    exited.then(([code]) => Promise.reject(new Error(`${name} ended with ${String(code)}; see ${options.logFile}`))),
  ]);
  return {
    process: child,
    ready: JSON.parse(line) as Record<string, unknown>,
    end: async (signal) => {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}
