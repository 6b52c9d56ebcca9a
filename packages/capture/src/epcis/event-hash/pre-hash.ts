/**
 * The pre-hash string of an EPCIS event (CBV 2.0 section 8.9.2): its fields in one fixed order, its lists sorted, its values in one
 * form, so that the same event written in another order, binding or spelling gives the same string.
 */
import type { JsonObject } from '@waymark/protocol';
import { isObject } from '../../json/value.ts';
import { splitCompact, type Namespaces } from '../json-ld/namespaces.ts';
import * as cbv from '../vocabulary.ts';
import { canonicalExtensionText, canonicalText, canonicalTime, canonicalWord, plainDecimal } from './value.ts';

/** Turns one member into its part of the string, key included; '' when there is nothing to say. */
type Write = (name: string, value: unknown, namespaces: Namespaces) => string;

/** A member that the standard defines, and how it is written. The order of a list of these is the order of the string. */
type Ordered = readonly (readonly [name: string, write: Write])[];

/** Sorted by bytes of UTF-8, as rule 10 says (the default order of JavaScript is that of UTF-16). */
function sorted(parts: readonly string[]): string[] {
  return parts.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function literal(value: unknown): string | undefined {
  if (typeof value === 'number') return plainDecimal(value);
  return typeof value === 'boolean' ? String(value) : undefined;
}

function assigned(name: string, value: string): string {
  return value === '' ? '' : `${name}=${value}`;
}

const plain: Write = (name, value, namespaces) =>
  sorted(
    itemsOf(value).map((item) =>
      assigned(name, typeof item === 'string' ? canonicalText(item, namespaces) : (literal(item) ?? '')),
    ),
  ).join('');

/** A value that is text and nothing else: offsets, string values, hexadecimal digits. */
const verbatim: Write = (name, value) => (typeof value === 'string' ? assigned(name, value.trim()) : '');
const time: Write = (name, value) => (typeof value === 'string' ? assigned(name, canonicalTime(value)) : '');

function word(vocabulary: cbv.Vocabulary): Write {
  return (name, value, namespaces) =>
    sorted(
      itemsOf(value).map((item) =>
        typeof item === 'string' ? assigned(name, canonicalWord(item.trim(), vocabulary, namespaces)) : '',
      ),
    ).join('');
}

/** A list of plain values under a name of their own: epcList → epc. */
function listOfPlain(itemName: string): Write {
  return (name, value, namespaces) => {
    const items = plain(itemName, value, namespaces);
    return items === '' ? '' : name + items;
  };
}

/** A list of objects; each becomes one string, with `itemName` before it if it has one. */
function listOfObjects(itemName: string, members: Ordered): Write {
  return (name, value, namespaces) => {
    const items = itemsOf(value)
      .filter((item) => isObject(item))
      .map((item) => writeMembers(item, members, namespaces))
      .filter((item) => item !== '');
    return items.length === 0 ? '' : name + sorted(items.map((item) => itemName + item)).join('');
  };
}

function object(members: Ordered): Write {
  return (name, value, namespaces) => {
    const content = isObject(value) ? writeMembers(value, members, namespaces) : '';
    return content === '' ? '' : name + content;
  };
}

/** Comments of the writer, which the XML binding has no field for. */
const comments = new Set(['rdfs:comment', 'comment']);

/** Key of an extension: {namespace}name. */
function extensionKey(name: string, namespaces: Namespaces): string {
  const compact = splitCompact(name, namespaces);
  if (compact !== undefined) return `{${compact.namespace}}${compact.local}`;
  const full = /^([a-z][a-z0-9+.-]*:\/\/.*[/#])([^/#]+)$/i.exec(name);
  return full ? `{${full[1] ?? ''}}${full[2] ?? ''}` : name;
}

function writeExtension(name: string, value: unknown, namespaces: Namespaces): string[] {
  if (comments.has(name)) return [];
  return itemsOf(value).flatMap((item): string[] => {
    const key = extensionKey(name, namespaces);
    if (Array.isArray(item)) return writeExtension(name, item, namespaces);
    if (isObject(item)) return [key + writeExtensions(item, namespaces)];
    const text = typeof item === 'string' ? canonicalExtensionText(item, namespaces) : literal(item);
    return text === undefined || text === '' ? [key] : [`${key}=${text}`];
  });
}

function writeExtensions(members: JsonObject, namespaces: Namespaces): string {
  return sorted(Object.entries(members).flatMap(([name, value]) => writeExtension(name, value, namespaces))).join('');
}

/** Members of the standard in their order, then whatever else the object holds (rule 21). */
function writeMembers(
  value: JsonObject,
  members: Ordered,
  namespaces: Namespaces,
  ignored: ReadonlySet<string> = new Set(),
): string {
  const standard = members.map(([name, write]) =>
    Object.hasOwn(value, name) ? write(name, value[name], namespaces) : '',
  );
  const known = new Set(members.map(([name]) => name));
  const others = Object.entries(value).filter(([name]) => !known.has(name) && !ignored.has(name));
  return standard.join('') + writeExtensions(Object.fromEntries(others), namespaces);
}

const quantities = listOfObjects('quantityElement', [
  ['epcClass', plain],
  ['quantity', plain],
  ['uom', verbatim],
]);

const location = object([['id', plain]]);

const sensorMetadata = object([
  ['time', time],
  ['startTime', time],
  ['endTime', time],
  ['deviceID', plain],
  ['deviceMetadata', plain],
  ['rawData', plain],
  ['dataProcessingMethod', plain],
  ['bizRules', plain],
]);

const sensorReportMembers: Ordered = [
  ['type', word(cbv.measurementTypes)],
  ['exception', word(cbv.sensorAlertTypes)],
  ['deviceID', plain],
  ['deviceMetadata', plain],
  ['rawData', plain],
  ['dataProcessingMethod', plain],
  ['time', time],
  ['microorganism', plain],
  ['chemicalSubstance', plain],
  ['value', plain],
  ['component', word(cbv.components)],
  ['stringValue', verbatim],
  ['booleanValue', plain],
  ['hexBinaryValue', verbatim],
  ['uriValue', plain],
  ['minValue', plain],
  ['maxValue', plain],
  ['meanValue', plain],
  ['sDev', plain],
  ['percRank', plain],
  ['percValue', plain],
  ['uom', verbatim],
  ['coordinateReferenceSystem', plain],
];

/** Reports have no list name of their own in the string: each is one "sensorReport...". */
const sensorReports: Write = (_name, value, namespaces) =>
  listOfObjects('sensorReport', sensorReportMembers)('', value, namespaces);

/** The canonical property order of CBV 2.0 section 8.9.2 (eventType comes before all). */
const eventMembers: Ordered = [
  ['eventTime', time],
  ['eventTimeZoneOffset', verbatim],
  ['certificationInfo', plain],
  ['epcList', listOfPlain('epc')],
  ['parentID', plain],
  ['inputEPCList', listOfPlain('epc')],
  ['childEPCs', listOfPlain('epc')],
  ['quantityList', quantities],
  ['childQuantityList', quantities],
  ['inputQuantityList', quantities],
  ['outputEPCList', listOfPlain('epc')],
  ['outputQuantityList', quantities],
  ['action', verbatim],
  ['transformationID', plain],
  ['bizStep', word(cbv.businessSteps)],
  ['disposition', word(cbv.dispositions)],
  [
    'persistentDisposition',
    object([
      ['set', word(cbv.dispositions)],
      ['unset', word(cbv.dispositions)],
    ]),
  ],
  ['readPoint', location],
  ['bizLocation', location],
  [
    'bizTransactionList',
    listOfObjects('', [
      ['type', word(cbv.businessTransactionTypes)],
      ['bizTransaction', plain],
    ]),
  ],
  [
    'sourceList',
    listOfObjects('', [
      ['type', word(cbv.sourceDestinationTypes)],
      ['source', plain],
    ]),
  ],
  [
    'destinationList',
    listOfObjects('', [
      ['type', word(cbv.sourceDestinationTypes)],
      ['destination', plain],
    ]),
  ],
  [
    'sensorElementList',
    listOfObjects('sensorElement', [
      ['sensorMetadata', sensorMetadata],
      ['sensorReport', sensorReports],
    ]),
  ],
  ['ilmd', object([])],
];

/** What says when and under which name the event was recorded, not what happened (CBV 2.0 section 8.9.1). */
const notHashed = ['@context', 'type', 'eventID', 'recordTime', 'errorDeclaration'] as const;

/**
 * The pre-hash string of an event.
 * @param namespaces what the prefixes in scope stand for
 * @param ignoredFields members that the sender excluded from the hash, by the names they carry in the event
 */
export function preHash(event: JsonObject, namespaces: Namespaces, ignoredFields: readonly string[] = []): string {
  const type = typeof event['type'] === 'string' ? event['type'] : '';
  return (
    assigned('eventType', canonicalText(type, namespaces)) +
    writeMembers(event, eventMembers, namespaces, new Set([...notHashed, ...ignoredFields]))
  );
}
