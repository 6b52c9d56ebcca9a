import { textProblem } from '../encoding/i-json.ts';
import { checkJson, refuseValue } from './json-value.ts';
import type { BusinessId, RecordContent, ShipmentRecord } from './record.ts';
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

const maxRevision = 0xffff_ffff;
const fieldNames: ReadonlySet<string> = new Set<keyof ShipmentRecord>([
  'eventId',
  'revision',
  'consignment',
  'schema',
  'collectionTime',
  'businessIds',
  'payload',
]);
const contentNames: ReadonlySet<string> = new Set<keyof RecordContent>([
  'eventId',
  'revision',
  'schema',
  'businessIds',
  'payload',
]);

type Path = readonly (string | number)[];
type Fields = Readonly<Partial<Record<string, unknown>>>;

/** A name or id: text, not empty, within its limit. */
function nameOf(value: unknown, path: Path, maxBytes: number): string {
  if (typeof value !== 'string' || value === '') refuseValue(path, 'is not a text');
  const problem = textProblem(value);
  if (problem !== undefined) refuseValue(path, problem);
  if (value.length > maxBytes || Buffer.byteLength(value) > maxBytes)
    refuseValue(path, `is longer than ${maxBytes} bytes`);
  return value;
}

function fieldsOf(value: unknown, known: ReadonlySet<string>): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuseValue([], 'is not an object');
  for (const key of Object.keys(value)) if (!known.has(key)) refuseValue([key], 'is not a field of a record');
  return value as Fields;
}

function businessIdsOf(value: unknown): readonly BusinessId[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) refuseValue(['businessIds'], 'is not a list');
  if (value.length > recordLimits.businessIds)
    refuseValue(['businessIds'], `has more than ${recordLimits.businessIds} entries`);
  return value.map(businessIdOf);
}

function businessIdOf(item: unknown, index: number): BusinessId {
  const path = ['businessIds', index];
  if (typeof item !== 'object' || item === null) refuseValue(path, 'is not an object');
  const { type, value, ...rest } = item as Record<string, unknown>;
  if (Object.keys(rest).length > 0) refuseValue(path, 'has unknown fields');
  return {
    type: nameOf(type, [...path, 'type'], recordLimits.businessIdTypeBytes),
    value: nameOf(value, [...path, 'value'], recordLimits.businessIdBytes),
  };
}

function contentOf({ eventId, revision = 0, schema, businessIds, payload }: Fields): RecordContent {
  if (typeof revision !== 'number' || !Number.isInteger(revision) || revision < 0 || revision > maxRevision)
    refuseValue(['revision'], 'is not a whole number from 0 on');
  if (payload === undefined) refuseValue(['payload'], 'is missing');
  // The payload is sealed as a member of the content, which is a level of its own.
  checkJson(payload, ['payload'], 1);
  return {
    eventId: nameOf(eventId, ['eventId'], recordLimits.eventIdBytes),
    revision,
    schema: nameOf(schema, ['schema'], recordLimits.schemaBytes),
    businessIds: businessIdsOf(businessIds),
    payload,
  };
}

/**
 * Checks a record as a client hands it in; `revision` is 0 and `businessIds` empty unless given. That its content is at most 1 MiB
 * is checked where it is encoded (`contentBytes`).
 * @throws WaymarkError input-invalid, with the place as a JSON pointer
 */
export function validateRecord(value: unknown): ShipmentRecord {
  const fields = fieldsOf(value, fieldNames);
  const { consignment, collectionTime } = fields;
  if (typeof collectionTime !== 'string') refuseValue(['collectionTime'], 'is not an RFC 3339 time');
  parseTime(collectionTime);
  const { eventId, revision, schema, businessIds, payload } = contentOf(fields);
  return {
    eventId,
    revision,
    consignment: nameOf(consignment, ['consignment'], recordLimits.consignmentBytes),
    schema,
    collectionTime,
    businessIds,
    payload,
  };
}

/**
 * Checks the content of a record: the part that is sealed. Every field must be there.
 * @throws WaymarkError input-invalid, with the place as a JSON pointer
 */
export function validateContent(value: unknown): RecordContent {
  const fields = fieldsOf(value, contentNames);
  for (const name of contentNames) if (fields[name] === undefined) refuseValue([name], 'is missing');
  return contentOf(fields);
}
