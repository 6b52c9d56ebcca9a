import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeWhole } from '../src/write-whole.ts';

describe('a file that is written whole', () => {
  let folder: string;
  const file = (): string => join(folder, 'ports.json');
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waymark-whole-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  test('takes the place of the old one, and nothing else stays', async () => {
    await writeWhole(file(), 'old and longer');
    await writeWhole(file(), 'new');
    expect(await readFile(file(), 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['ports.json']);
  });

  test('is as secret as it is asked for', async () => {
    await writeWhole(file(), 'secret', 0o600);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
  });

  test('is written over what a write that was cut short has left', async () => {
    await writeFile(`${file()}.partial`, 'cut short, and longer than what comes');
    await writeWhole(file(), 'whole');
    expect(await readFile(file(), 'utf8')).toBe('whole');
    expect(await readdir(folder)).toEqual(['ports.json']);
  });

  test('is never seen half: whoever reads while it is written has one whole content', async () => {
    const contents = ['a', 'b'].map((letter) => letter.repeat(200_000));
    await writeWhole(file(), contents[0] ?? '');
    const seen: string[] = [];
    const state = { writing: true };
    const reader = (async () => {
      while (state.writing) seen.push(await readFile(file(), 'utf8'));
    })();
    for (let round = 0; round < 10; round += 1) await writeWhole(file(), contents[round % 2] ?? '');
    state.writing = false;
    await reader;
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.filter((text) => !contents.includes(text))).toEqual([]);
  });

  test('a write that fails leaves the old content', async () => {
    await writeWhole(file(), 'old');
    await mkdir(`${file()}.partial`);
    await expect(writeWhole(file(), 'new')).rejects.toThrow();
    expect(await readFile(file(), 'utf8')).toBe('old');
  });
});
