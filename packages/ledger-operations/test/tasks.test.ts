import { WaymarkError } from '@waymark/protocol';
import { createTasks, type TaskState } from '../src/tasks/tasks.ts';

const make = (maxDurationMs = 60_000) => createTasks(maxDurationMs, () => 0);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a task runs, and its result is there when it is done', async () => {
  const tasks = make();
  const work = Promise.withResolvers<object>();
  const { id } = tasks.begin('verify', 'verify', () => work.promise);
  expect(tasks.state(id)).toMatchObject({ kind: 'verify', state: 'running', startedAt: '1970-01-01T00:00:00.000Z' });
  work.resolve({ valid: true });
  await turn();
  expect(tasks.state(id)).toMatchObject({ state: 'done', result: { valid: true } });
});

test('one task runs at a time; the same one again is joined, another is told to come later', async () => {
  const tasks = make();
  const work = Promise.withResolvers<object>();
  let runs = 0;
  const run = (): Promise<object> => {
    runs += 1;
    return work.promise;
  };
  const first = tasks.begin('verify', 'verify', run);
  expect(tasks.begin('verify', 'verify', run).id).toBe(first.id);
  expect(() => tasks.begin('backup', 'backup one', run)).toThrow(
    expect.objectContaining({ code: 'unavailable' }) as Error,
  );
  work.resolve({});
  await turn();
  expect(tasks.begin('verify', 'verify', run).id).not.toBe(first.id);
  expect(runs).toBe(2);
});

test('a failure is told by its code, an unexpected one only as such', async () => {
  const tasks = make();
  const failing = async (error: Error): Promise<TaskState> => {
    const { id } = tasks.begin('verify', 'verify', () => Promise.reject(error));
    await turn();
    return tasks.state(id);
  };
  expect(await failing(new WaymarkError('unavailable', 'The channel does not answer.'))).toMatchObject({
    state: 'failed',
    problem: { code: 'unavailable', message: 'The channel does not answer.' },
  });
  expect((await failing(new Error('secret'))).problem).toEqual({ code: 'internal', message: 'An unexpected fault.' });
});

test('old tasks are forgotten, and an unknown one is refused', async () => {
  const tasks = make();
  const ids: string[] = [];
  for (let index = 0; index < 17; index += 1) {
    ids.push(tasks.begin('verify', 'verify', () => Promise.resolve({})).id);
    await turn();
  }
  expect(() => tasks.state(ids[0] ?? '')).toThrow(expect.objectContaining({ code: 'refused' }) as Error);
  expect(tasks.state(ids[16] ?? '')).toMatchObject({ state: 'done' });
});

test('what is under way ends with the service, and nothing new begins', async () => {
  const tasks = make();
  const { id } = tasks.begin(
    'verify',
    'verify',
    (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      }),
  );
  await tasks.stop();
  expect(tasks.state(id)).toMatchObject({ state: 'failed', problem: { code: 'unavailable' } });
  expect(() => tasks.begin('verify', 'verify', () => Promise.resolve({}))).toThrow();
});
