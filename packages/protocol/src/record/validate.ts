import { WaymarkError } from '../errors.ts';
import type { BusinessId, JsonObject, JsonValue, ShipmentRecord } from './record.ts';
import { parseTime } from './time.ts';

/** Limits on one record (docs/formats.md, "Record"). */
export const recordLimits = {
  eventIdBytes: 1_024,
  consignmentBytes: 256,
  schemaBytes: 256,
  businessIds: 32,
  businessIdTypeBytes: 64,
  businessIdBytes: 1_024,
  depth: 64,
  contentBytes: 1024 * 1024,
} as const;

const fieldNames = new Set([
  'eventId',
  'revision',
  'consignment',
  'schema',
  'collectionTime',
  'businessIds',
  'payload',
]);

function invalid(place: string, reason: string): WaymarkError {
  return new WaymarkError('input-invalid', `${place} ${reason}`, { details: { place, reason } });
}

/** Refuses what two systems would not read alike. ASCII, the common case, needs one look. */
function checkText(text: string, place: string): void {
  // eslint-disable-next-line no-control-regex -- the range is ASCII without NUL
  if (/^[\u0001-\u007f]*$/.test(text)) return;
  if (text.includes('\u0000')) throw invalid(place, 'contains U+0000');
  if (!text.isWellFormed()) throw invalid(place, 'contains a lone surrogate');
  if (text.normalize('NFC') !== text) throw invalid(place, 'is not in Unicode form NFC');
}

function name(value: unknown, place: string, maxBytes: number): string {
  if (typeof value !== 'string' || value === '') throw invalid(place, 'is not a text');
  checkText(value, place);
  if (value.length > maxBytes || Buffer.byteLength(value) > maxBytes)
    throw invalid(place, `is longer than ${maxBytes} bytes`);
  return value;
}

/** Checks a payload: JSON as RFC 8785 can canonicalise it, texts in NFC, bounded depth. */
export function checkJson(value: unknown, place = '/payload', depth = 0): asserts value is JsonValue {
  if (depth > recordLimits.depth) throw invalid(place, `is nested deeper than ${recordLimits.depth}`);
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'string') {
    checkText(value, place);
    return;
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw invalid(place, 'is not a finite number');
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw invalid(place, 'is an integer beyond 2^53 - 1');
    return;
  }
  if (Array.isArray(value)) {
    value.forEach((item, index) => checkJson(item, `${place}/${index}`, depth + 1));
    return;
  }
  if (typeof value !== 'object') throw invalid(place, 'is not JSON');
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw invalid(place, 'is not a plain JSON object');
  for (const [key, item] of Object.entries(value)) {
    const below = `${place}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (key === '__proto__') throw invalid(below, 'is a field name that is not allowed');
    checkText(key, below);
    checkJson(item, below, depth + 1);
  }
}

function businessIds(value: unknown): BusinessId[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalid('/businessIds', 'is not a list');
  if (value.length > recordLimits.businessIds)
    throw invalid('/businessIds', `has more than ${recordLimits.businessIds} entries`);
  return value.map((item: unknown, index) => {
    const place = `/businessIds/${index}`;
    if (typeof item !== 'object' || item === null) throw invalid(place, 'is not an object');
    const { type, value: text, ...rest } = item as Record<string, unknown>;
    if (Object.keys(rest).length > 0) throw invalid(place, 'has unknown fields');
    return {
      type: name(type, `${place}/type`, recordLimits.businessIdTypeBytes),
      value: name(text, `${place}/value`, recordLimits.businessIdBytes),
    };
  });
}

/**
 * Checks a record as a client hands it in; `revision` is 0 and `businessIds` empty unless given.
 * @throws WaymarkError input-invalid, with the place as a JSON pointer
 */
export function validateRecord(value: unknown): ShipmentRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('', 'the record is not an object');
  const record = value as Partial<Record<keyof ShipmentRecord, unknown>> & JsonObject;
  for (const key of Object.keys(record))
    if (!fieldNames.has(key)) throw invalid(`/${key}`, 'is not a field of a record');
  const { revision = 0, payload, collectionTime } = record;
  if (typeof revision !== 'number' || !Number.isInteger(revision) || revision < 0 || revision > 0xffff_ffff) {
    throw invalid('/revision', 'is not a whole number from 0 on');
  }
  if (typeof collectionTime !== 'string') throw invalid('/collectionTime', 'is not an RFC 3339 time');
  if (payload === undefined) throw invalid('/payload', 'is missing');
  parseTime(collectionTime);
  checkJson(payload);
  return {
    eventId: name(record.eventId, '/eventId', recordLimits.eventIdBytes),
    revision,
    consignment: name(record.consignment, '/consignment', recordLimits.consignmentBytes),
    schema: name(record.schema, '/schema', recordLimits.schemaBytes),
    collectionTime,
    businessIds: businessIds(record.businessIds),
    payload,
  };
}
