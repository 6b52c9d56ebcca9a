import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WaymarkError } from '@waymark/protocol';
import { exitCodeOf, exitCodes, lockDataFolder, runService, type Component } from '../src/index.ts';
import type { ProcessEvent, ProcessEvents } from '../src/lifecycle/run-service.ts';
import { captureLog, removeFolders, temporaryFolder } from './fixture.ts';

afterAll(removeFolders);

function component(name: string, calls: string[], fails?: 'start' | 'stop'): Component {
  return {
    name,
    start: () => {
      calls.push(`start ${name}`);
      if (fails === 'start') throw new WaymarkError('unavailable', 'cannot');
    },
    stop: () => {
      calls.push(`stop ${name}`);
      if (fails === 'stop') throw new Error('cannot');
    },
  };
}

/** Stands in for the process: signals are called by hand, the exit code is awaited. */
function fakeProcess() {
  const listeners = new Map<ProcessEvent, (value: unknown) => void>();
  let resolve: (code: number) => void = () => undefined;
  const exited = new Promise<number>((done) => (resolve = done));
  const events: ProcessEvents = {
    on: (event, listener) => void listeners.set(event, listener),
    off: (event) => void listeners.delete(event),
    exit: (code) => resolve(code),
  };
  return { events, exited, raise: (event: ProcessEvent, value: unknown = event) => listeners.get(event)?.(value) };
}

test.each(['SIGTERM', 'SIGINT'] as const)('%s stops what was started, last first, and exits with 0', async (signal) => {
  const calls: string[] = [];
  const { events, exited, raise } = fakeProcess();
  await runService({
    logger: captureLog().logger,
    components: [component('a', calls), component('b', calls)],
    process: events,
  });
  raise(signal);
  expect(await exited).toBe(0);
  expect(calls).toEqual(['start a', 'start b', 'stop b', 'stop a']);
});

test('a component that cannot start takes those before it down again', async () => {
  const calls: string[] = [];
  const { events } = fakeProcess();
  const components = [component('a', calls), component('b', calls, 'start'), component('c', calls)];
  await expect(runService({ logger: captureLog().logger, components, process: events })).rejects.toMatchObject({
    code: 'unavailable',
  });
  expect(calls).toEqual(['start a', 'start b', 'stop b', 'stop a']);
});

test('a component that does not stop does not keep the others from it, but shows in the exit code', async () => {
  const calls: string[] = [];
  const { events, exited, raise } = fakeProcess();
  await runService({
    logger: captureLog().logger,
    components: [component('a', calls), component('b', calls, 'stop')],
    process: events,
  });
  raise('SIGTERM');
  expect(await exited).toBe(exitCodes.failed);
  expect(calls).toEqual(['start a', 'start b', 'stop b', 'stop a']);
});

test('stopping has a deadline', async () => {
  const { events, exited, raise } = fakeProcess();
  const stuck: Component = { name: 'stuck', start: () => undefined, stop: () => new Promise(() => undefined) };
  await runService({ logger: captureLog().logger, components: [stuck], process: events, shutdownDeadlineMs: 50 });
  raise('SIGTERM');
  expect(await exited).toBe(exitCodes.failed);
});

test('a second signal does not wait', async () => {
  const { events, exited, raise } = fakeProcess();
  const stuck: Component = { name: 'stuck', start: () => undefined, stop: () => new Promise(() => undefined) };
  await runService({ logger: captureLog().logger, components: [stuck], process: events, shutdownDeadlineMs: 400 });
  raise('SIGINT');
  raise('SIGINT');
  expect(await exited).toBe(exitCodes.failed);
});

test('a fault that nothing handled ends the process with 70', async () => {
  const { events, exited, raise } = fakeProcess();
  await runService({ logger: captureLog().logger, components: [], process: events });
  raise('unhandledRejection', new Error('x'));
  expect(await exited).toBe(exitCodes.crashed);
});

test('a wrong configuration has its own exit code', () => {
  expect(exitCodeOf(new WaymarkError('configuration-invalid', 'x'))).toBe(exitCodes.configurationInvalid);
  expect(exitCodeOf(new Error('x'))).toBe(exitCodes.failed);
});

test('two holders of one data folder are refused, in one process too', () => {
  const folder = join(temporaryFolder(), 'data');
  const lock = lockDataFolder(folder);
  expect(() => lockDataFolder(folder)).toThrow(/in use by another process/);
  lock.release();
  lockDataFolder(folder).release();
});

const kit = new URL('../src/index.ts', import.meta.url).href;

async function runScript(
  source: string,
): Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string; pid: number }> {
  const file = join(temporaryFolder(), 'script.ts');
  writeFileSync(file, source);
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, stdout, stderr, pid: child.pid ?? 0 };
}

test('the lock of a process that was killed is free', async () => {
  const folder = join(temporaryFolder(), 'data');
  const killed = await runScript(`
    import { lockDataFolder } from ${JSON.stringify(kit)};
    lockDataFolder(${JSON.stringify(folder)});
    try { lockDataFolder(${JSON.stringify(folder)}); } catch { process.kill(process.pid, 'SIGKILL'); }
  `);
  expect(killed.signal).toBe('SIGKILL');
  lockDataFolder(folder).release();
});

test('another process is refused while the folder is held', async () => {
  const folder = join(temporaryFolder(), 'data');
  const lock = lockDataFolder(folder);
  const other = await runScript(`
    import { lockDataFolder } from ${JSON.stringify(kit)};
    try { lockDataFolder(${JSON.stringify(folder)}); } catch (error) { console.log(error.code); }
  `);
  expect(other.stdout.trim()).toBe('configuration-invalid');
  lock.release();
});

test('a broken invariant ends the process even where errors are caught', async () => {
  const { code, stderr, stdout } = await runScript(`
    import { assertInvariant, createLogger, runService } from ${JSON.stringify(kit)};
    await runService({ logger: createLogger({ service: 'x' }), components: [] });
    setInterval(() => {}, 1000);
    try { assertInvariant(1 + 1 === 3, 'one record, one place'); } catch { console.log('caught'); }
  `);
  expect(code).toBe(70);
  expect(stdout).toContain('caught');
  expect(stderr).toContain('one record, one place');
});
