/** Files of a test's own, in a folder that goes away with it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isWaymarkError, type ErrorCode, type ErrorDetails, type ShipmentRecord } from '@waymark/protocol';
import { openRecordFile, type FileLimits, type RecordFile } from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'waymark-capture-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

export function pathOf(name: string): string {
  return join(folder, name);
}

export function fileOf(name: string, content: string | Uint8Array): string {
  writeFileSync(pathOf(name), content);
  return pathOf(name);
}

export async function collected(file: RecordFile): Promise<ShipmentRecord[]> {
  const records: ShipmentRecord[] = [];
  for await (const record of file.records()) records.push(record);
  return records;
}

export async function recordsOf(path: string): Promise<ShipmentRecord[]> {
  return collected(await openRecordFile(path));
}

/** What a refusal tells, less the name of the file, which it must tell as well. */
export async function refusalOf(
  path: string,
  limits: Partial<FileLimits> = {},
): Promise<ErrorDetails & { readonly code: ErrorCode }> {
  const failure: unknown = await openRecordFile(path, limits).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isWaymarkError(failure)) throw new Error('the file was not refused by a typed error', { cause: failure });
  const { file, ...rest } = failure.details;
  expect(file).toBe(path);
  expect(failure.message).toContain(path);
  expect(rest['reason']).not.toBe('');
  return { code: failure.code, ...rest };
}
