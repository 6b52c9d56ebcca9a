import { setTimeout as delay } from 'node:timers/promises';
import { WaymarkError } from '@waymark/protocol';
import type { Consortium } from '../consortium.ts';
import type { RunningProcess } from '../processes.ts';

const firstWaitMs = 500;
const longestWaitMs = 30_000;
/** A process that has run so long is well again: its next end is a first one. */
const wellAfterMs = 60_000;

/** Keeps a consortium's processes running. */
export interface Keeper {
  /** Kills a process and leaves it away. */
  halt(name: string): Promise<void>;
  /** Brings back a process that was halted. */
  resume(name: string): Promise<void>;
  /** Brings back everything that was halted. Gives the names. */
  resumeAll(): Promise<readonly string[]>;
  /** Names of those that are away. */
  readonly away: readonly string[];
  /** Does something that ends and starts processes itself, one such thing at a time, and then looks after what runs. */
  during<T>(act: () => Promise<T>): Promise<T>;
  stop(): void;
}

/**
 * Starts again what ends unasked, after a wait that grows while it goes on ending.
 *
 * @param wait resolves after so many milliseconds
 */
export function keepRunning(
  consortium: Consortium,
  say: (text: string) => void,
  wait: (waitMs: number) => Promise<unknown> = delay,
): Keeper {
  const watched = new Map<string, RunningProcess>();
  const halted = new Set<string>();
  const restarting = new Set<string>();
  const state = { stopped: false };
  let busy: Promise<unknown> = Promise.resolve();

  const find = (name: string): RunningProcess => {
    const found = consortium.processes().find((process) => process.name === name);
    if (found === undefined) throw new WaymarkError('input-invalid', `there is no process ${name}`);
    return found;
  };
  const runs = ({ name, pid }: RunningProcess): boolean =>
    consortium.processes().some((process) => process.name === name && process.pid === pid);
  const isOver = (name: string): boolean => state.stopped || halted.has(name);
  const quiet = async (): Promise<void> => {
    for (let seen: Promise<unknown> | undefined; seen !== busy;) {
      seen = busy;
      await seen;
    }
  };
  const follow = async (process: RunningProcess): Promise<void> => {
    const { name } = process;
    let current = process;
    for (let waitMs = firstWaitMs; ;) {
      const startedMs = Date.now();
      const { code, signal } = await current.exited;
      await quiet();
      // Somebody else has put another one in its place, or wants none.
      if (isOver(name) || watched.get(name) !== current || !runs(current)) return;
      if (Date.now() - startedMs > wellAfterMs) waitMs = firstWaitMs;
      say(`${name} ended (${String(code ?? signal)}); it is started again`);
      restarting.add(name);
      try {
        await wait(waitMs);
        if (isOver(name)) return;
        await consortium.restart(name);
        current = find(name);
        // Halted while it was coming back.
        if (halted.has(name)) current.kill('SIGKILL');
        watched.set(name, current);
      } catch (error) {
        say(`${name} did not start: ${error instanceof Error ? error.message : String(error)}`);
      } finally {
        restarting.delete(name);
      }
      waitMs = Math.min(waitMs * 2, longestWaitMs);
    }
  };
  const watch = (): void => {
    for (const process of consortium.processes()) {
      const { name } = process;
      if (halted.has(name) || restarting.has(name) || watched.get(name)?.pid === process.pid) continue;
      watched.set(name, process);
      void follow(process);
    }
  };
  const resume = async (name: string): Promise<void> => {
    if (!halted.has(name)) throw new WaymarkError('input-invalid', `${name} was not halted`);
    await consortium.restart(name);
    halted.delete(name);
    watch();
  };
  watch();
  return {
    during: async (act) => {
      const acting = busy.then(act);
      busy = acting.catch(() => undefined);
      try {
        return await acting;
      } finally {
        watch();
      }
    },
    halt: async (name) => {
      const process = find(name);
      halted.add(name);
      process.kill('SIGKILL');
      await process.exited;
    },
    resume,
    resumeAll: async () => {
      const names = [...halted];
      for (const name of names) await resume(name);
      return names;
    },
    get away() {
      return [...halted, ...restarting];
    },
    stop: () => {
      state.stopped = true;
    },
  };
}
