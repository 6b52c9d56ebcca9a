import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { commandEnvironment } from './run-command.ts';

/** Tells when containers of one Compose project have ended. */
export interface ContainerEvents {
  /** Resolves at the next end of a container, or when one may have been missed; what is so then is to be asked. */
  next(container: string): Promise<void>;
  close(): void;
}

const reconnectMs = 1_000;

/** Follows the engine's events with one process for all containers of a project. */
export function followEvents(project: string): ContainerEvents {
  const waiting = new Map<string, Set<() => void>>();
  const closing = new AbortController();
  const isClosed = (): boolean => closing.signal.aborted;
  let child: ChildProcess | undefined;
  const wake = (container: string): void => {
    const woken = waiting.get(container) ?? [];
    waiting.delete(container);
    for (const resolve of woken) resolve();
  };
  const follow = async (): Promise<void> => {
    while (!isClosed()) {
      const following = spawn(
        'docker',
        [
          'events',
          ...['--format', '{{.Actor.Attributes.name}}'],
          ...['--filter', 'type=container', '--filter', 'event=die'],
          ...['--filter', `label=com.docker.compose.project=${project}`],
        ],
        { env: commandEnvironment(), stdio: ['ignore', 'pipe', 'ignore'] },
      );
      child = following;
      const ended = new Promise<void>((resolve) => {
        following.once('error', () => resolve());
        following.once('close', () => resolve());
      });
      createInterface({ input: following.stdout }).on('line', wake);
      await ended;
      if (isClosed()) return;
      // The engine went away, or was restarted: everybody looks again.
      await delay(reconnectMs);
      for (const container of [...waiting.keys()]) wake(container);
    }
  };
  void follow();
  return {
    next: (container) =>
      new Promise((resolve) => {
        const others = waiting.get(container) ?? new Set();
        waiting.set(container, others.add(resolve));
      }),
    close: () => {
      closing.abort();
      child?.kill('SIGTERM');
    },
  };
}
