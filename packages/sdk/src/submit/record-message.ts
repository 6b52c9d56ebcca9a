import { type ShipmentRecord, validateRecord, WaymarkError } from '@waymark/protocol';
import type { RecordMessage } from '@waymark/transport';

/** A record as `submit` takes it: what may be left out is. */
export type RecordInput = Omit<ShipmentRecord, 'revision' | 'businessIds'> &
  Partial<Pick<ShipmentRecord, 'revision' | 'businessIds'>>;

const maxPayloadSizeBytes = 1024 * 1024;

/** A record ready to be sent. */
export interface PreparedRecord {
  readonly message: RecordMessage;
  readonly sizeBytes: number;
}

/** Checks a record and gives it the form it travels in. @throws WaymarkError input-invalid, limit-exceeded */
export function prepareRecord(input: RecordInput, ref: number): PreparedRecord {
  const record = validateRecord({ revision: 0, businessIds: [], ...input });
  const payloadJson = Buffer.from(JSON.stringify(record.payload), 'utf8');
  if (payloadJson.length > maxPayloadSizeBytes) {
    throw new WaymarkError('limit-exceeded', 'The payload is too large.', {
      details: { sizeBytes: payloadJson.length, maxBytes: maxPayloadSizeBytes },
    });
  }
  const { eventId, revision, consignment, schema, collectionTime, businessIds } = record;
  return {
    message: {
      ref,
      eventId,
      revision,
      consignment,
      schema,
      collectionTime,
      businessIds: [...businessIds],
      payloadJson,
    },
    sizeBytes: payloadJson.length + 512,
  };
}
