/** CBV 2.0 event hash ids (section 8.9): an id that everybody computes alike from the event itself. */
import { createHash } from 'node:crypto';
import type { JsonObject, JsonValue } from '@waymark/protocol';
import { namespacesOf } from '../json-ld/namespaces.ts';
import { preHash } from './pre-hash.ts';

/** Where an event stands: what its document declares for it. */
export interface EventSurroundings {
  /** `@context` of the document; the event's own comes on top. */
  readonly context?: JsonValue;
  /** Members that the document excludes from hashing (an extension member whose local name is `ignoreFields`). */
  readonly ignoredFields?: readonly string[];
}

/** The string that is hashed. */
export function eventPreHash(event: JsonObject, surroundings: EventSurroundings = {}): string {
  return preHash(event, namespacesOf(surroundings.context, event['@context']), surroundings.ignoredFields);
}

/** The event's id in the form of RFC 6920: `ni:///sha-256;<hex>?ver=CBV2.0`. */
export function eventHashId(event: JsonObject, surroundings: EventSurroundings = {}): string {
  const digest = createHash('sha256').update(eventPreHash(event, surroundings), 'utf8').digest('hex');
  return `ni:///sha-256;${digest}?ver=CBV2.0`;
}
