/** Opens a file of records, whatever of the known forms it has. */
import type { ShipmentRecord } from '@waymark/protocol';
import { milestonesOf, startOfRow } from '../cargo2000/milestones.ts';
import { readTable } from '../cargo2000/table.ts';
import { eventListOf, looksLikeEpcis, readEventRecords } from '../epcis/reader.ts';
import { readJsonFile, type JsonFile } from '../json/file.ts';
import { readRecords } from '../json/records.ts';
import { defaultFileLimits, type FileLimits } from './limits.ts';
import { refusedFile } from './refusal.ts';
import type { RecordFile, RecordFormat } from './record-file.ts';
import { contentForm } from './sniff.ts';
import { openSource, type FileSource } from './source.ts';

/** A file whose form is known; `records` may be called again and again. */
interface RecordReader {
  readonly format: RecordFormat;
  readonly records: () => AsyncGenerator<ShipmentRecord>;
}

async function* readMilestones(source: FileSource): AsyncGenerator<ShipmentRecord> {
  for await (const { index, shipment } of readTable(source.chunks(), source.path))
    yield* milestonesOf(shipment, startOfRow(index));
}

/** The first item says of what kind all are; others of another kind are refused when they are read. */
async function isEpcis(json: JsonFile, file: string): Promise<boolean> {
  if (json.frame !== undefined) return looksLikeEpcis(json.frame.value);
  for await (const item of json.items()) return looksLikeEpcis(item.value);
  throw refusedFile({ file, place: '', line: 1, reason: 'the list holds nothing' });
}

async function readerOf(source: FileSource, limits: FileLimits): Promise<RecordReader> {
  const file = source.path;
  if (contentForm(file, source.head) === 'table') return { format: 'cargo2000', records: () => readMilestones(source) };
  const json = await readJsonFile(source, limits, eventListOf);
  return (await isEpcis(json, file))
    ? { format: 'epcis-2.0', records: () => readEventRecords(file, json) }
    : { format: 'records-json', records: () => readRecords(file, json) };
}

/** Reads to the end, so that whatever is wrong is met. */
async function countOf(records: AsyncGenerator<ShipmentRecord>): Promise<number> {
  let count = 0;
  while ((await records.next()).done !== true) count += 1;
  return count;
}

/**
 * Reads a file through, checks all of it, and only then offers its records: a file with one fault anywhere is refused whole.
 * EPCIS 2.0 JSON, the Cargo 2000 tracking table and shipment records in JSON are told apart by content.
 *
 * Memory stays bounded by the largest event or record, not by the file.
 * @param path of the file; it is named in every refusal
 * @throws WaymarkError input-invalid, limit-exceeded or unsupported; details: file, place, reason and, where there is one, line
 */
export async function openRecordFile(path: string, limits: Partial<FileLimits> = {}): Promise<RecordFile> {
  const source = await openSource(path, { ...defaultFileLimits, ...limits });
  const reader = await readerOf(source, { ...defaultFileLimits, ...limits });
  return { path, format: reader.format, count: await countOf(reader.records()), records: reader.records };
}
