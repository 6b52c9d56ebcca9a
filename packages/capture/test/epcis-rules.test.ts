/** Rules of EPCIS 2.0 JSON one by one, on events written here: what breaks a rule is named with its place. */
import fc from 'fast-check';
import type { JsonObject } from '@waymark/protocol';
import { validateEpcis } from '../src/index.ts';
import { isTime } from '../src/epcis/schema/time.ts';
import { isUri } from '../src/epcis/schema/uri.ts';

const common = {
  '@context': 'https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld',
  eventTime: '2026-03-01T08:00:00Z',
  eventTimeZoneOffset: '+00:00',
};
const sscc = 'urn:epc:id:sscc:9520011.0880000001';
const quantity = { epcClass: 'urn:epc:class:lgtin:9520011.010010.L1', quantity: 1.5, uom: 'KGM' };
const po = { type: 'po', bizTransaction: 'urn:epcglobal:cbv:bt:9520011000000:1' };
const events: Readonly<Record<string, JsonObject>> = {
  ObjectEvent: { ...common, type: 'ObjectEvent', action: 'ADD', epcList: [sscc] },
  AggregationEvent: { ...common, type: 'AggregationEvent', action: 'ADD', parentID: sscc, childEPCs: [sscc] },
  AssociationEvent: {
    ...common,
    type: 'AssociationEvent',
    action: 'ADD',
    parentID: sscc,
    childQuantityList: [quantity],
  },
  TransactionEvent: { ...common, type: 'TransactionEvent', action: 'ADD', bizTransactionList: [po], epcList: [] },
  TransformationEvent: { ...common, type: 'TransformationEvent', inputEPCList: [sscc], outputQuantityList: [quantity] },
  'https://example.com/OwnEvent': { ...common, type: 'https://example.com/OwnEvent', anything: { goes: true } },
};

const placesOf = (value: unknown): string[] => validateEpcis(value).map(({ place }) => place);

function changed(type: string, changes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const event: Record<string, unknown> = { ...events[type], ...changes };
  return Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined));
}

test.each(Object.entries(events))('a small %s is valid', (_type, event) => {
  expect(validateEpcis(event)).toEqual([]);
});

describe('each kind of event needs what it is about', () => {
  const incomplete: readonly (readonly [type: string, changes: Record<string, unknown>, place: string])[] = [
    ['ObjectEvent', { epcList: undefined }, ''],
    ['ObjectEvent', { epcList: undefined, quantityList: [] }, ''],
    ['ObjectEvent', { action: undefined }, ''],
    ['ObjectEvent', { eventTime: undefined }, ''],
    ['ObjectEvent', { eventTimeZoneOffset: undefined }, ''],
    ['ObjectEvent', { '@context': undefined }, ''],
    ['ObjectEvent', { type: undefined }, '/type'],
    ['AggregationEvent', { childEPCs: [] }, ''],
    ['AssociationEvent', { parentID: undefined }, ''],
    ['AssociationEvent', { childQuantityList: [] }, ''],
    ['TransactionEvent', { epcList: undefined }, ''],
    ['TransactionEvent', { bizTransactionList: [] }, '/bizTransactionList'],
    ['TransactionEvent', { bizTransactionList: undefined }, ''],
    ['TransformationEvent', { inputEPCList: [] }, ''],
    ['TransformationEvent', { outputQuantityList: undefined }, ''],
    ['TransformationEvent', { transformationID: 'x:1', inputEPCList: [], outputQuantityList: [] }, ''],
  ];
  test.each(incomplete)('%s with %j', (type, changes, place) => {
    expect(placesOf(changed(type, changes))).toEqual([place]);
  });

  const complete: readonly (readonly [type: string, changes: Record<string, unknown>])[] = [
    ['ObjectEvent', { epcList: [] }],
    ['ObjectEvent', { epcList: undefined, quantityList: [quantity] }],
    ['ObjectEvent', { epcList: undefined, readPoint: { id: 'x:1' }, sensorElementList: [{ sensorReport: [{ type: 'Mass' }] }] }],
    ['AggregationEvent', { action: 'DELETE', childEPCs: undefined, parentID: undefined }],
    ['AssociationEvent', { action: 'DELETE', childQuantityList: undefined }],
    ['TransactionEvent', { action: 'DELETE', epcList: undefined }],
    ['TransformationEvent', { transformationID: 'x:1', inputEPCList: undefined }],
  ]; // prettier-ignore
  test.each(complete)('%s is complete with %j', (type, changes) => {
    expect(validateEpcis(changed(type, changes))).toEqual([]);
  });
});

describe('each field has its form', () => {
  const wrong: readonly (readonly [changes: Record<string, unknown>, place: string])[] = [
    [{ action: 'LOOK' }, '/action'],
    [{ eventTime: '2026-03-01T08:00:00' }, '/eventTime'],
    [{ recordTime: 5 }, '/recordTime'],
    [{ eventTimeZoneOffset: '+14:30' }, '/eventTimeZoneOffset'],
    [{ eventID: 'no id' }, '/eventID'],
    [{ epcList: [sscc, 'no uri'] }, '/epcList/1'],
    [{ epcList: [sscc, sscc] }, '/epcList/1'],
    [{ epcList: sscc }, '/epcList'],
    [{ quantityList: [{ quantity: 1 }] }, '/quantityList/0'],
    [{ quantityList: [{ ...quantity, uom: 'kg' }] }, '/quantityList/0/uom'],
    [{ quantityList: [{ ...quantity, 'x:note': 1 }] }, '/quantityList/0/x:note'],
    [{ quantityList: [{ ...quantity, quantity: '1' }] }, '/quantityList/0/quantity'],
    [{ bizStep: 'urn:epcglobal:cbv:bizstep:receiving' }, '/bizStep'],
    [{ bizStep: 'in_transit' }, '/bizStep'],
    [{ disposition: 'receiving' }, '/disposition'],
    [{ persistentDisposition: {} }, '/persistentDisposition'],
    [{ persistentDisposition: { set: [] } }, '/persistentDisposition/set'],
    [{ persistentDisposition: { set: ['recalled', 'recalled'] } }, '/persistentDisposition/set/1'],
    [{ persistentDisposition: { keep: ['recalled'] } }, '/persistentDisposition/keep'],
    [{ readPoint: {} }, '/readPoint'],
    [{ readPoint: 'x:1' }, '/readPoint'],
    [{ bizTransactionList: [{ type: 'order', bizTransaction: 'x:1' }] }, '/bizTransactionList/0/type'],
    [{ sourceList: [{ source: 'x:1' }] }, '/sourceList/0'],
    [{ destinationList: [{ type: 'location', destination: 'x' }] }, '/destinationList/0/destination'],
    [{ sensorElementList: [{}] }, '/sensorElementList/0'],
    [{ sensorElementList: [{ sensorReport: [] }] }, '/sensorElementList/0/sensorReport'],
    [{ sensorElementList: [{ sensorReport: [{ type: 'https://gs1.org/voc/Mass' }] }] }, '/sensorElementList/0/sensorReport/0/type'],
    [{ sensorElementList: [{ sensorReport: [{ type: 'Mass', hexBinaryValue: 'xy' }] }] }, '/sensorElementList/0/sensorReport/0/hexBinaryValue'],
    [{ sensorElementList: [{ sensorReport: [{ type: 'Mass', booleanValue: 'true' }] }] }, '/sensorElementList/0/sensorReport/0/booleanValue'],
    [{ errorDeclaration: {} }, '/errorDeclaration'],
    [{ errorDeclaration: { declarationTime: common.eventTime, reason: 'oops' } }, '/errorDeclaration/reason'],
    [{ certificationInfo: ['x'] }, '/certificationInfo'],
    [{ '@context': [] , ilmd: { lot: 1 } }, '/ilmd/lot'],
    [{ '@context': [{ a: 'x:' }, { a: 'x:' }] }, '/@context'],
    [{ extra: 1 }, '/extra'],
    [{ 'a/b~c': 1 }, '/a~1b~0c'],
    [{ parentID: sscc }, '/parentID'],
  ]; // prettier-ignore
  test.each(wrong)('%j', (changes, place) => {
    expect(placesOf(changed('ObjectEvent', changes))).toEqual([place]);
  });

  test('ILMD is for new things only', () => {
    expect(placesOf(changed('ObjectEvent', { action: 'OBSERVE', ilmd: {} }))).toEqual(['']);
    expect(placesOf(changed('ObjectEvent', { ilmd: { 'ex:lot': '1' } }))).toEqual([]);
  });
});

describe('a document', () => {
  const document = {
    '@context': common['@context'],
    type: 'EPCISDocument',
    schemaVersion: '2.0',
    creationDate: common.eventTime,
    epcisBody: { eventList: Object.values(events) },
  };
  test('holds events of any kind', () => {
    expect(validateEpcis(document)).toEqual([]);
  });
  test('says which of its events is wrong', () => {
    const eventList = [...Object.values(events), { type: 'ObjectEvent' }];
    expect(placesOf({ ...document, epcisBody: { eventList } })).toContain('/epcisBody/eventList/6');
  });
  test('names at most twenty problems', () => {
    expect(validateEpcis({ ...document, epcisBody: { eventList: Array.from({ length: 50 }, () => 7) } })).toHaveLength(
      20,
    );
  });
  test('needs its frame', () => {
    for (const name of ['@context', 'schemaVersion', 'creationDate', 'epcisBody'])
      expect(placesOf(Object.fromEntries(Object.entries(document).filter(([key]) => key !== name)))).toEqual(['']);
    expect(placesOf({ ...document, note: 1, 'ex:note': 1, sender: 1 })).toEqual(['/note', '/sender']);
    expect(placesOf({ ...document, epcisHeader: { epcisMasterData: { vocabularyList: [{ type: 'x:1', vocabularyElementList: [{}] }] } } })).toEqual(
      ['/epcisHeader/epcisMasterData/vocabularyList/0/vocabularyElementList/0'],
    ); // prettier-ignore
  });
});

test('whatever JSON comes, there is a verdict', () => {
  for (const value of [
    null,
    1,
    'x',
    [],
    [events['ObjectEvent']],
    {},
    { type: 1 },
    { type: 'constructor' },
    { type: '__proto__' },
  ])
    expect(validateEpcis(value)).not.toEqual([]);
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(events)), fc.string(), (value, type, name) => {
      expect(Array.isArray(validateEpcis({ ...events[type], [name]: value }))).toBe(true);
      expect(Array.isArray(validateEpcis(value))).toBe(true);
    }),
  );
});

test('URIs are those of RFC 3986', () => {
  const uris = [
    'a:b', 'urn:epc:id:sgtin:1.2.3', 'https://example.com', 'HTTP://EXAMPLE.com:80/a%20b?q#f', 'mailto:a@b.c', 'geo:1,2', 'a:/b:c',
    'http://[2001:db8::1]/', 'http://[::ffff:192.0.2.1]', 'http://[v1.x]/', 'http://[1:2:3:4:5:6:7:8]', 'http://u:p@h', 'ldap://[::]/c?o',
  ]; // prettier-ignore
  const others = [
    '', 'a', 'a:', '/a', '//a/b', 'a b:c', '1a:b', 'http://a b', 'http://a/é', 'http://a/%g0', 'http://[::1', 'http://[1::2::3]', 'a:b#c#d',
    'http://[1:2:3:4:5:6:7]', 'http://[::1.2.3.400]', 'http://a:x/', 'a:[b]', 'http://[1:2:3:4:5:6:7:8:9]', 'http://[1.2.3.4::]',
  ]; // prettier-ignore
  expect(uris.filter((text) => !isUri(text))).toEqual([]);
  expect(others.filter((text) => isUri(text))).toEqual([]);
});

test('times exist, and have a zone', () => {
  const times = [
    '2024-02-29T00:00:00Z', '2000-02-29T23:59:59.999999999-23:59', '2016-12-31T23:59:60Z', '2017-01-01T00:59:60+01:00', '0000-01-01t00:00:00z',
  ]; // prettier-ignore
  const others = [
    '2023-02-29T00:00:00Z', '1900-02-29T00:00:00Z', '2026-04-31T00:00:00Z', '2026-00-10T00:00:00Z', '2026-01-01T24:00:00Z', '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:60Z', '2026-01-01T00:00:00', '2026-01-01', '2026-01-01T00:00:00+24:00', '2026-01-01T00:00:00.Z', ' 2026-01-01T00:00:00Z',
  ]; // prettier-ignore
  expect(times.filter((text) => !isTime(text))).toEqual([]);
  expect(others.filter((text) => isTime(text))).toEqual([]);
});
