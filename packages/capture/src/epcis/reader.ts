/** EPCIS 2.0 JSON as records: a document, a query document, a bare event, or bare events in a list or one per line. */
import type { JsonObject, JsonValue, ShipmentRecord } from '@waymark/protocol';
import { isObject } from '../json/value.ts';
import type { JsonFile } from '../json/file.ts';
import { checkRecord } from '../json/record-check.ts';
import { refuseItem, type JsonItem } from '../json/text.ts';
import type { EventSurroundings } from './event-hash/event-hash.ts';
import { eventRecord } from './record.ts';
import { isDocumentType } from './schema/document.ts';
import {
  validateBareEvent,
  validateDocumentEvent,
  validateEpcis,
  validateEpcisFrame,
  type Problem,
} from './validate.ts';

/** Where the events of a document stand; `undefined` when the value is no document. */
export function eventListOf(value: unknown): string | undefined {
  if (!isObject(value) || !isDocumentType(value['type'])) return undefined;
  return value['type'] === 'EPCISDocument' ? '/epcisBody/eventList' : '/epcisBody/queryResults/resultsBody/eventList';
}

const epcisMembers = ['type', '@context', 'epcisBody', 'eventTime'] as const;

/** Whether a value means to be EPCIS, right or wrong: it has a member that EPCIS has, and is no shipment record. */
export function looksLikeEpcis(value: unknown): boolean {
  if (!isObject(value) || Object.hasOwn(value, 'eventId')) return false;
  return epcisMembers.some((name) => Object.hasOwn(value, name));
}

function surroundingsOf(document: JsonObject): EventSurroundings {
  const body = document['epcisBody'];
  const results = isObject(body) ? body['queryResults'] : undefined;
  const holder = isObject(results) ? results : document;
  const ignored = Object.entries(holder).find(([name]) => /[:/#]ignoreFields$/.test(name))?.[1];
  return {
    ...(document['@context'] === undefined ? {} : { context: document['@context'] }),
    ...(Array.isArray(ignored)
      ? { ignoredFields: ignored.filter((name): name is string => typeof name === 'string') }
      : {}),
  };
}

function checked(file: string, item: JsonItem, problems: readonly Problem[]): JsonObject {
  if (problems.length > 0 || !isObject(item.value)) throw refuseItem(file, item, problems);
  return item.value;
}

/** The events of a document that is in memory as a whole. */
function* eventsWithin(document: JsonItem, list: string): Generator<JsonItem> {
  let events: unknown = document.value;
  for (const step of list.split('/').slice(1)) events = isObject(events) ? events[step] : undefined;
  if (!Array.isArray(events)) return;
  for (const [index, value] of (events as readonly JsonValue[]).entries()) {
    const place = `${list}/${index}`;
    yield { value, place, lineOf: (pointer) => document.lineOf(place + pointer) };
  }
}

/** The part of an event that a part of its record was made from. */
function placeInEvent(place: string): string | undefined {
  if (place === '/collectionTime') return '/eventTime';
  return place.startsWith('/payload/') ? place.slice('/payload'.length) : undefined;
}

async function* readDocument(
  file: string,
  json: JsonFile,
  frame: JsonItem,
  list: string,
): AsyncGenerator<ShipmentRecord> {
  const isSplit = json.form === 'document';
  const problems = isSplit ? validateEpcisFrame(frame.value) : validateEpcis(frame.value);
  const surroundings = surroundingsOf(checked(file, frame, problems));
  for await (const item of isSplit ? json.items() : eventsWithin(frame, list)) {
    const event = checked(file, item, validateDocumentEvent(item.value));
    yield checkRecord(file, item, eventRecord(event, surroundings), placeInEvent);
  }
}

/**
 * The records of the events of a file, each event checked before its record is handed out.
 * @throws WaymarkError input-invalid or limit-exceeded, with file, place, line and reason
 */
export async function* readEventRecords(file: string, json: JsonFile): AsyncGenerator<ShipmentRecord> {
  const list = json.frame === undefined ? undefined : eventListOf(json.frame.value);
  if (json.frame !== undefined && list !== undefined) {
    yield* readDocument(file, json, json.frame, list);
    return;
  }
  for await (const item of json.items()) {
    const event = checked(file, item, validateBareEvent(item.value));
    yield checkRecord(file, item, eventRecord(event), placeInEvent);
  }
}
