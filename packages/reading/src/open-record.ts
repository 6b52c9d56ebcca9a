import { bytesEqual, isWaymarkError, parseContent, type RecordContent, WaymarkError } from '@waymark/protocol';
import { type EnvelopeHeader, normaliseBusinessId, openEnvelope, readEnvelopeHeader } from '@waymark/vault';
import type { Asked } from './ports.ts';

/** Where an envelope must come from to be the one that was meant. */
export interface EnvelopePlace {
  readonly channel: string;
  readonly msp: string;
  readonly outlet: string;
  readonly recordOid: Uint8Array;
}

/** Reads an envelope's header and checks its place. @throws WaymarkError data-abnormal */
export function headerAt(envelope: Uint8Array, place: EnvelopePlace): EnvelopeHeader {
  const header = readEnvelopeHeader(envelope);
  const fits =
    header.channel === place.channel &&
    header.msp === place.msp &&
    header.outlet === place.outlet &&
    bytesEqual(header.recordOid, place.recordOid);
  if (!fits) throw new WaymarkError('data-abnormal', 'Under this address lies the envelope of another record.');
  return header;
}

/**
 * Opens an envelope and checks that its content is what was asked for.
 * @throws WaymarkError data-abnormal: also when the key of the consignment does not open it, since the index named the key
 */
export function openContent(
  envelope: Uint8Array,
  place: EnvelopePlace,
  consignmentKey: Uint8Array,
  asked: Asked | undefined,
): RecordContent {
  let content: RecordContent;
  try {
    content = parseContent(openEnvelope({ bytes: envelope, expected: place, key: { ck: consignmentKey } }).content);
  } catch (cause) {
    if (isWaymarkError(cause, 'data-abnormal')) throw cause;
    throw new WaymarkError('data-abnormal', 'The envelope was not sealed under the key of its consignment.', { cause });
  }
  if (asked !== undefined && !answers(content, place, asked)) {
    throw new WaymarkError('data-abnormal', 'The record under this id is another record.');
  }
  return content;
}

function answers(content: RecordContent, place: EnvelopePlace, asked: Asked): boolean {
  if ('recordOid' in asked) return Buffer.from(place.recordOid).toString('hex') === asked.recordOid;
  if (asked.type === 'event') return content.eventId === asked.value;
  // The name of a consignment is not part of the record: which records belong to it is the outlet's own book-keeping.
  if (asked.type === 'consignment') return true;
  const wanted = normaliseBusinessId(asked);
  return content.businessIds.some((id) => {
    const own = normaliseBusinessId(id);
    return own.type === wanted.type && own.value === wanted.value;
  });
}
