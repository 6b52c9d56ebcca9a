/** Any JSON value. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** An id under which people look a record up: an SSCC, a GTIN with serial, an order number. */
export interface BusinessId {
  readonly type: string;
  readonly value: string;
}

/** One shipment record as a client submits it (docs/formats.md, "Record"). */
export interface ShipmentRecord {
  /** The caller's id of the event; with `revision` it names the record for good. */
  readonly eventId: string;
  /** 0 for the first version, then increasing. */
  readonly revision: number;
  /** The unit a firm would share as a whole: an order, a container, a lot. */
  readonly consignment: string;
  /** Id of the schema the payload follows. */
  readonly schema: string;
  /** When the fact was collected, RFC 3339. */
  readonly collectionTime: string;
  readonly businessIds: readonly BusinessId[];
  readonly payload: JsonValue;
}

/** What is sealed: the record less what the envelope header already says. */
export interface RecordContent {
  readonly eventId: string;
  readonly revision: number;
  readonly schema: string;
  readonly businessIds: readonly BusinessId[];
  readonly payload: JsonValue;
}

/** Trust state of an answer (architecture invariant 5). */
export type TrustState = 'final' | 'anchored' | 'confirmed' | 'unverified';
