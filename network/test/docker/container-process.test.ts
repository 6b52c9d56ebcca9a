import { setImmediate } from 'node:timers/promises';
import type { ContainerEvents } from '../../src/docker/container-events.ts';
import { containerProcess } from '../../src/docker/container-process.ts';
import { containerUser } from '../../src/docker/container-user.ts';
import type { CommandResult } from '../../src/docker/run-command.ts';
import type { Engine } from '../../src/docker/engine.ts';

/** An engine that answers `inspect` with the states in turn and notes all else. */
class ScriptedEngine implements Engine {
  readonly version = '28.0.0';
  readonly clientVersion = '28.0.0';
  readonly composeVersion = '2.40.3';
  readonly rootless = false;
  readonly commands: string[] = [];
  state: object | undefined = { Status: 'running', Pid: 4711, ExitCode: 0 };

  docker(args: readonly string[]): Promise<string> {
    return this.tryDocker(args).then(({ stdout }) => stdout);
  }

  tryDocker(args: readonly string[]): Promise<CommandResult> {
    if (args[0] === 'logs') return Promise.resolve({ code: 0, stdout: 'ready\nError: no disk\nbye\n', stderr: '' });
    if (args[0] !== 'inspect') {
      this.commands.push(args.join(' '));
      return Promise.resolve({ code: 0, stdout: '', stderr: '' });
    }
    return Promise.resolve(
      this.state === undefined
        ? { code: 1, stdout: '', stderr: 'Error: No such object: c' }
        : { code: 0, stdout: JSON.stringify(this.state), stderr: '' },
    );
  }
}

class ManualEvents implements ContainerEvents {
  #resolve: () => void = () => undefined;
  next(): Promise<void> {
    return new Promise((resolve) => (this.#resolve = resolve));
  }
  async fire(): Promise<void> {
    this.#resolve();
    for (let turn = 0; turn < 10; turn += 1) await setImmediate();
  }
  close(): void {}
}

describe('a container as a process', () => {
  const follow = async () => {
    const engine = new ScriptedEngine();
    const events = new ManualEvents();
    const process = await containerProcess(engine, events, 'a name', 'c');
    const ends: object[] = [];
    void process.exited.then((end) => ends.push(end));
    await setImmediate();
    return { engine, events, process, ends };
  };

  test('has ended only when the engine does not start it again', async () => {
    const { engine, events, ends, process } = await follow();
    expect(process).toMatchObject({ name: 'a name', pid: 4711 });
    for (const Status of ['restarting', 'running', 'paused']) {
      engine.state = { Status, Pid: 1, ExitCode: 1 };
      await events.fire();
      expect(ends).toEqual([]);
    }
    engine.state = { Status: 'exited', Pid: 0, ExitCode: 3 };
    await events.fire();
    expect(ends).toEqual([{ code: 3, signal: null }]);
  });

  test('one that was killed says so, one that was removed is gone', async () => {
    const killed = await follow();
    killed.engine.state = { Status: 'exited', Pid: 0, ExitCode: 137 };
    await killed.events.fire();
    expect(killed.ends).toEqual([{ code: null, signal: 'SIGKILL' }]);
    const removed = await follow();
    removed.engine.state = undefined;
    await removed.events.fire();
    expect(removed.ends).toEqual([{ code: 0, signal: null }]);
  });

  test('is paused and goes on where a process is stopped and continued; orders are carried out in turn', async () => {
    const { engine, process } = await follow();
    process.kill('SIGSTOP');
    process.kill('SIGCONT');
    process.kill('SIGKILL');
    await process.stop(1_500);
    expect(engine.commands).toEqual([
      'pause c',
      'unpause c',
      'kill --signal SIGKILL c',
      'unpause c',
      'stop --time 2 c',
    ]);
  });

  test('says what it complained of last, and where the rest is', async () => {
    const { process } = await follow();
    expect(await process.lastWords()).toBe('Error: no disk (log: docker logs c)');
  });
});

describe('the user of containers', () => {
  test('is the operator, an unprivileged one when that is root, and root in an engine of an ordinary user', () => {
    expect(containerUser({ uid: 1000, gid: 100 }, false).user).toBe('1000:100');
    expect(containerUser({ uid: 0, gid: 0 }, false).user).toBe('10001:10001');
    expect(containerUser({ uid: undefined, gid: undefined }, false).user).toBe('10001:10001');
    expect(containerUser({ uid: 1000, gid: 1000 }, true).user).toBe('0:0');
  });
});
