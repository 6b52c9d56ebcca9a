import { jest } from '@jest/globals';
import { WaymarkError } from '@waymark/protocol';
import type { Consortium } from '../../src/consortium.ts';
import { type Keeper, keepRunning } from '../../src/control/keeper.ts';
import type { RunningProcess } from '../../src/processes.ts';

/** A process that ends when it is told to, and counts for nothing else. */
interface FakeProcess extends RunningProcess {
  end(code?: number): void;
  readonly alive: boolean;
}

let nextPid = 1;
function fakeProcess(name: string): FakeProcess {
  const { promise, resolve } = Promise.withResolvers<{ code: number | null; signal: NodeJS.Signals | null }>();
  const state = { alive: true };
  const end = (code: number | null, signal: NodeJS.Signals | null = null): void => {
    state.alive = false;
    resolve({ code, signal });
  };
  return {
    name,
    pid: nextPid++,
    ready: {},
    exited: promise,
    end: (code = 1) => end(code),
    kill: (signal) => end(null, signal),
    stop: () => {
      end(0);
      return Promise.resolve();
    },
    get alive() {
      return state.alive;
    },
  };
}

describe('a keeper', () => {
  let running: FakeProcess[];
  let restarts: string[];
  /** What a restart waits for, or fails with. */
  let restarting: (name: string) => Promise<void>;
  let said: string[];
  let keeper: Keeper;
  const find = (name: string): FakeProcess => {
    const found = running.find((process) => process.name === name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  const replace = (name: string): void => {
    running = running.map((process) => (process.name === name ? fakeProcess(name) : process));
  };
  const after = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

  beforeEach(() => {
    jest.useFakeTimers();
    running = ['center', 'outlet'].map(fakeProcess);
    restarts = [];
    restarting = () => Promise.resolve();
    said = [];
    const consortium = {
      processes: () => running,
      restart: async (name: string) => {
        await find(name).exited;
        restarts.push(name);
        await restarting(name);
        replace(name);
      },
    } as unknown as Consortium;
    keeper = keepRunning(
      consortium,
      (text) => said.push(text),
      (waitMs) => new Promise((resolve) => setTimeout(resolve, waitMs)),
    );
  });
  afterEach(() => {
    keeper.stop();
    jest.useRealTimers();
  });

  test('starts again what ends unasked, and nothing else', async () => {
    find('center').end(7);
    await after(0);
    expect(keeper.away).toEqual(['center']);
    await after(499);
    expect(restarts).toEqual([]);
    await after(1);
    expect(restarts).toEqual(['center']);
    expect(find('center').alive).toBe(true);
    expect(keeper.away).toEqual([]);
    expect(said).toEqual(['center ended (7); it is started again']);
  });

  test('waits twice as long each time it ends soon again, and half a minute at most', async () => {
    for (const waitMs of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      const before = restarts.length;
      find('center').end();
      await after(waitMs - 1);
      expect(restarts).toHaveLength(before);
      await after(1);
      expect(restarts).toHaveLength(before + 1);
    }
  });

  test('begins with the short wait again after a minute without a fault', async () => {
    for (let round = 0; round < 4; round += 1) {
      find('center').end();
      await after(30_000);
    }
    await after(60_001);
    find('center').end();
    await after(500);
    expect(restarts).toHaveLength(5);
  });

  test('goes on trying when a start fails', async () => {
    restarting = () => Promise.reject(new WaymarkError('unavailable', 'port taken'));
    find('center').end();
    await after(500);
    expect(said.at(-2)).toBe('center did not start: port taken');
    restarting = () => Promise.resolve();
    await after(1_000);
    expect(find('center').alive).toBe(true);
    expect(restarts).toEqual(['center', 'center']);
  });

  test('leaves away what was halted, until it is resumed', async () => {
    await keeper.halt('center');
    await after(120_000);
    expect(restarts).toEqual([]);
    expect(keeper.away).toEqual(['center']);
    await keeper.resume('center');
    expect(keeper.away).toEqual([]);
    // And looks after it again.
    find('center').end();
    await after(500);
    expect(restarts).toEqual(['center', 'center']);
  });

  test('resumes everything that was halted, at once', async () => {
    await keeper.halt('center');
    await keeper.halt('outlet');
    expect(await keeper.resumeAll()).toEqual(['center', 'outlet']);
    expect(running.map(({ alive }) => alive)).toEqual([true, true]);
    expect(await keeper.resumeAll()).toEqual([]);
  });

  test('a process that is halted while it waits for its start stays away', async () => {
    find('center').end();
    await after(100);
    await keeper.halt('center');
    await after(60_000);
    expect(restarts).toEqual([]);
    expect(keeper.away).toContain('center');
  });

  test('a process that is halted while it is being started is ended, and can be resumed', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    restarting = () => promise;
    find('center').end();
    await after(500);
    await keeper.halt('center');
    resolve(undefined);
    await after(60_000);
    expect(find('center').alive).toBe(false);
    expect(restarts).toEqual(['center']);
    restarting = () => Promise.resolve();
    await keeper.resume('center');
    expect(find('center').alive).toBe(true);
  });

  test('what runs cannot be resumed, and what is not there cannot be halted', async () => {
    await expect(keeper.resume('center')).rejects.toMatchObject({ code: 'input-invalid' });
    await expect(keeper.halt('nobody')).rejects.toMatchObject({ code: 'input-invalid' });
  });

  test('does not start again what an operation ended or replaced, and looks after what the operation started', async () => {
    await keeper.during(async () => {
      find('outlet').end();
      running = running.filter(({ name }) => name !== 'outlet');
      find('center').end();
      await after(5_000);
      replace('center');
      running.push(fakeProcess('another'));
    });
    await after(60_000);
    expect(restarts).toEqual([]);
    find('another').end();
    find('center').end();
    await after(500);
    expect(restarts.toSorted()).toEqual(['another', 'center']);
  });

  test('starts again what ended by accident during an operation, once that is over', async () => {
    await keeper.during(async () => {
      find('outlet').end();
      await after(5_000);
      expect(restarts).toEqual([]);
    });
    await after(500);
    expect(restarts).toEqual(['outlet']);
  });

  test('does one operation after another, also when one fails', async () => {
    const order: string[] = [];
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const first = keeper.during(async () => {
      order.push('first begins');
      await promise;
      order.push('first ends');
      throw new WaymarkError('refused', 'no');
    });
    const second = keeper.during(() => {
      order.push('second');
      return Promise.resolve('done');
    });
    await after(1_000);
    resolve(undefined);
    await expect(first).rejects.toMatchObject({ code: 'refused' });
    expect(await second).toBe('done');
    expect(order).toEqual(['first begins', 'first ends', 'second']);
  });

  test('starts nothing again once it is stopped', async () => {
    find('outlet').end();
    await after(100);
    keeper.stop();
    find('center').end();
    await after(60_000);
    expect(restarts).toEqual([]);
  });
});
