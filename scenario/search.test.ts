import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canaryWord, needlesOf, textCanary } from './support/search/canary.ts';
import { memoryUnreadable, searchMemory } from './support/search/process-memory.ts';
import { plantLeaks, releasePlanted } from './support/search/plant.ts';
import { createScanner } from './support/search/scanner.ts';
import { searchFolder, searchTexts } from './support/search/search-folder.ts';

// The canary scenario says that nothing is found. These tests say that something would be.
test('a leak planted in a log, a block, a segment, a table, SQLite, a write-ahead log, packed or in any encoding is found', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'waymark-planted-'));
  try {
    const planted = textCanary('planted', canaryWord());
    const other = textCanary('other', canaryWord());
    const places = await plantLeaks(folder, planted);
    await writeFile(join(folder, 'clean.log'), `nothing here ${canaryWord()}\n`);
    const scanner = createScanner([planted, other].flatMap(needlesOf));
    const { findings, kinds } = await searchFolder(folder, scanner);
    for (const place of places)
      expect(findings.map((finding) => finding.place)).toContainEqual(expect.stringContaining(place));
    expect(findings.filter(({ place }) => place === 'clean.log')).toEqual([]);
    expect(findings.filter(({ canary }) => canary !== 'planted')).toEqual([]);
    const forms = new Set(findings.map(({ form }) => form));
    for (const form of ['as is', 'hex', 'HEX', 'base64/0', 'base64/1', 'base64/2', 'UTF-16LE', 'UTF-16BE']) {
      expect(forms).toContain(form);
    }
    for (const kind of ['sqlite', 'sqlite-wal', 'leveldb-table', 'leveldb-log', 'log', 'block-file', 'car']) {
      expect(kinds[kind]).toBeGreaterThan(0);
    }
  } finally {
    releasePlanted();
    await rm(folder, { recursive: true, force: true });
  }
});

test('a canary cut in two by Snappy is found in the table that was read, not in the file as it is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'waymark-planted-'));
  try {
    const planted = textCanary('planted', canaryWord());
    await plantLeaks(folder, planted);
    const { findings } = await searchFolder(join(folder, 'state'), createScanner(needlesOf(planted)));
    expect(findings.map(({ place }) => place)).toContainEqual(expect.stringMatching(/\.ldb$/));
  } finally {
    releasePlanted();
    await rm(folder, { recursive: true, force: true });
  }
});

test('a leak in an answer is found', () => {
  const planted = textCanary('planted', canaryWord());
  const texts = new Map([
    ['clean', 'problem'],
    ['leaky', `{"detail":"${Buffer.from(planted.bytes).toString('base64')}"}`],
  ]);
  expect(searchTexts(texts, createScanner(needlesOf(planted))).map(({ place }) => place)).toEqual(['leaky']);
});

const onLinux = memoryUnreadable === undefined ? test : test.skip;
onLinux(
  `what a process holds in its memory is found, and what it does not hold is not${memoryUnreadable ?? ''}`,
  async () => {
    const words = { text: canaryWord(), bytes: canaryWord(), absent: canaryWord() };
    // The program is told the words backwards, so that its arguments do not hold them.
    const program = `
    const turned = (word) => Array.from(word).reverse().join('');
    globalThis.held = [turned(process.argv[1]) + '!', Buffer.from(turned(process.argv[2]), 'latin1')];
    process.stdout.write('ready');
    setInterval(() => held.length, 1000);`;
    const backwards = (word: string): string => Array.from(word).reverse().join('');
    const child = spawn(process.execPath, ['-e', program, backwards(words.text), backwards(words.bytes)], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      await once(child.stdout, 'data');
      const scanner = createScanner(Object.entries(words).flatMap(([name, word]) => needlesOf(textCanary(name, word))));
      const { found, sizeBytes } = await searchMemory(child.pid ?? 0, scanner);
      process.stderr.write(`searched ${String(Math.round(sizeBytes / 2 ** 20))} MiB of memory\n`);
      expect([...new Set(found.map(({ canary }) => canary))].sort()).toEqual(['bytes', 'text']);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  },
  120_000,
);
