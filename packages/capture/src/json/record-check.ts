import { contentBytes, isWaymarkError, recordContent, validateRecord, type ShipmentRecord } from '@waymark/protocol';
import { refusedFile } from '../file/refusal.ts';
import type { JsonItem } from './text.ts';

/**
 * Checks a record made from an item of a file, with its limits on size and depth, and says where in the file it is wrong.
 * @param placeInItem the part of the item that a place in the record was made from; `undefined` when there is no such part
 * @throws WaymarkError input-invalid or limit-exceeded, with file, place, line and reason
 */
export function checkRecord(
  file: string,
  item: JsonItem,
  value: unknown,
  placeInItem: (place: string) => string | undefined,
): ShipmentRecord {
  try {
    const record = validateRecord(value);
    contentBytes(recordContent(record));
    return record;
  } catch (error) {
    if (!isWaymarkError(error)) throw error;
    const { place = '', reason = error.message } = error.details;
    const inner = placeInItem(String(place));
    throw refusedFile(
      {
        file,
        place: item.place + (inner ?? ''),
        line: item.lineOf(inner ?? ''),
        reason: inner === undefined ? `makes no record: ${String(place)} ${String(reason)}` : String(reason),
      },
      error.code,
      error,
    );
  }
}
