import { canonicalJsonBytes } from '../encoding/jcs.ts';
import { parseJsonStrict } from '../encoding/strict-json.ts';
import { WaymarkError } from '../errors.ts';
import { sha256, toHex } from '../hash.ts';
import type { BusinessId, JsonObject, JsonValue, RecordContent, ShipmentRecord } from './record.ts';
import { recordLimits } from './validate.ts';

/** The part of a record that is sealed. */
export function recordContent({ eventId, revision, schema, businessIds, payload }: ShipmentRecord): RecordContent {
  return { businessIds, eventId, payload, revision, schema };
}

/**
 * Canonical bytes of a content: what is sealed and tagged.
 * @throws WaymarkError limit-exceeded above 1 MiB
 */
export function contentBytes(content: RecordContent): Uint8Array {
  const bytes = canonicalJsonBytes(content as unknown as JsonObject);
  if (bytes.length > recordLimits.contentBytes) {
    throw new WaymarkError('limit-exceeded', 'The record is too large.', {
      details: { sizeBytes: bytes.length, maxBytes: recordLimits.contentBytes },
    });
  }
  return bytes;
}

/**
 * Reads what `contentBytes` wrote.
 * @throws WaymarkError data-abnormal: an outlet sealed something else
 */
export function parseContent(bytes: Uint8Array): RecordContent {
  const abnormal = (cause?: unknown): WaymarkError =>
    new WaymarkError('data-abnormal', 'The sealed content is not a record.', { cause });
  let value: JsonValue;
  try {
    value = parseJsonStrict(bytes);
  } catch (cause) {
    throw abnormal(cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw abnormal();
  const { eventId, revision, schema, businessIds, payload } = value as Record<string, JsonValue | undefined>;
  const wellFormed =
    typeof eventId === 'string' &&
    typeof revision === 'number' &&
    typeof schema === 'string' &&
    Array.isArray(businessIds) &&
    payload !== undefined &&
    Object.keys(value).length === 5;
  if (!wellFormed) throw abnormal();
  return { eventId, revision, schema, businessIds: businessIds as unknown as readonly BusinessId[], payload };
}

/** SHA-256 over JCS(payload), hex: how two parties who both have a payload compare it. Never stored, never on chain. */
export function contentDigest(payload: JsonValue): string {
  return toHex(sha256(canonicalJsonBytes(payload)));
}
