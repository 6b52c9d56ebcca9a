/** EPCIS events as shipment records: ids, units, what they can be looked up by, and payloads that stand alone. */
import { recordLimits, validateRecord, type JsonObject } from '@waymark/protocol';
import { epcisSchema, eventHashId, eventRecord } from '../src/index.ts';

const context = ['https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld', { ex: 'https://ex.example/ns/' }];
const event: JsonObject = {
  type: 'ObjectEvent',
  eventTime: '2026-03-01T09:00:00.0006+01:00',
  eventTimeZoneOffset: '+01:00',
  action: 'OBSERVE',
  epcList: ['urn:epc:id:sgtin:9520011.010010.1'],
};

test('an event keeps its own id, and gets its hash id when it has none', () => {
  expect(eventRecord({ ...event, eventID: 'urn:uuid:1' }).eventId).toBe('urn:uuid:1');
  expect(eventRecord(event, { context }).eventId).toBe(eventHashId(event, { context }));
});

test('the time of the event is the time of collection, in UTC', () => {
  expect(eventRecord(event)).toMatchObject({
    collectionTime: '2026-03-01T08:00:00.001Z',
    schema: epcisSchema,
    revision: 0,
  });
});

test('a declaration of error is the next revision under the same id', () => {
  const declaration = eventRecord({ ...event, errorDeclaration: { declarationTime: '2026-03-02T09:00:00Z' } });
  expect(declaration).toMatchObject({ eventId: eventRecord(event).eventId, revision: 1 });
});

describe('the consignment is the first there is of', () => {
  const steps: readonly (readonly [what: string, members: JsonObject, consignment: string])[] = [
    ['a class', { epcList: [], quantityList: [{ epcClass: 'urn:epc:idpat:sgtin:9520011.010010.*' }] }, 'urn:epc:idpat:sgtin:9520011.010010.*'],
    ['an EPC', { epcList: ['urn:epc:id:sgtin:9520011.010010.1'] }, 'urn:epc:id:sgtin:9520011.010010.1'],
    ['an SSCC', { inputEPCList: ['urn:epc:id:sscc:9520011.0880000001'] }, 'urn:epc:id:sscc:9520011.0880000001'],
    ['a parent', { parentID: 'https://example.com/pallet' }, 'https://example.com/pallet'],
    ['a despatch advice', { bizTransactionList: [{ type: 'inv', bizTransaction: 'x:i' }, { type: 'desadv', bizTransaction: 'x:d' }] }, 'x:d'],
    ['a purchase order', { bizTransactionList: [{ type: 'desadv', bizTransaction: 'x:d' }, { type: 'po', bizTransaction: 'x:p' }] }, 'x:p'],
  ]; // prettier-ignore
  test.each(steps.map(([what], index) => [what, index] as const))('%s', (_what, index) => {
    const members = Object.assign({}, event, ...steps.slice(0, index + 1).map((step) => step[1])) as JsonObject;
    expect(eventRecord(members).consignment).toBe(steps[index]?.[2]);
  });

  test('the event itself, when nothing else is named or names are too long', () => {
    const sensed = { ...event, epcList: [] };
    expect(eventRecord(sensed).consignment).toBe(eventHashId(sensed));
    const long = { ...event, epcList: [`https://example.com/${'x'.repeat(recordLimits.consignmentBytes)}`] };
    expect(eventRecord(long).consignment).toBe(eventHashId(long));
  });
});

test('an event can be looked up by all that it names, in one form', () => {
  const record = eventRecord({
    ...event,
    epcList: [
      'urn:epc:id:sgtin:9520011.010010.1',
      'https://example.com/01/09520011100106/21/1',
      'urn:epc:id:giai:9520021.L1',
    ],
    parentID: 'urn:epc:id:sscc:9520011.0880000001',
    quantityList: [
      { epcClass: 'urn:epc:class:lgtin:9520011.010010.L1' },
      { epcClass: 'urn:epc:idpat:sgtin:9520011.010010.*' },
    ],
    bizTransactionList: [{ bizTransaction: 'x:p' }],
  });
  expect(record.businessIds).toEqual([
    { type: 'sscc', value: 'https://id.gs1.org/00/095200118800000015' },
    { type: 'biztransaction', value: 'x:p' },
    { type: 'sgtin', value: 'https://id.gs1.org/01/09520011100106/21/1' },
    { type: 'epc', value: 'urn:epc:id:giai:9520021.L1' },
    { type: 'lgtin', value: 'https://id.gs1.org/01/09520011100106/10/L1' },
    { type: 'gtin', value: 'https://id.gs1.org/01/09520011100106' },
  ]);
});

test('a key with a wrong check digit is an EPC like any other URI', () => {
  const [id] = eventRecord({ ...event, epcList: ['https://id.gs1.org/00/095200118800000019'] }).businessIds;
  expect(id).toEqual({ type: 'epc', value: 'https://id.gs1.org/00/095200118800000019' });
});

test('no more ids are given than a record may have', () => {
  const epcList = Array.from({ length: 100 }, (_, serial) => `urn:epc:id:sgtin:9520011.010010.${serial}`);
  const record = eventRecord({ ...event, epcList });
  expect(record.businessIds).toHaveLength(recordLimits.businessIds);
  expect(validateRecord(record)).toEqual(record);
});

test('a payload stands alone: it has the context of its document, then its own', () => {
  const own = { ...event, '@context': { ex: 'https://other.example/' }, 'ex:a': 1 };
  expect(eventRecord(event, { context }).payload).toEqual({ ...event, '@context': context });
  expect(eventRecord(own, { context }).payload).toEqual({ ...own, '@context': [...context, own['@context']] });
  expect(eventRecord(own).payload).toEqual(own);
  // The later context wins, in the document and alone.
  expect(eventHashId(own, { context })).toBe(eventHashId(eventRecord(own, { context }).payload as JsonObject));
});
