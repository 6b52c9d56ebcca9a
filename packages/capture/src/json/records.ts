/** Shipment records as JSON: one alone, a list of them, or one per line. */
import type { ShipmentRecord } from '@waymark/protocol';
import type { JsonFile } from './file.ts';
import { checkRecord } from './record-check.ts';

/**
 * The records of a file, each checked before it is handed out.
 * @throws WaymarkError input-invalid or limit-exceeded, with file, place, line and reason
 */
export async function* readRecords(file: string, json: JsonFile): AsyncGenerator<ShipmentRecord> {
  for await (const item of json.items()) yield checkRecord(file, item, item.value, (place) => place);
}
