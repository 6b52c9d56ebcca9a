import { randomUUID } from 'node:crypto';
import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import type { Component } from '@waymark/service-kit';

/** Finished tasks that are remembered. */
const maxRemembered = 16;

/** Work that takes longer than a request may. */
export interface TaskState {
  readonly id: string;
  readonly kind: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly startedAt: string;
  /** When it is done. */
  readonly result?: object;
  /** When it failed. */
  readonly problem?: { readonly code: string; readonly message: string };
}

/** Long work of one member, one at a time. */
export interface Tasks extends Component {
  /**
   * Starts work, or joins work of the same name that is under way.
   * @param name what makes it the same
   * @throws WaymarkError unavailable: something else is under way
   */
  begin(kind: string, name: string, run: (signal: AbortSignal) => Promise<object>): TaskState;
  /** @throws WaymarkError refused: there is none, or it was forgotten */
  state(id: string): TaskState;
}

/** @param maxDurationMs after which work is given up */
export function createTasks(maxDurationMs: number, nowMs: () => number): Tasks {
  const known = new Map<string, TaskState>();
  const stopping = new AbortController();
  let running: { readonly id: string; readonly name: string; readonly ended: Promise<void> } | undefined;

  const state = (id: string): TaskState => {
    const task = known.get(id);
    if (task === undefined) throw new WaymarkError('refused', 'There is no such task here.');
    return task;
  };
  return {
    name: 'ledger-tasks',
    start: () => undefined,
    async stop() {
      stopping.abort(new WaymarkError('unavailable', 'The service is stopping.'));
      await running?.ended;
    },
    begin(kind, name, run) {
      if (running?.name === name) return state(running.id);
      if (running !== undefined || stopping.signal.aborted)
        throw new WaymarkError('unavailable', 'This member is busy with another check or backup; try again later.');
      const id = randomUUID();
      const task: TaskState = { id, kind, state: 'running', startedAt: new Date(nowMs()).toISOString() };
      known.set(id, task);
      for (const oldest of [...known.keys()].slice(0, -maxRemembered)) known.delete(oldest);
      const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(maxDurationMs)]);
      const ended = run(signal)
        .then((result) => void known.set(id, { ...task, state: 'done', result }))
        .catch((error: unknown) => void known.set(id, { ...task, state: 'failed', problem: problemOf(error) }))
        .finally(() => {
          running = undefined;
        });
      running = { id, name, ended };
      return task;
    },
    state,
  };
}

function problemOf(error: unknown): { code: string; message: string } {
  if (isWaymarkError(error)) return { code: error.code, message: error.message };
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return { code: 'limit-exceeded', message: 'It took too long and was given up.' };
  return { code: 'internal', message: 'An unexpected fault.' };
}
