/** Rules of the event hash id, on events written here. */
import fc from 'fast-check';
import type { JsonObject } from '@waymark/protocol';
import { eventHashId, eventPreHash } from '../src/index.ts';
import { plainDecimal } from '../src/epcis/event-hash/value.ts';

const context = ['https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld', { ex: 'https://ex.example/ns/' }];
const departure: JsonObject = {
  '@context': context,
  type: 'ObjectEvent',
  eventTime: '2026-03-01T11:00:30.000+01:00',
  eventTimeZoneOffset: '+01:00',
  epcList: ['urn:epc:id:sscc:9520011.0880000001', 'urn:epc:id:sscc:9520011.0880000002'],
  action: 'OBSERVE',
  bizStep: 'departing',
  readPoint: { id: 'urn:epc:id:sgln:9520011.00012.0' },
  bizTransactionList: [
    { type: 'desadv', bizTransaction: 'urn:epcglobal:cbv:bt:9520011000007:4711' },
    { type: 'inv', bizTransaction: 'urn:epcglobal:cbv:bt:9520011000007:RE1099' },
  ],
  sourceList: [{ type: 'possessing_party', source: 'urn:epc:id:pgln:9520011.00000' }],
  destinationList: [
    { type: 'possessing_party', destination: 'urn:epc:id:pgln:9520031.00000' },
    { type: 'location', destination: 'urn:epc:id:sgln:9520031.00012.0' },
  ],
  'ex:seal': { 'ex:number': 12, 'ex:colours': ['red', 'blue'] },
};

function without(member: string): JsonObject {
  return Object.fromEntries(Object.entries(departure).filter(([name]) => name !== member));
}

test('an id has the form of RFC 6920 and names the version of the vocabulary', () => {
  expect(eventHashId(departure)).toMatch(/^ni:\/\/\/sha-256;[0-9a-f]{64}\?ver=CBV2\.0$/);
});

test('fields stand in the order of the standard, whatever their order in the event', () => {
  expect(eventPreHash(departure)).toBe(
    'eventType=ObjectEvent' +
      'eventTime=2026-03-01T10:00:30.000Z' +
      'eventTimeZoneOffset=+01:00' +
      'epcListepc=https://id.gs1.org/00/095200118800000015epc=https://id.gs1.org/00/095200118800000022' +
      'action=OBSERVE' +
      'bizStep=https://ref.gs1.org/cbv/BizStep-departing' +
      'readPointid=https://id.gs1.org/414/9520011000123' +
      'bizTransactionList' +
      'type=https://ref.gs1.org/cbv/BTT-desadvbizTransaction=urn:epcglobal:cbv:bt:9520011000007:4711' +
      'type=https://ref.gs1.org/cbv/BTT-invbizTransaction=urn:epcglobal:cbv:bt:9520011000007:RE1099' +
      'sourceListtype=https://ref.gs1.org/cbv/SDT-possessing_partysource=https://id.gs1.org/417/9520011000000' +
      'destinationList' +
      'type=https://ref.gs1.org/cbv/SDT-locationdestination=https://id.gs1.org/414/9520031000127' +
      'type=https://ref.gs1.org/cbv/SDT-possessing_partydestination=https://id.gs1.org/417/9520031000004' +
      '{https://ex.example/ns/}seal{https://ex.example/ns/}colours=blue{https://ex.example/ns/}colours=red' +
      '{https://ex.example/ns/}number=12',
  );
});

describe('the same event hashes alike', () => {
  const same: readonly (readonly [how: string, change: JsonObject])[] = [
    ['in another zone', { eventTime: '2026-03-01T10:00:30Z' }],
    ['with more digits of the second', { eventTime: '2026-03-01T10:00:30.0004999+00:00' }],
    ['with lists in another order', { epcList: (departure['epcList'] as string[]).toReversed() }],
    ['with Digital Links for EPC URIs', { readPoint: { id: 'https://example.com/gln/9520011000123?x=1' } }],
    ['with the web URI of a word', { bizStep: 'https://ref.gs1.org/cbv/BizStep-departing' }],
    ['with the URN of a word', { bizStep: 'urn:epcglobal:cbv:bizstep:departing' }],
    ['with a compact IRI for a word', { bizStep: 'cbv:BizStep-departing' }],
    ['under an id', { eventID: 'urn:uuid:f81d4fae-7dec-41d0-a765-00a0c91e6bf6' }],
    ['recorded later', { recordTime: '2026-03-02T00:00:00Z' }],
    ['declared erroneous', { errorDeclaration: { declarationTime: '2026-03-03T00:00:00Z' } }],
    ['with a comment', { 'rdfs:comment': 'seen by the gate' }],
    ['with an empty list', { quantityList: [] }],
    ['with blanks around an id', { readPoint: { id: ' urn:epc:id:sgln:9520011.00012.0 ' } }],
    ['with numbers that only look different', { 'ex:seal': { 'ex:number': 12.0, 'ex:colours': ['blue', 'red'] } }],
  ];
  test.each(same)('%s', (_how, change) => {
    expect(eventPreHash({ ...departure, ...change })).toBe(eventPreHash(departure));
  });

  test('with another prefix for the namespace, or the name in full', () => {
    const renamed = {
      ...without('ex:seal'),
      '@context': { other: 'https://ex.example/ns/' },
      'other:seal': { 'https://ex.example/ns/number': 12, 'other:colours': ['red', 'blue'] },
    };
    expect(eventPreHash(renamed)).toBe(eventPreHash(departure));
  });

  test('with the context at the document', () => {
    expect(eventPreHash(without('@context'), { context })).toBe(eventPreHash(departure));
  });

  test('with members in any order', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(Object.keys(departure), { minLength: Object.keys(departure).length }),
        (names) => {
          const shuffled = Object.fromEntries(names.map((name) => [name, departure[name] ?? null]));
          expect(eventHashId(shuffled)).toBe(eventHashId(departure));
        },
      ),
    );
  });
});

describe('another event hashes differently', () => {
  const other: readonly (readonly [how: string, change: JsonObject])[] = [
    ['another millisecond', { eventTime: '2026-03-01T10:00:30.001Z' }],
    ['another offset', { eventTimeZoneOffset: '+00:00' }],
    ['another EPC', { epcList: ['urn:epc:id:sscc:9520011.0880000001'] }],
    ['another type of transaction', { bizTransactionList: [{ bizTransaction: 'urn:epcglobal:cbv:bt:9520011000007:4711' }] }],
    ['another extension', { 'ex:seal': { 'ex:number': 13, 'ex:colours': ['red', 'blue'] } }],
    ['a certificate', { certificationInfo: 'https://example.com/certificate' }],
    ['an ILMD', { ilmd: { 'ex:lot': '1' } }],
    ['a disposition that stays', { persistentDisposition: { set: ['recalled'] } }],
  ]; // prettier-ignore
  test.each(other)('%s', (_how, change) => {
    expect(eventHashId({ ...departure, ...change })).not.toBe(eventHashId(departure));
  });
});

test('a time is rounded at its fourth decimal, into the next second where it must', () => {
  const time = (eventTime: string): string =>
    /eventTime=(.*?Z)/.exec(eventPreHash({ ...departure, eventTime }))?.[1] ?? '';
  expect(time('2026-12-31T23:59:59.9995Z')).toBe('2027-01-01T00:00:00.000Z');
  expect(time('2026-12-31T23:59:59.99949Z')).toBe('2026-12-31T23:59:59.999Z');
  expect(time('2016-12-31T23:59:60Z')).toBe('2017-01-01T00:00:00.000Z');
});

test('a sensor element: metadata, sorted reports, extensions at the end of what they belong to', () => {
  const event = {
    ...departure,
    sensorElementList: [
      {
        'ex:b': 2,
        sensorReport: [
          { uom: 'CEL', type: 'Temperature', value: 26.5, 'ex:z': true },
          { type: 'gs1:AbsoluteHumidity', component: 'x', exception: 'ALARM_CONDITION', stringValue: '0070' },
        ],
        sensorMetadata: {
          'ex:a': '1',
          deviceID: 'urn:epc:id:giai:9520021.LOGGER300',
          time: '2026-03-01T11:00:00+01:00',
        },
      },
    ],
  };
  expect(eventPreHash(event)).toContain(
    'sensorElementListsensorElement' +
      'sensorMetadatatime=2026-03-01T10:00:00.000ZdeviceID=https://id.gs1.org/8004/9520021LOGGER300{https://ex.example/ns/}a=1' +
      'sensorReporttype=https://gs1.org/voc/AbsoluteHumidityexception=https://gs1.org/voc/ALARM_CONDITION' +
      'component=https://ref.gs1.org/cbv/Comp-xstringValue=0070' +
      'sensorReporttype=https://gs1.org/voc/Temperaturevalue=26.5uom=CEL{https://ex.example/ns/}z=true' +
      '{https://ex.example/ns/}b=2',
  );
});

test('fields that the document excludes are not hashed', () => {
  expect(eventPreHash({ ...departure, 'ex:captureID': 'c1' }, { ignoredFields: ['ex:captureID'] })).toBe(
    eventPreHash(departure),
  );
});

test('numbers are written without exponent and without trailing zeros', () => {
  expect([0, -0, 1e21, 1.5e-7, -2.25e-8, 123456.789, 1e-6, -1.25e22].map(plainDecimal)).toEqual([
    '0',
    '0',
    '1000000000000000000000',
    '0.00000015',
    '-0.0000000225',
    '123456.789',
    '0.000001',
    '-12500000000000000000000',
  ]);
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = plainDecimal(value);
      expect(text).toMatch(/^-?\d+(?:\.\d*[1-9])?$/);
      expect(Number(text)).toBe(value === 0 ? 0 : value);
    }),
  );
});

test('any JSON object has a pre-hash string', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (event) => {
      expect(typeof eventPreHash(event as JsonObject)).toBe('string');
    }),
  );
});
