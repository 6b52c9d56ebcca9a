import fc from 'fast-check';
import { isWaymarkError } from '@waymark/protocol';
import { normaliseBusinessId } from '../../src/ids/business-id.ts';
import { parseDigitalLink } from '../../src/ids/gs1/digital-link.ts';
import { aiFormats, bracketed, checkDigit } from '../../src/ids/gs1/identifier.ts';
import { Tally, describeVectors } from '../support/vectors.ts';

const normal = (type: string, value: string): string => {
  const id = normaliseBusinessId({ type, value });
  return `${id.type} ${id.value}`;
};
const codeOf = (type: string, value: string): string => {
  try {
    return normal(type, value);
  } catch (error) {
    if (isWaymarkError(error)) return error.code;
    throw error;
  }
};

test.each([
  [
    'sscc (00)106141412345678908',
    [
      ['sscc', '106141412345678908'],
      ['sscc', '00106141412345678908'],
      ['SSCC', ' (00)106141412345678908 '],
      ['sscc', 'urn:epc:id:sscc:0614141.1234567890'],
      ['epc', 'urn:epc:id:sscc:0614141.1234567890'],
      ['epc', 'https://id.gs1.org/00/106141412345678908'],
      ['gs1', 'http://example.com/some/stem/00/106141412345678908?linkType=gs1:pip'],
    ],
  ],
  [
    'sgtin (01)80614141123458(21)6789',
    [
      ['epc', 'urn:epc:id:sgtin:0614141.812345.6789'],
      ['sgtin', '(01)80614141123458(21)6789'],
      ['gtin', 'https://id.gs1.org/01/80614141123458/21/6789'],
      ['digital-link', 'https://example.org/gtin/80614141123458/ser/6789#x'],
    ],
  ],
  [
    'sgtin (01)80614141123458(21)32a/b',
    [
      ['epc', 'urn:epc:id:sgtin:0614141.812345.32a%2Fb'],
      ['epc', 'https://id.gs1.org/01/80614141123458/21/32a%2fb'],
      ['sgtin', '(01)80614141123458(21)32a/b'],
    ],
  ],
  [
    'gtin (01)09521234543213',
    [
      ['gtin', '9521234543213'],
      ['gtin', '09521234543213'],
      ['epc', 'https://id.gs1.org/01/9521234543213'],
      ['epc', 'urn:epc:idpat:sgtin:9521234.054321.*'],
    ],
  ],
  ['gtin (01)00000002345673', [['gtin', '02345673']]],
  [
    'lgtin (01)04012345123456(10)998877',
    [
      ['epc', 'https://id.gs1.org/01/04012345123456/10/998877'],
      ['epc', 'urn:epc:class:lgtin:4012345.012345.998877'],
    ],
  ],
  [
    'gln (414)4012345000054',
    [
      ['gln', '4012345000054'],
      ['epc', 'urn:epc:id:sgln:4012345.00005.0'],
      ['epc', 'https://id.example.com/414/4012345000054'],
    ],
  ],
  [
    'sgln (414)4012345000054(254)dock-7',
    [
      ['epc', 'urn:epc:id:sgln:4012345.00005.dock-7'],
      ['gln', 'https://id.example.com/414/4012345000054/254/dock-7'],
    ],
  ],
  [
    'pgln (417)4012345000054',
    [
      ['epc', 'urn:epc:id:pgln:4012345.00005'],
      ['pgln', '(417)4012345000054'],
    ],
  ],
  [
    'grai (8003)00614141123452A9',
    [
      ['epc', 'urn:epc:id:grai:0614141.12345.A9'],
      ['grai', '(8003)00614141123452A9'],
    ],
  ],
  [
    'giai (8004)4000001111',
    [
      ['epc', 'urn:epc:id:giai:4000001.111'],
      ['epc', 'https://id.gs1.org/8004/4000001111'],
    ],
  ],
  ['gsrn (8018)061414112345678902', [['epc', 'urn:epc:id:gsrn:0614141.1234567890']]],
  [
    'gdti (253)4012345000054987',
    [
      ['epc', 'urn:epc:id:gdti:4012345.00005.987'],
      ['epc', 'https://example.com/253/4012345000054987'],
    ],
  ],
  ['cpi (8010)06141415PQ7/Z43(8011)12345', [['epc', 'urn:epc:id:cpi:0614141.5PQ7%2FZ43.12345']]],
  ['itip (8006)040123451234560102(21)981', [['epc', 'urn:epc:id:itip:4012345.012345.01.02.981']]],
  ['upui (01)04012345123456(235)A9', [['epc', 'urn:epc:id:upui:4012345.012345.A9']]],
  ['order PO-7', [['Order', ' PO-7 ']]],
  [
    'order caf\u00e9',
    [
      ['order', 'cafe\u0301'],
      ['order', 'caf\u00e9'],
    ],
  ],
  ['epc urn:example:private:7', [['epc', 'urn:example:private:7']]],
] as const)('%s has one form, however it is written', (expected, spellings) => {
  for (const [type, value] of spellings) expect([value, codeOf(type, value)]).toEqual([value, expected]);
});

test('a GS1 id with a wrong check digit or shape is refused, not looked up under another form', () => {
  for (const [type, value] of [
    ['sscc', '106141412345678907'],
    ['sscc', '10614141234567890'],
    ['gtin', '09521234543214'],
    ['sgtin', '(01)09521234543213'.replace('13', '14')],
    ['gln', 'urn:epc:id:sgln:40123.00005.0'],
    ['lgtin', 'free text'],
  ] as const) {
    expect([value, codeOf(type, value)]).toEqual([value, 'input-invalid']);
  }
});

test('text that is none is refused', () => {
  for (const value of ['', '  ', 'a\u0000b', '\ud800', 'x\udfff']) {
    expect([value, codeOf('order', value)]).toEqual([value, 'input-invalid']);
  }
  expect(codeOf('order', 'x'.repeat(1_025))).toBe('limit-exceeded');
  expect(codeOf('t'.repeat(65), 'x')).toBe('limit-exceeded');
});

test('the normal form is its own normal form', () => {
  const serial = fc.stringMatching(/^[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,20}$/);
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9]{13}$/), serial, (digits, text) => {
      const once = normaliseBusinessId({ type: 'sgtin', value: `(01)${digits}${checkDigit(digits)}(21)${text}` });
      expect(normaliseBusinessId(once)).toEqual(once);
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
      fc.pre(text.trim() !== '' && !text.includes('\u0000'));
      const once = normaliseBusinessId({ type: 'order', value: text });
      expect(normaliseBusinessId(once)).toEqual(once);
    }),
  );
});

test('an SGTIN gives the same form as EPC URI, as Digital Link and in brackets', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[0-9]{7}$/),
      fc.stringMatching(/^[0-9]{6}$/),
      fc.stringMatching(/^[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,20}$/),
      (prefix, item, serial) => {
        const digits = item.slice(0, 1) + prefix + item.slice(1);
        const gtin = digits + checkDigit(digits);
        const escaped = encodeURIComponent(serial);
        const forms = [
          `urn:epc:id:sgtin:${prefix}.${item}.${escaped}`,
          `https://id.gs1.org/01/${gtin}/21/${escaped}`,
          `(01)${gtin}(21)${serial}`,
        ].map((value) => normal('epc', value));
        expect(new Set(forms)).toEqual(new Set([`sgtin (01)${gtin}(21)${serial}`]));
      },
    ),
  );
});

interface DigitalLinkVectors {
  readonly parse: readonly {
    readonly uri: string;
    readonly valid: boolean;
    readonly elementString?: string;
    readonly options?: readonly string[];
    readonly note?: string;
  }[];
}

describeVectors('GS1 syntax engine, Digital Link URIs', 'gs1-digital-link/vectors.json', (data) => {
  test('the identity in a valid URI is the head of its element string', () => {
    const vectors = (data as DigitalLinkVectors).parse;
    const tally = new Tally('gs1-digital-link parse');
    for (const { uri, valid, elementString = '', options = [], note = '' } of vectors) {
      if (!valid) {
        // Whether the URI as a whole conforms (host, query, fragment) is not asked here: only its identity is used.
        tally.skip('not a conforming URI as a whole');
        continue;
      }
      if (options.some((option) => option.startsWith('no validation') || option === 'PermitUnknownAIs')) {
        tally.skip('engine option we do not have');
        continue;
      }
      const identifier = parseDigitalLink(uri);
      const head = elementString.replaceAll('^', '');
      const ours = identifier?.elements.map(([ai, value]) => ai + value).join('') ?? '(none)';
      expect([uri, note, head.startsWith(ours), identifier === null ? '' : bracketed(identifier)]).toEqual([
        uri,
        note,
        true,
        expect.stringContaining('('),
      ]);
      tally.pass('valid');
    }
    tally.close(vectors.length);
  });
});

test('every key and qualifier of the table has a value format', () => {
  expect([...aiFormats.keys()].every((ai) => /^\d{2,4}$/.test(ai))).toBe(true);
});
