import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WaymarkError } from '@waymark/protocol';
import { callControl } from '../../src/control/control-client.ts';
import {
  type ControlPlace,
  readControlPlace,
  removeControlPlace,
  writeControlPlace,
} from '../../src/control/control-file.ts';
import { type ControlServer, startControlServer } from '../../src/control/control-server.ts';
import { layoutOf } from '../../src/layout.ts';

describe('what a supervisor is told', () => {
  let server: ControlServer;
  const given: unknown[] = [];
  beforeEach(async () => {
    given.length = 0;
    server = await startControlServer({
      grow: (argument, say) => {
        given.push(argument);
        say('first');
        say('second');
        return Promise.resolve({ grown: true });
      },
      nothing: () => Promise.resolve(undefined),
      refuse: () => Promise.reject(new WaymarkError('conflict', 'not so')),
      break: () => Promise.reject(new TypeError('a bug')),
    });
  });
  afterEach(() => server.close());
  const ask = async (path: string, options: { method?: string; token?: string; body?: string } = {}) => {
    const response = await fetch(`http://127.0.0.1:${server.place.port}${path}`, {
      method: options.method ?? 'POST',
      headers: { authorization: `Bearer ${options.token ?? server.place.token}` },
      ...(options.method === 'GET' ? {} : { body: options.body ?? 'null' }),
    });
    return { status: response.status, text: await response.text() };
  };

  test('is done, with its steps told while it goes on and its result at the end', async () => {
    const steps: string[] = [];
    const result = await callControl(server.place, 'grow', { by: 2 }, (step) => steps.push(step));
    expect({ given, steps, result }).toEqual({
      given: [{ by: 2 }],
      steps: ['first', 'second'],
      result: { grown: true },
    });
  });

  test('may have no argument and no result', async () => {
    expect(await callControl(server.place, 'nothing', undefined)).toBeNull();
  });

  test('fails with the code and message that it had there', async () => {
    await expect(callControl(server.place, 'refuse', null)).rejects.toMatchObject({
      code: 'conflict',
      message: 'not so',
    });
    await expect(callControl(server.place, 'break', null)).rejects.toMatchObject({ code: 'internal' });
  });

  test.each([
    ['another token', 'a'.repeat(43)],
    ['a shorter one', 'a'],
    ['none', ''],
  ])('is not done with %s', async (_name, token) => {
    expect(await ask('/grow', { token })).toEqual({ status: 401, text: '' });
    await expect(callControl({ ...server.place, token }, 'grow', null)).rejects.toMatchObject({ code: 'unavailable' });
    expect(given).toEqual([]);
  });

  test.each(['/', '/shrink', '/constructor', '/__proto__', '/toString', '/grow/'])('%s is no action', async (path) => {
    expect(await ask(path)).toEqual({ status: 404, text: '' });
  });

  test('only a POST tells something', async () => {
    expect(await ask('/grow', { method: 'GET' })).toEqual({ status: 404, text: '' });
    expect(given).toEqual([]);
  });

  test('an argument that is no JSON is refused, and the server goes on', async () => {
    expect(JSON.parse((await ask('/grow', { body: '{' })).text)).toMatchObject({ code: 'input-invalid' });
    expect(await callControl(server.place, 'grow', 1)).toEqual({ grown: true });
  });

  test('an argument over 64 KiB is refused as too large, and the server goes on', async () => {
    const argument = 'x'.repeat(64 * 1024);
    await expect(callControl(server.place, 'grow', argument)).rejects.toMatchObject({ code: 'limit-exceeded' });
    expect(given).toEqual([]);
    expect(await callControl(server.place, 'grow', argument.slice(2))).toEqual({ grown: true });
  });

  test('nobody there is unavailable', async () => {
    const { place } = server;
    await server.close();
    await expect(callControl(place, 'grow', null)).rejects.toMatchObject({ code: 'unavailable' });
    server = await startControlServer({});
  });

  test('somebody else there is unavailable', async () => {
    const other = createServer((_request, response) => response.end('<html>\n</html>\n'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(callControl({ ...server.place, port }, 'grow', null)).rejects.toMatchObject({ code: 'unavailable' });
    await new Promise((resolve) => other.close(resolve));
  });
});

describe('the file that says where a supervisor is', () => {
  let root: string;
  let server: ControlServer;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'waymark-control-'));
    await writeFile(join(root, 'x'), '');
    server = await startControlServer({});
  });
  afterEach(async () => {
    await server.close();
    await rm(root, { recursive: true });
  });
  const layout = () => ({ ...layoutOf(root), run: root });
  const file = (): string => join(root, 'control.json');

  test('is read while it runs, by nobody but its owner, and is gone when it is taken away', async () => {
    await writeControlPlace(layout(), server.place);
    expect(await readControlPlace(layout())).toEqual(server.place);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    await removeControlPlace(layout());
    expect(await readControlPlace(layout())).toBeUndefined();
  });

  test('says nothing once its process is gone', async () => {
    // Beyond the largest id of a process.
    await writeControlPlace(layout(), { ...server.place, pid: 2 ** 30 });
    expect(await readControlPlace(layout())).toBeUndefined();
    expect((JSON.parse(await readFile(file(), 'utf8')) as ControlPlace).pid).toBe(2 ** 30);
  });

  test('says nothing when its number was given to a process that listens elsewhere', async () => {
    await writeControlPlace(layout(), server.place);
    await server.close();
    expect(await readControlPlace(layout())).toBeUndefined();
    server = await startControlServer({});
  });
});
