import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { watchFiles } from '../src/index.ts';
import { removeFolders, temporaryFolder } from './fixture.ts';

afterAll(removeFolders);

function watched(names: readonly string[], take: () => void = () => undefined) {
  const folder = temporaryFolder();
  const files = names.map((name) => join(folder, name));
  for (const file of files) writeFileSync(file, 'first');
  const calls = { changes: 0, errors: [] as unknown[] };
  const watch = watchFiles({
    name: 'watched',
    files: () => files,
    onChange: () => {
      calls.changes += 1;
      take();
    },
    onError: (error) => calls.errors.push(error),
    pollMs: 5,
  });
  return { folder, files, file: files[0] ?? '', calls, watch };
}

test('a change is taken once; a file that is only touched is none', async () => {
  const { file, calls, watch } = watched(['one', 'two']);
  await watch.check();
  writeFileSync(file, 'first');
  await watch.check();
  expect(calls.changes).toBe(0);
  writeFileSync(file, 'other');
  await watch.check();
  await watch.check();
  expect(calls).toEqual({ changes: 1, errors: [] });
});

test('a running watch notices a file that was replaced under its name', async () => {
  const noticed = Promise.withResolvers<undefined>();
  const { folder, file, watch } = watched(['one'], () => noticed.resolve(undefined));
  await watch.start();
  writeFileSync(join(folder, 'new'), 'renamed over it');
  renameSync(join(folder, 'new'), file);
  await noticed.promise;
  await watch.stop();
});

test('what is refused is told once, tried again at each look, and over when the old contents are back', async () => {
  let usable = false;
  const { file, calls, watch } = watched(['one'], () => {
    if (!usable) throw new Error('malformed');
  });
  writeFileSync(file, 'malformed');
  await watch.check();
  await watch.check();
  expect(calls.changes).toBe(2);
  expect(calls.errors).toHaveLength(1);
  rmSync(file);
  await watch.check();
  expect(calls.errors).toHaveLength(2);
  writeFileSync(file, 'first');
  await watch.check();
  expect(calls.changes).toBe(3);
  writeFileSync(file, 'malformed');
  await watch.check();
  expect(calls.errors).toHaveLength(3);
  usable = true;
  await watch.check();
  await watch.check();
  expect(calls.changes).toBe(5);
});

test('files that a changed file names are watched from then on', async () => {
  const folder = temporaryFolder();
  const [list, named] = [join(folder, 'list'), join(folder, 'named')] as const;
  writeFileSync(list, '');
  let files = [list];
  let changes = 0;
  const watch = watchFiles({
    name: 'watched',
    files: () => files,
    onChange: () => {
      changes += 1;
      files = [list, named];
    },
    onError: (error) => {
      throw error;
    },
  });
  writeFileSync(named, 'a');
  await watch.check();
  expect(changes).toBe(0);
  writeFileSync(list, 'named');
  await watch.check();
  await watch.check();
  await watch.check();
  const before = changes;
  await watch.check();
  expect(changes).toBe(before);
  writeFileSync(named, 'b');
  await watch.check();
  expect(changes).toBe(before + 1);
});

test('after stop nothing is looked at any more', async () => {
  const { file, calls, watch } = watched(['one']);
  await watch.start();
  await watch.stop();
  writeFileSync(file, 'other');
  const second = watched(['one']);
  const looked = Promise.withResolvers<undefined>();
  const beside = watchFiles({
    name: 'beside',
    files: () => [second.file],
    onChange: () => looked.resolve(undefined),
    onError: () => undefined,
    pollMs: 20,
  });
  await beside.start();
  writeFileSync(second.file, 'other');
  await looked.promise;
  await beside.stop();
  expect(calls.changes).toBe(0);
});
