import type { Component, Logger } from '@waymark/service-kit';
import { createLogger } from '@waymark/service-kit';

/** A service of ours that runs in this process. */
export interface TestService<Config> {
  readonly config: Config;
  /** Its configuration file, for a process of its own. */
  readonly file: string;
  /** Ports, once started. */
  readonly ports: { readonly grpc: number; readonly api: number; readonly operations: number };
  /** What it has logged so far, one JSON line each. */
  readonly log: readonly string[];
  start(): Promise<void>;
  /** Stops it as SIGTERM would. It can be started again on the same folder. */
  stop(): Promise<void>;
}

interface Composed {
  readonly components: readonly Component[];
  readonly ports: () => { grpc: number; api: number; operations: number };
}

/** Wraps a composition root so that a test starts and stops it like a process. */
export function testService<Config>(parts: {
  readonly name: string;
  readonly config: Config;
  readonly file: string;
  readonly compose: (config: Config, logger: Logger) => Promise<Composed>;
}): TestService<Config> {
  const log: string[] = [];
  const logger = createLogger({
    service: parts.name,
    level: 'debug',
    destination: { write: (line: string) => void log.push(line) },
  });
  let running: { composed: Composed; started: Component[] } | undefined;

  async function stop(): Promise<void> {
    const stopping = running;
    running = undefined;
    for (const component of stopping?.started.toReversed() ?? []) await component.stop();
  }

  return {
    config: parts.config,
    file: parts.file,
    log,
    get ports() {
      if (running === undefined) throw new Error(`${parts.name} is not running`);
      return running.composed.ports();
    },
    async start() {
      const composed = await parts.compose(parts.config, logger);
      running = { composed, started: [] };
      try {
        for (const component of composed.components) {
          running.started.push(component);
          await component.start();
        }
      } catch (error) {
        await stop();
        throw error;
      }
    },
    stop,
  };
}
