import type { JsonObject, JsonValue } from '@waymark/protocol';
import { contentOfKind, contentRule, contentRules, type EnterpriseKind } from '../src/index.ts';
import { contentOf, factsOf, headerOfRecord, nowMs, openedFacts, reasonAtCenter } from './records.ts';

const earlier = new Date(nowMs - 10_000).toISOString();
const later = new Date(nowMs + 10_000).toISOString();
const authority = { authority: 'Food Safety Office', subject: 'urn:epc:id:sgln:9520012.00011.0' };

/** For each schema: a payload that keeps its rules, and for each member what happens without it and what it may not be. */
const cases: readonly [
  EnterpriseKind,
  string,
  JsonObject,
  readonly [member: string, word: string, wrong: JsonValue][],
][] = [
  [
    'producer',
    'waymark/production/v1',
    { batch: 'L26141B', producedAt: earlier, process: 'freezing', materials: ['fish'], line: 4 },
    [
      ['batch', 'batch-number', ''],
      ['producedAt', 'production-time', later],
      ['process', 'process', 7],
      ['materials', 'raw-materials', []],
      ['line', 'line-number', {}],
    ],
  ],
  [
    'producer',
    'epcis-2.0',
    { type: 'ObjectEvent', bizStep: 'commissioning', eventTime: earlier, ilmd: { 'cbvmda:lotNumber': 'L26141B' } },
    [
      ['ilmd', 'batch-number', { 'cbvmda:lotNumber': ' ' }],
      ['eventTime', 'production-time', 'yesterday'],
    ],
  ],
  [
    'producer',
    'epcis-2.0',
    { type: 'TransformationEvent', eventTime: earlier, inputEPCList: ['urn:epc:id:sgtin:9520012.010034.1'] },
    [['inputEPCList', 'raw-materials', []]],
  ],
  [
    'carrier',
    'waymark/transport/v1',
    { at: earlier, storage: 'chilled', batch: 'L26141B', route: ['FRA', 'JFK'] },
    [
      ['at', 'transport-time', '2026-02-30T00:00:00Z'],
      ['storage', 'storage-mode', 'somewhere'],
      ['batch', 'shipment-batch', ''],
      ['route', 'route', []],
    ],
  ],
  [
    'carrier',
    'cargo2000-milestone-v1',
    { effective: { endTime: earlier }, shipment: 5, leg: { id: 6 }, service: 'DEP' },
    [
      ['effective', 'transport-time', { endTime: later }],
      ['shipment', 'shipment-batch', 'five'],
      ['leg', 'route', { id: 'six' }],
      ['service', 'transport-service', 'XXX'],
    ],
  ],
  [
    'carrier',
    'epcis-2.0',
    {
      type: 'ObjectEvent',
      bizStep: 'https://ref.gs1.org/cbv/BizStep-loading',
      eventTime: earlier,
      epcList: ['urn:epc:id:sscc:9520012.0000000001'],
      readPoint: { id: 'urn:epc:id:sgln:9520012.00011.0' },
    },
    [
      ['eventTime', 'transport-time', later],
      ['epcList', 'shipment-batch', []],
      ['readPoint', 'route', { id: '' }],
    ],
  ],
  [
    'seller',
    'waymark/sale/v1',
    { sale: 'R-4411', soldAt: earlier, items: [{ item: 'tulips', quantity: 20 }] },
    [
      ['sale', 'sale-number', 4411],
      ['soldAt', 'sale-time', later],
      ['items', 'sold-item', []],
    ],
  ],
  [
    'seller',
    'waymark/sale/v1',
    { sale: 'R-4411', soldAt: earlier, item: 'tulips', quantity: 20 },
    [['quantity', 'sold-quantity', 'twenty']],
  ],
  [
    'seller',
    'epcis-2.0',
    {
      bizStep: 'urn:epcglobal:cbv:bizstep:retail_selling',
      eventTime: earlier,
      epcList: ['urn:epc:id:sgtin:9520012.010034.1'],
    },
    [
      ['eventTime', 'sale-time', later],
      ['epcList', 'sold-item', []],
    ],
  ],
  [
    'regulator',
    'waymark/approval/v1',
    { ...authority, approval: 'A-1', decision: 'granted', decidedAt: earlier },
    [
      ['authority', 'authority', ' '],
      ['subject', 'subject', 1],
      ['approval', 'approval-number', ''],
      ['decision', 'decision', 'perhaps'],
      ['decidedAt', 'decision-time', later],
    ],
  ],
  [
    'regulator',
    'waymark/spot-check/v1',
    { ...authority, checkedAt: earlier, result: 'passed' },
    [
      ['checkedAt', 'check-time', later],
      ['result', 'check-result', 'good'],
    ],
  ],
  [
    'regulator',
    'waymark/quarantine/v1',
    { ...authority, place: 'Hall 4', state: 'ordered', at: earlier },
    [
      ['place', 'quarantine-place', ''],
      ['state', 'quarantine-state', 'open'],
      ['at', 'quarantine-time', later],
    ],
  ],
  [
    'regulator',
    'waymark/border-crossing/v1',
    { ...authority, direction: 'entry', place: 'Rotterdam', at: earlier },
    [
      ['direction', 'crossing-direction', 'in'],
      ['place', 'crossing-place', ''],
      ['at', 'crossing-time', later],
    ],
  ],
];

describe.each(cases)('a %s and %s', (kind, schema, payload, fields) => {
  const rules = contentRules([kind]);
  const reason = (changed: JsonObject): string | null => reasonAtCenter(rules, openedFacts(contentOf(schema, changed)));

  test('a record that says everything is let in', () => {
    expect(reason(payload)).toBeNull();
  });

  test.each(fields)('%s: %s has to be there and to be right', (member, word, wrong) => {
    const without = Object.fromEntries(Object.entries(payload).filter(([name]) => name !== member));
    expect(reason(without)).toBe(`${word}-missing`);
    expect(reason({ ...payload, [member]: null })).toBe(`${word}-missing`);
    expect(reason({ ...payload, [member]: wrong })).toBe(`${word}-invalid`);
  });
});

test('every schema that a rule set names has a case here', () => {
  const described = Object.entries(contentOfKind).flatMap(([kind, descriptions]) =>
    descriptions.map(({ schema }) => `${kind} ${schema}`),
  );
  const tried = new Set(cases.map(([kind, schema]) => `${kind} ${schema}`));
  expect(described.filter((name) => !tried.has(name))).toEqual([]);
});

describe('content', () => {
  const all = contentRules(['producer', 'carrier', 'seller', 'regulator']);

  test('records of other schemas are no business of the rules', () => {
    expect(reasonAtCenter(all, openedFacts(contentOf('parcel-scan-v1', { station: 'infeed' })))).toBeNull();
    expect(reasonAtCenter(all, openedFacts(contentOf('epcis-2.0', { bizStep: 'inspecting' })))).toBeNull();
  });

  test('a record that is sealed to the center is let in unseen', () => {
    expect(reasonAtCenter(all, factsOf({ content: 'sealed' }))).toBeNull();
  });

  test('content that is no record, or of another schema than its envelope says, is refused', () => {
    expect(reasonAtCenter(all, factsOf({ content: 'unreadable' }))).toBe('content-unreadable');
    const content = contentOf('waymark/sale/v1', {});
    const envelope = headerOfRecord(0, { schema: 'parcel-scan-v1' });
    expect(reasonAtCenter(all, factsOf({ envelope, content }))).toBe('content-mismatch');
  });

  test('a firm describes what its own records must say', () => {
    const own = contentRules(
      [],
      [
        {
          schema: 'parcel-scan-v*',
          when: { at: '/station', oneOf: ['weighing'] },
          fields: [
            { name: 'weight', places: [{ at: '/weightGrams', value: 'number' }] },
            { name: 'seal', places: [{ at: '/seal', value: { contains: ['PX'] } }], optional: true },
          ],
        },
      ],
    );
    const reason = (payload: JsonObject): string | null =>
      reasonAtCenter(own, openedFacts(contentOf('parcel-scan-v1', payload)));
    expect(reason({ station: 'infeed' })).toBeNull();
    expect(reason({ station: 'weighing' })).toBe('weight-missing');
    expect(reason({ station: 'weighing', weightGrams: 5 })).toBeNull();
    expect(reason({ station: 'weighing', weightGrams: 5, seal: 'AB1' })).toBe('seal-invalid');
  });

  test.each([
    ['a name that makes no code', { name: 'Not a name', places: [{ at: '/a', value: 'text' as const }] }],
    ['a pointer that is none', { name: 'a', places: [{ at: 'a', value: 'text' as const }] }],
    ['a field without places', { name: 'a', places: [] }],
  ])('%s is refused', (_name, field) => {
    expect(() => contentRule({ schema: 's', fields: [field] })).toThrow('cannot be used');
  });
});
