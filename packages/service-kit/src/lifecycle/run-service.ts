import { isWaymarkError } from '@waymark/protocol';
import type { Logger } from '../log/logger.ts';
import type { Component } from './component.ts';
import { exitCodes } from './exit-codes.ts';

/** What a service listens for. */
export type ProcessEvent = 'SIGTERM' | 'SIGINT' | 'uncaughtException' | 'unhandledRejection';

/** What of the process a service needs; tests give their own. */
export interface ProcessEvents {
  on(event: ProcessEvent, listener: (value: unknown) => void): void;
  off(event: ProcessEvent, listener: (value: unknown) => void): void;
  exit(code: number): void;
}

const thisProcess: ProcessEvents = {
  on: (event, listener) => void process.on(event as 'SIGTERM', listener),
  off: (event, listener) => void process.off(event, listener),
  exit: (code) => process.exit(code),
};

/** What a service process consists of. */
export interface ServiceOptions {
  readonly logger: Logger;
  /** Started in this order, stopped in the reverse. */
  readonly components: readonly Component[];
  /** Time to stop everything in. Default 15,000. */
  readonly shutdownDeadlineMs?: number;
  /** Default: this process. */
  readonly process?: ProcessEvents;
}

/** A service that runs. */
export interface RunningService {
  /** Stops it as SIGTERM would, without ending the process. */
  stop(): Promise<void>;
}

/**
 * Starts the components and stays up until SIGTERM or SIGINT, then stops them and exits with 0. A second signal exits at
 * once. A fault that nothing handled ends the process with 70 without further ado: its state can no longer be trusted.
 *
 * @throws what a component's start threw, after stopping those before it
 */
export async function runService(options: ServiceOptions): Promise<RunningService> {
  const { logger, components, shutdownDeadlineMs = 15_000, process: events = thisProcess } = options;
  const started: Component[] = [];
  let stopping: Promise<boolean> | undefined;

  const stop = (): Promise<boolean> => (stopping ??= stopAll(started, logger, shutdownDeadlineMs));
  const onSignal = (value: unknown): void => {
    const signal = String(value);
    if (stopping !== undefined) {
      logger.warn('stopped without waiting', { signal });
      events.exit(exitCodes.failed);
      return;
    }
    logger.info('stopping', { signal });
    void stop().then((clean) => events.exit(clean ? exitCodes.stopped : exitCodes.failed));
  };
  const onFault = (error: unknown): void => {
    logger.error('a fault that nothing handled', { error, exitCode: exitCodes.crashed });
    events.exit(exitCodes.crashed);
  };
  const listeners: Readonly<Record<ProcessEvent, (value: unknown) => void>> = {
    SIGTERM: onSignal,
    SIGINT: onSignal,
    uncaughtException: onFault,
    unhandledRejection: onFault,
  };
  const entries = Object.entries(listeners) as [ProcessEvent, (value: unknown) => void][];
  for (const [event, listener] of entries) events.on(event, listener);
  const detach = (): void => {
    for (const [event, listener] of entries) events.off(event, listener);
  };

  try {
    for (const component of components) {
      started.push(component);
      await component.start();
      logger.debug('component started', { component: component.name });
    }
  } catch (error) {
    logger.error('cannot start', { component: started.at(-1)?.name, error });
    await stop();
    detach();
    throw error;
  }
  logger.info('ready', { count: components.length });
  return {
    async stop() {
      await stop();
      detach();
    },
  };
}

/** The exit code for a service that could not start. */
export function exitCodeOf(error: unknown): number {
  return isWaymarkError(error, 'configuration-invalid') ? exitCodes.configurationInvalid : exitCodes.failed;
}

async function stopAll(started: readonly Component[], logger: Logger, deadlineMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), deadlineMs);
  });
  const clean = await Promise.race([stopInTurn(started, logger), late]);
  clearTimeout(timer);
  if (clean) logger.info('stopped');
  else logger.error('not stopped in time or with faults', { durationMs: deadlineMs });
  return clean;
}

async function stopInTurn(started: readonly Component[], logger: Logger): Promise<boolean> {
  let clean = true;
  for (const component of started.toReversed()) {
    try {
      await component.stop();
    } catch (error) {
      clean = false;
      logger.error('a component did not stop', { component: component.name, error });
    }
  }
  return clean;
}
