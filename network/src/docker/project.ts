import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Layout } from '../layout.ts';
import { writeWhole } from '../write-whole.ts';
import { composeFileOf, composeText } from './compose-file.ts';
import type { ComposeDocument } from './compose-document.ts';
import { type ContainerEvents, followEvents } from './container-events.ts';
import { type ContainerProcess, containerProcess } from './container-process.ts';
import { volumesService } from './container-names.ts';
import type { Engine } from './engine.ts';

/** The Compose project of one data folder. */
export interface Project {
  readonly name: string;
  /** Writes the compose file; containers that are started from now on are made after it. */
  write(document: ComposeDocument): Promise<void>;
  /** Fetches images that are not on this machine. */
  pull(): Promise<void>;
  /** Makes the volumes that are missing, for the user that containers run as. */
  prepareVolumes(): Promise<void>;
  /** Starts a container, or makes it anew when its part of the file has changed. Others are left alone. */
  start(service: string, processName: string): Promise<ContainerProcess>;
  /** Removes a container that the file does not name any more; one that is not there is no fault. */
  remove(service: string): Promise<void>;
  /** Runs a command in a running container and gives what it prints. @throws WaymarkError `unavailable` */
  run(service: string, command: readonly string[]): Promise<string>;
  close(): void;
}

/** What a command of Compose may take; images are large. */
const composeTimeoutMs = 120_000;
const pullTimeoutMs = 30 * 60_000;
const execTimeoutMs = 10_000;

/** The name of a data folder's project: two folders never share containers. */
export function projectName(root: string): string {
  return `waymark-${createHash('sha256').update(realpathSync(root)).digest('hex').slice(0, 10)}`;
}

/** Opens the project of a data folder that exists. */
export function openProject(engine: Engine, layout: Layout): Project {
  const name = projectName(layout.root);
  const logFile = join(layout.run, 'docker.log');
  const compose = (args: readonly string[], timeoutMs = composeTimeoutMs): Promise<string> =>
    engine.docker(composeArguments(layout, args), { timeoutMs, logFile });
  let events: ContainerEvents | undefined;
  const startAll = together((services) =>
    compose(['up', '--detach', '--no-deps', '--no-build', '--pull', 'never', ...services]),
  );
  return {
    name,
    write: async (document) => {
      await mkdir(dirname(composeFileOf(layout)), { recursive: true, mode: 0o700 });
      await writeWhole(composeFileOf(layout), composeText(document));
    },
    pull: async () => {
      await compose(['pull', '--policy', 'missing', '--ignore-buildable', '--quiet'], pullTimeoutMs);
    },
    prepareVolumes: async () => {
      await compose(['run', '--rm', '--no-deps', '--no-TTY', volumesService]);
    },
    start: async (service, processName) => {
      await startAll(service);
      events ??= followEvents(name);
      return containerProcess(engine, events, processName, containerName(name, service));
    },
    remove: async (service) => {
      await engine.tryDocker(['rm', '--force', containerName(name, service)], { logFile });
    },
    run: (service, command) =>
      engine.docker(['exec', containerName(name, service), ...command], { timeoutMs: execTimeoutMs }),
    close: () => events?.close(),
  };
}

/** Arguments of `docker` that run Compose on a data folder's file. */
export function composeArguments(layout: Layout, args: readonly string[]): string[] {
  return ['compose', '--file', composeFileOf(layout), '--ansi', 'never', ...args];
}

/** As Compose names them. */
function containerName(project: string, service: string): string {
  return `${project}-${service}-1`;
}

/** Calls that come while one is running are done together by the next: one command starts many containers. */
function together(run: (names: readonly string[]) => Promise<unknown>): (name: string) => Promise<void> {
  let waiting: Set<string> | undefined;
  let next: Promise<void> | undefined;
  let running: Promise<unknown> = Promise.resolve();
  return (name) => {
    if (waiting === undefined || next === undefined) {
      const names = (waiting = new Set());
      next = (async () => {
        await running.catch(() => undefined);
        // Those that are asked for in this turn come along.
        await new Promise((resolve) => setImmediate(resolve));
        waiting = undefined;
        running = run([...names]);
        await running;
      })();
    }
    waiting.add(name);
    return next;
  };
}
