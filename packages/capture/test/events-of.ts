import type { JsonObject, JsonValue } from '@waymark/protocol';
import type { EventSurroundings } from '../src/epcis/event-hash/event-hash.ts';

/** The events of a document with what surrounds each, for tests that look at events one by one. */
export function eventsOf(document: JsonObject): { event: JsonObject; surroundings: EventSurroundings }[] {
  const body = document['epcisBody'] as JsonObject;
  const results = body['queryResults'] as JsonObject | undefined;
  const list = (results ? (results['resultsBody'] as JsonObject)['eventList'] : body['eventList']) as JsonObject[];
  const holder = results ?? document;
  const ignored = Object.entries(holder).find(([name]) => name.endsWith(':ignoreFields'))?.[1];
  const surroundings: EventSurroundings = {
    context: document['@context'] as JsonValue,
    ...(Array.isArray(ignored) ? { ignoredFields: ignored as string[] } : {}),
  };
  return list.map((event) => ({ event, surroundings }));
}
