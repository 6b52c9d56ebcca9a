import { setTimeout as delay } from 'node:timers/promises';
import type { RunningProcess } from '../processes.ts';
import type { ContainerEvents } from './container-events.ts';
import type { Engine } from './engine.ts';

/** A container as a process of the network, with the end of what it wrote. */
export interface ContainerProcess extends RunningProcess {
  /** Name of the container. */
  readonly container: string;
  lastWords(): Promise<string>;
}

interface ContainerState {
  readonly Status: string;
  readonly Pid: number;
  readonly ExitCode: number;
}

const stopGraceSeconds = 20;
const stopTimeoutMs = 60_000;
/** Events may be missed while the engine is away. */
const lookAgainMs = 60_000;
const killedCode = 137;

/** What the engine says of a container; undefined when it does not answer. */
async function containerState(engine: Engine, container: string): Promise<ContainerState | undefined> {
  const { code, stdout, stderr } = await engine.tryDocker(['inspect', '--format', '{{json .State}}', container]);
  if (code === 0) return JSON.parse(stdout) as ContainerState;
  return /no such/i.test(stderr) ? { Status: 'removed', Pid: 0, ExitCode: 0 } : undefined;
}

const endedStates = new Set(['exited', 'dead', 'removed']);

/**
 * Follows a container that was started. One that crashes is started again by the engine, as its restart policy has it: it has
 * ended only when nobody starts it again, which is so after `stop` and `kill`.
 */
export async function containerProcess(
  engine: Engine,
  events: ContainerEvents,
  name: string,
  container: string,
): Promise<ContainerProcess> {
  const state = await containerState(engine, container);
  const orders = inTurn();
  return {
    name,
    container,
    pid: state?.Pid ?? 0,
    ready: {},
    exited: untilEnded(engine, events, container),
    stop: async (graceMs = stopGraceSeconds * 1000) => {
      const seconds = String(Math.ceil(graceMs / 1000));
      await orders(async () => {
        await engine.tryDocker(['unpause', container]);
        await engine.tryDocker(['stop', '--time', seconds, container], { timeoutMs: graceMs + stopTimeoutMs });
      });
    },
    kill: (signal) => void orders(() => engine.tryDocker(signalCommand(signal, container)).catch(() => undefined)),
    lastWords: () => lastWords(engine, container),
  };
}

/** A stopped process is a paused container: its init process would stop alone, and the program go on. */
function signalCommand(signal: NodeJS.Signals, container: string): string[] {
  if (signal === 'SIGSTOP') return ['pause', container];
  if (signal === 'SIGCONT') return ['unpause', container];
  return ['kill', '--signal', signal, container];
}

async function untilEnded(
  engine: Engine,
  events: ContainerEvents,
  container: string,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  for (;;) {
    const again = new AbortController();
    const event = events.next(container);
    const state = await containerState(engine, container).catch(() => undefined);
    if (state !== undefined && endedStates.has(state.Status)) {
      return state.ExitCode === killedCode ? { code: null, signal: 'SIGKILL' } : { code: state.ExitCode, signal: null };
    }
    await Promise.race([event, delay(lookAgainMs, undefined, { signal: again.signal }).catch(() => undefined)]);
    again.abort();
  }
}

const complaint = /\b(PANI|FATA|ERRO)\b|^panic:|^Error:|ERROR|"level":"(error|fatal)"/;

async function lastWords(engine: Engine, container: string): Promise<string> {
  const { stdout, stderr } = await engine.tryDocker(['logs', '--tail', '200', container]);
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
  const line = lines.findLast((one) => complaint.test(one)) ?? lines.at(-1) ?? '';
  return `${line.slice(0, 2_000)} (log: docker logs ${container})`;
}

/** One order after another. */
function inTurn(): (order: () => Promise<unknown>) => Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  return async (order) => {
    const next = last.then(order, order);
    last = next.catch(() => undefined);
    await next;
  };
}
