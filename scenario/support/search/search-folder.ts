import { readdir, readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { unpackedStreams } from './compressed.ts';
import { logRecords, tableBlocks } from './leveldb.ts';
import type { Scanner } from './scanner.ts';
import { sqliteValues } from './sqlite.ts';

/** A canary that lies where it should not. */
export interface Finding {
  /** Relative to the folder, or the name of a text. */
  readonly place: string;
  readonly canary: string;
  readonly form: string;
}

/** What was looked at, and what was found. */
export interface SearchReport {
  readonly findings: readonly Finding[];
  readonly files: number;
  readonly sizeBytes: number;
  /** By kind of file, so that a test can say that each was there to be searched. */
  readonly kinds: Readonly<Record<string, number>>;
}

const sqliteMagic = Buffer.from('SQLite format 3\0');

/** Searches every file below a folder: as it is, unwrapped, unpacked, and read by what wrote it (LevelDB, SQLite). */
export async function searchFolder(folder: string, scanner: Scanner): Promise<SearchReport> {
  const findings: Finding[] = [];
  const kinds: Record<string, number> = {};
  let files = 0;
  let sizeBytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const bytes = await readFile(file);
    const kind = kindOf(entry.name, bytes);
    files += 1;
    sizeBytes += bytes.length;
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    findings.push(...searchBytes(relative(folder, file), [bytes, ...(await partsOf(kind, file, bytes))], scanner));
  }
  return { findings, files, sizeBytes, kinds };
}

/** Searches texts, such as answers and messages. */
export function searchTexts(texts: ReadonlyMap<string, string>, scanner: Scanner): Finding[] {
  return [...texts].flatMap(([name, text]) => searchBytes(name, [Buffer.from(text, 'utf8')], scanner));
}

function searchBytes(place: string, parts: readonly Buffer[], scanner: Scanner): Finding[] {
  const found = new Map<string, Finding>();
  for (const part of parts) {
    for (const view of [part, unwrapped(part), ...unpackedStreams(part)]) {
      for (const { canary, form } of scanner.scan(view)) found.set(`${canary} ${form}`, { place, canary, form });
    }
  }
  return [...found.values()];
}

/** Without line breaks, also those that JSON writes as two characters: base64 is often broken into lines. */
function unwrapped(bytes: Buffer): Buffer {
  if (!bytes.includes(0x0a) && !bytes.includes('\\n')) return Buffer.alloc(0);
  return Buffer.from(bytes.toString('latin1').replaceAll(/\r?\n|(?:\\r)?\\n/g, ''), 'latin1');
}

function kindOf(name: string, bytes: Buffer): string {
  if (bytes.subarray(0, sqliteMagic.length).equals(sqliteMagic)) return 'sqlite';
  if (name.endsWith('.db-wal')) return 'sqlite-wal';
  if (name.endsWith('.ldb') || name.endsWith('.sst')) return 'leveldb-table';
  if (/^[0-9]{6}\.log$/.test(name) || name.startsWith('MANIFEST-')) return 'leveldb-log';
  if (name.endsWith('.log')) return 'log';
  if (name.startsWith('blockfile')) return 'block-file';
  if (name.endsWith('.car')) return 'car';
  return basename(name).includes('.') ? 'other' : 'plain';
}

async function partsOf(kind: string, file: string, bytes: Buffer): Promise<Buffer[]> {
  switch (kind) {
    case 'leveldb-table':
      return tableBlocks(bytes);
    case 'leveldb-log':
      return logRecords(bytes);
    case 'sqlite':
      return sqliteValues(file);
    default:
      return [];
  }
}
