/** EPCIS events as shipment records. */
import { recordLimits, type BusinessId, type JsonObject, type JsonValue, type ShipmentRecord } from '@waymark/protocol';
import { checkDigit } from '../gs1/check-digit.ts';
import { isObject } from '../json/value.ts';
import { eventHashId, type EventSurroundings } from './event-hash/event-hash.ts';
import { canonicalUri } from './event-hash/value.ts';
import { utcMilliseconds } from './schema/time.ts';

/** Schema id of payloads that are EPCIS 2.0 events. */
export const epcisSchema = 'epcis-2.0';

function textsOf(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

function objectsOf(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter((item) => isObject(item)) : [];
}

function member(value: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

const epcLists = ['epcList', 'childEPCs', 'inputEPCList', 'outputEPCList'] as const;
const quantityLists = ['quantityList', 'childQuantityList', 'inputQuantityList', 'outputQuantityList'] as const;

/** Identifiers of the event, by what they say about it. */
interface Identifiers {
  readonly parent: readonly string[];
  readonly epcs: readonly string[];
  readonly classes: readonly string[];
  readonly transactions: readonly { readonly type: string; readonly id: string }[];
}

function identifiersOf(event: JsonObject): Identifiers {
  const parent = member(event, 'parentID');
  return {
    parent: typeof parent === 'string' ? [parent] : [],
    epcs: epcLists.flatMap((name) => textsOf(member(event, name))),
    classes: quantityLists
      .flatMap((name) => objectsOf(member(event, name)))
      .map((element) => member(element, 'epcClass'))
      .filter((epcClass) => typeof epcClass === 'string'),
    transactions: objectsOf(member(event, 'bizTransactionList')).flatMap((transaction) => {
      const [type, id] = [member(transaction, 'type'), member(transaction, 'bizTransaction')];
      return typeof id === 'string' ? [{ type: typeof type === 'string' ? type : '', id }] : [];
    }),
  };
}

function isSscc(uri: string): boolean {
  return /^https:\/\/id\.gs1\.org\/00\/\d{18}$/.test(canonicalUri(uri));
}

/**
 * The unit an event belongs to, in this order: a purchase order, a despatch advice, the parent (the pallet or container that
 * things are put on), an SSCC, any EPC, any class. Names too long for a consignment are passed over; `undefined` when none is left.
 */
function consignmentOf({ parent, epcs, classes, transactions }: Identifiers): string | undefined {
  const ofType = (word: string): string[] =>
    transactions.filter(({ type }) => type === word || type.endsWith(`BTT-${word}`)).map(({ id }) => id);
  const candidates = [...ofType('po'), ...ofType('desadv'), ...parent, ...epcs.filter(isSscc), ...epcs, ...classes];
  return candidates.find((id) => Buffer.byteLength(id) <= recordLimits.consignmentBytes);
}

/** Types whose canonical URI is unmistakable: digits that end in their check digit, and the qualifier that makes the type. */
const typedForms: readonly (readonly [type: string, form: RegExp])[] = [
  ['sscc', /^https:\/\/id\.gs1\.org\/00\/(\d{18})$/],
  ['sgtin', /^https:\/\/id\.gs1\.org\/01\/(\d{14})\/21\/[^/]+$/],
  ['lgtin', /^https:\/\/id\.gs1\.org\/01\/(\d{14})\/10\/[^/]+$/],
  ['gtin', /^https:\/\/id\.gs1\.org\/01\/(\d{14})$/],
];

/** A GS1 key under the name of its scheme and as canonical URI, so that both spellings are one; other EPCs as they are. */
function epcId(uri: string): BusinessId {
  const canonical = canonicalUri(uri);
  for (const [type, form] of typedForms) {
    const digits = form.exec(canonical)?.[1];
    if (digits !== undefined && checkDigit(digits.slice(0, -1)) === digits.at(-1)) return { type, value: canonical };
  }
  return { type: 'epc', value: uri };
}

/** An event with more identifiers than a record may have is found by its first ones. */
function businessIdsOf({ parent, epcs, classes, transactions }: Identifiers): BusinessId[] {
  const ids = [
    ...parent.map(epcId),
    ...transactions.map(({ id }): BusinessId => ({ type: 'biztransaction', value: id })),
    ...epcs.map(epcId),
    ...classes.map(epcId),
  ];
  const distinct = new Map(ids.map((id) => [`${id.type} ${id.value}`, id]));
  return [...distinct.values()].slice(0, recordLimits.businessIds);
}

function partsOf(context: JsonValue | undefined): readonly JsonValue[] {
  if (context === undefined) return [];
  return Array.isArray(context) ? (context as readonly JsonValue[]) : [context];
}

/** The event with all of the context that is in scope for it, so that it can be read without its document. */
function standingAlone(event: JsonObject, context: JsonValue | undefined): JsonObject {
  if (context === undefined) return event;
  const own = member(event, '@context');
  return { ...event, '@context': own === undefined ? context : [...partsOf(context), ...partsOf(own)] };
}

/**
 * The record of one valid event. The id is the event's own, or its CBV hash id; an event that declares an earlier one erroneous is
 * the next revision of the same record, since it carries the same id.
 * @param surroundings what the document declares; nothing for an event that came alone
 */
export function eventRecord(event: JsonObject, surroundings: EventSurroundings = {}): ShipmentRecord {
  const ownId = member(event, 'eventID');
  const eventId = typeof ownId === 'string' ? ownId : eventHashId(event, surroundings);
  const identifiers = identifiersOf(event);
  const eventTime = member(event, 'eventTime');
  return {
    eventId,
    revision: Object.hasOwn(event, 'errorDeclaration') ? 1 : 0,
    consignment: consignmentOf(identifiers) ?? eventHashId(event, surroundings),
    schema: epcisSchema,
    collectionTime: (typeof eventTime === 'string' ? utcMilliseconds(eventTime) : undefined) ?? '',
    businessIds: businessIdsOf(identifiers),
    payload: standingAlone(event, surroundings.context),
  };
}
