import { canonicalJsonBytes } from '../encoding/jcs.ts';
import { parseJsonStrict } from '../encoding/strict-json.ts';
import { WaymarkError } from '../errors.ts';
import { bytesEqual, sha256, toHex } from '../hash.ts';
import type { JsonObject, JsonValue, RecordContent, ShipmentRecord } from './record.ts';
import { recordLimits, validateContent } from './validate.ts';

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
 * Reads what `contentBytes` wrote, and nothing else: another spelling of the same content is refused, so that equal contents have equal
 * bytes.
 * @throws WaymarkError data-abnormal: an outlet sealed something else
 */
export function parseContent(bytes: Uint8Array): RecordContent {
  let content: RecordContent;
  try {
    content = validateContent(parseJsonStrict(bytes, { maxBytes: recordLimits.contentBytes }));
    if (bytesEqual(contentBytes(content), bytes)) return content;
  } catch (cause) {
    throw abnormal(cause);
  }
  throw abnormal();
}

function abnormal(cause?: unknown): WaymarkError {
  return new WaymarkError('data-abnormal', 'The sealed content is not a record.', { cause });
}

/** SHA-256 over JCS(payload), hex: how two parties who both have a payload compare it. Never stored, never on chain. */
export function contentDigest(payload: JsonValue): string {
  return toHex(sha256(canonicalJsonBytes(payload)));
}
