import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { ClassicLevel } from 'classic-level';
import type { Canary } from './canary.ts';

/** Writes one leak of every kind below `folder`; returns the places, each of which a search must name. */
export async function plantLeaks(folder: string, { bytes }: Canary): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const secret = Buffer.from(bytes);
  const text = secret.toString('latin1');
  const base64 = (before: string): string => Buffer.from(`${before}${text}!!`, 'latin1').toString('base64');
  const files: Record<string, Buffer | string> = {
    'service.log': `{"level":"info","msg":"request","detail":"for ${text} at once"}\n`,
    'hex.log': `{"id":"${secret.toString('hex')}"}\n`,
    'upper-hex.log': `{"id":"${secret.toString('hex').toUpperCase()}"}\n`,
    'base64-0.log': base64(''),
    'base64-1.log': base64('a'),
    'base64-2.log': base64('ab'),
    'base64url.log': Buffer.from(`a${text}`, 'latin1').toString('base64url'),
    'wrapped-base64.pem': base64('a').replaceAll(/.{12}/g, '$&\n'),
    'wrapped-in-json.log': JSON.stringify({ pem: base64('a').replaceAll(/.{12}/g, '$&\n') }),
    'utf-16le.dat': Buffer.from(`x${text}x`, 'utf16le'),
    'utf-16be.dat': Buffer.from(`x${text}x`, 'utf16le').swap16(),
    // What lies in a block, or in a content segment, lies in a protobuf or CBOR byte string: as it is.
    blockfile_000000: Buffer.concat([Buffer.from([0x0a, 0x40]), secret, Buffer.from([0x12, 0x00])]),
    '00000001.car': Buffer.concat([Buffer.alloc(100, 7), secret, Buffer.alloc(100, 7)]),
    'rotated.log.gz': gzipSync(`a line with ${text} in it\n`.repeat(3)),
    'inside.dat': Buffer.concat([Buffer.alloc(33, 9), gzipSync(text), Buffer.alloc(33, 9)]),
    'zlib.dat': deflateSync(Buffer.from(text, 'latin1')),
    'zstd.dat': zstdCompressSync(Buffer.from(`${text} and ${text}`, 'latin1')),
    'gzip-of-base64.gz': gzipSync(base64('ab')),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return [
    ...Object.keys(files),
    ...(await plantInLevel(join(folder, 'state'), secret)),
    plantInSqlite(join(folder, 'replica.db'), secret),
    plantInWal(join(folder, 'journal.db'), secret),
  ];
}

/** In a table, where Snappy cuts what repeats; the key is searched for as well. */
async function plantInLevel(folder: string, secret: Buffer): Promise<string[]> {
  const database = new ClassicLevel<string, string>(folder);
  const half = secret.subarray(0, secret.length / 2).toString('latin1');
  // The first halves before make the whole a copy and a rest: it does not stand in the file as it is.
  await database.put('a', `${half}-${half}-${half}-${'.'.repeat(500)}`);
  await database.put('b', `${'.'.repeat(500)}${secret.toString('latin1')}`);
  await database.compactRange('', '~');
  await database.close();
  return ['state/'];
}

/** In a value of several pages. */
function plantInSqlite(file: string, secret: Buffer): string {
  const database = new DatabaseSync(file);
  database.exec('CREATE TABLE leak (value BLOB)');
  const pages = Buffer.concat(Array.from({ length: 2_000 }, () => Buffer.concat([secret, Buffer.from('/')])));
  database.prepare('INSERT INTO leak VALUES (?)').run(pages);
  database.close();
  return 'replica.db';
}

/** Only in the write-ahead log: the file itself has not got it yet. */
function plantInWal(file: string, secret: Buffer): string {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE leak (value TEXT)');
  database.prepare('INSERT INTO leak VALUES (?)').run(secret.toString('latin1'));
  openDatabases.push(database);
  return 'journal.db';
}

const openDatabases: DatabaseSync[] = [];

/** Closes what was kept open so that a write-ahead log stays one. */
export function releasePlanted(): void {
  for (const database of openDatabases.splice(0)) database.close();
}
