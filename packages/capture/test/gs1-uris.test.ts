/** EPC URIs and GS1 Digital Link URIs as canonical Digital Link URIs (CBV 2.0 section 8.9.2, rules 17 and 18). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkDigit } from '../src/gs1/check-digit.ts';
import { canonicalUri } from '../src/epcis/event-hash/value.ts';
import { dataFolder, describeWithData } from './epcis-corpus.ts';

const id = 'https://id.gs1.org';

describe('an EPC URI becomes the Digital Link URI of the same key', () => {
  const cases: readonly (readonly [epc: string, link: string])[] = [
    ['urn:epc:id:sgtin:9520011.010010.26000040', '/01/09520011100106/21/26000040'],
    ['urn:epc:id:sgtin:952001123456.7.A%2FB', '/01/79520011234565/21/A%2FB'],
    ['urn:epc:id:sscc:9520011.0880000001', '/00/095200118800000015'],
    ['urn:epc:id:sscc:952001123456.91234', '/00/995200112345612347'],
    ['urn:epc:id:sgln:9520011.00012.0', '/414/9520011000123'],
    ['urn:epc:id:sgln:9520011.00012.D7', '/414/9520011000123/254/D7'],
    ['urn:epc:id:sgln:952001100012..0', '/414/9520011000123'],
    ['urn:epc:id:pgln:9520011.00000', '/417/9520011000000'],
    ['urn:epc:id:grai:9520021.00417.T100', '/8003/09520021004173T100'],
    ['urn:epc:id:giai:9520021.LOGGER.300', '/8004/9520021LOGGER.300'],
    ['urn:epc:id:gsrn:9520021.0000000001', '/8018/952002100000000014'],
    ['urn:epc:id:gsrnp:9520021.0000000001', '/8017/952002100000000014'],
    ['urn:epc:id:gdti:9520021.00002.PO-1', '/253/9520021000021PO-1'],
    ['urn:epc:id:sgcn:9520021.00002.77', '/255/952002100002177'],
    ['urn:epc:id:ginc:9520021.C%231', '/401/9520021C%231'],
    ['urn:epc:id:gsin:9520021.000000001', '/402/95200210000000014'],
    ['urn:epc:id:cpi:9520021.5PQ7%2FZ43.12345', '/8010/95200215PQ7%2FZ43/8011/12345'],
    ['urn:epc:id:itip:9520021.010010.01.02.S9', '/8006/095200211001030102/21/S9'],
    ['urn:epc:id:upui:9520021.010010.X%25Y', '/01/09520021100103/235/X%25Y'],
    ['urn:epc:class:lgtin:9520011.010010.L26.1', '/01/09520011100106/10/L26.1'],
    ['urn:epc:idpat:sgtin:9520011.010010.*', '/01/09520011100106'],
    ['urn:epc:idpat:grai:9520021.00417.*', '/8003/09520021004173'],
    ['urn:epc:idpat:gdti:9520021.00002.*', '/253/9520021000021'],
    ['urn:epc:idpat:sgcn:9520021.00002.*', '/255/9520021000021'],
    ['urn:epc:idpat:cpi:9520021.AB12.*', '/8010/9520021AB12'],
    ['urn:epc:idpat:itip:9520021.010010.01.02.*', '/8006/095200211001030102'],
    ['urn:epc:idpat:upui:9520021.010010.*', '/01/09520021100103'],
  ];
  test.each(cases)('%s', (epc, link) => {
    expect(canonicalUri(epc)).toBe(id + link);
    // What is canonical stays so.
    expect(canonicalUri(id + link)).toBe(id + link);
  });
});

describe('a Digital Link URI loses its domain, its query and all but the finest identification', () => {
  const cases: readonly (readonly [uri: string, link: string])[] = [
    ['http://example.com/gtin/4012345123456/ser/A1?linkType=all', '/01/04012345123456/21/A1'],
    ['https://brand.example/some/path/01/00614141123452', '/01/00614141123452'],
    ['https://example.com/01/614141123452', '/01/00614141123452'],
    ['https://example.com/01/97803111', '/01/00000097803111'],
    ['https://example.com/01/09520011100100/22/2A/10/L1/21/S1', '/01/09520011100100/21/S1'],
    ['https://example.com/01/09520011100100/cpv/2A/lot/L1', '/01/09520011100100/10/L1'],
    ['https://example.com/01/09520011100100/22/2A', '/01/09520011100100'],
    ['https://example.com/8006/095200211001070102/10/L1/21/S1#part', '/8006/095200211001070102/21/S1'],
    ['https://example.com/party/9520011000007/', '/417/9520011000007'],
    ['https://example.com/01/09520011100100/21/A%2fB(1)', '/01/09520011100100/21/A%2FB%281%29'],
  ];
  test.each(cases)('%s', (uri, link) => {
    expect(canonicalUri(uri)).toBe(id + link);
  });
});

describe('what is no GS1 key stays as it is', () => {
  test.each([
    'urn:uuid:f81d4fae-7dec-41d0-a765-00a0c91e6bf6',
    'urn:epc:id:sgtin:9520011.01001.26000040',
    'urn:epc:id:sgtin:95200.01234567.1',
    'urn:epc:id:sscc:9520011.A880000001',
    'urn:epc:id:gid:95100000.12345.400',
    'urn:epc:id:sgtin:9520011.010010.%',
    'urn:epc:idpat:sscc:9520011.*',
    'urn:epcglobal:cbv:bt:9520011000007:PO-1',
    'https://example.com/01/12345',
    'https://example.com/99/09520011100100',
    'https://example.com/01/09520011100100/99/X',
    'https://example.com/01/09520011100100/21',
    'https://example.com/',
    'https://01/09520011100100',
    '01/09520011100100',
    '42',
    '',
  ])('%s', (text) => {
    expect(canonicalUri(text)).toBe(text);
  });
});

test('the check digit weighs three and one from the right', () => {
  expect(checkDigit('629104150021')).toBe('3');
  expect(checkDigit('0')).toBe('0');
  expect(checkDigit('37610425002123456')).toBe('9');
});

interface ParseVector {
  readonly uri: string;
  readonly valid: boolean;
  readonly elementString?: string;
}

/** Keys in order of length, so that the longer application identifier is met first; qualifiers the finest first. */
const identity: readonly (readonly [ai: string, digits: number, qualifiers: readonly string[]])[] = [
  ['8003', 0, []],
  ['8004', 0, []],
  ['8006', 18, ['21', '10']],
  ['8010', 0, ['8011']],
  ['8017', 18, []],
  ['8018', 18, []],
  ['253', 0, []],
  ['255', 0, []],
  ['401', 0, []],
  ['402', 17, []],
  ['414', 13, ['254']],
  ['417', 13, []],
  ['00', 18, []],
  ['01', 14, ['21', '235', '10']],
];

/** The canonical URI that an element string (with ^ for FNC1) stands for. */
function linkOfElementString(text: string): string {
  const [first = '', ...rest] = text.split('^').slice(1);
  const [ai = '', digits = 0, qualifiers = []] = identity.find(([candidate]) => first.startsWith(candidate)) ?? [];
  const end = digits === 0 ? first.length : ai.length + digits;
  const elements = [first.slice(end), ...rest];
  for (const qualifier of qualifiers) {
    const element = elements.find((candidate) => candidate.startsWith(qualifier));
    if (element !== undefined)
      return `${id}/${ai}/${first.slice(ai.length, end)}/${qualifier}/${encodeURIComponent(element.slice(qualifier.length))}`;
  }
  return `${id}/${ai}/${first.slice(ai.length, end)}`;
}

describeWithData('published Digital Link URIs', () => {
  test('every valid one gives the key and the finest qualifier of its element string', () => {
    const path = join(dataFolder ?? '', 'gs1-digital-link/vectors.json');
    const { parse } = JSON.parse(readFileSync(path, 'utf8')) as { parse: readonly ParseVector[] };
    const valid = parse.filter(({ valid: isValid }) => isValid);
    // An element string does not tell the path from the query; where both may give a qualifier, it says too little.
    const compared = valid.filter(({ uri }) => !/[?&](?:10|21|235|254)=/.test(uri));
    for (const { uri, elementString = '' } of compared)
      expect({ uri, link: canonicalUri(uri) }).toEqual({ uri, link: linkOfElementString(elementString) });
    const count = compared.length;
    console.info(
      `Digital Link vectors: ${count} of ${valid.length} valid URIs equal; ${valid.length - count} left out because their query repeats an identifier of the path; ${parse.length - valid.length} invalid ones are no business of hashing, which takes URIs as they come`,
    );
    expect(count).toBeGreaterThanOrEqual(60);
  });
});
