/**
 * EPC pure identity, class and pattern URIs (EPC Tag Data Standard 2.0 sections 6 and 7) as canonical GS1 Digital Link URIs.
 * The company prefix has 6 to 12 digits; together with the reference behind it, it has a fixed length per scheme.
 */
import { withCheckDigit } from './check-digit.ts';
import { canonicalDigitalLink } from './digital-link.ts';

type Fields = readonly string[];
type Convert = (fields: Fields) => string | undefined;

/** Company prefix and reference together, when both are digits of the right number. */
function digits(prefix: string | undefined, reference: string | undefined, length: number): string | undefined {
  const joined = `${prefix ?? ''}${reference ?? ''}`;
  const isWhole = /^\d{6,12}$/.test(prefix ?? '') && joined.length === length && /^\d+$/.test(joined);
  return isWhole ? joined : undefined;
}

/** Keys whose reference begins with the indicator or extension digit, which goes in front of the company prefix. */
function leading(fields: Fields, length: number): string | undefined {
  const [prefix = '', reference = ''] = fields;
  if (digits(prefix, reference, length) === undefined) return undefined;
  return withCheckDigit(reference.slice(0, 1) + prefix + reference.slice(1));
}

function checked(fields: Fields, length: number): string | undefined {
  const joined = digits(fields[0], fields[1], length);
  return joined === undefined ? undefined : withCheckDigit(joined);
}

function gtinWith(qualifier: string): Convert {
  return (fields) => {
    const gtin = fields.length === 3 ? leading(fields, 13) : undefined;
    return gtin === undefined ? undefined : canonicalDigitalLink('01', gtin, [qualifier, fields[2] ?? '']);
  };
}

/** A key with check digit, alone or with its serial behind. */
function keyOf(ai: string, length: number, parts: 2 | 3, filler = ''): Convert {
  return (fields) => {
    const joined = fields.length === parts ? digits(fields[0], fields[1], length) : undefined;
    return joined === undefined
      ? undefined
      : canonicalDigitalLink(ai, withCheckDigit(filler + joined) + (fields[2] ?? ''));
  };
}

/** A key that is company prefix and reference as they are. */
function plain(ai: string): Convert {
  return (fields) =>
    fields.length === 2 && /^\d{6,12}$/.test(fields[0] ?? '') ? canonicalDigitalLink(ai, fields.join('')) : undefined;
}

const sgln: Convert = (fields) => {
  const gln = fields.length === 3 ? checked(fields, 12) : undefined;
  if (gln === undefined) return undefined;
  return fields[2] === '0'
    ? canonicalDigitalLink('414', gln)
    : canonicalDigitalLink('414', gln, ['254', fields[2] ?? '']);
};

const cpi: Convert = (fields) =>
  fields.length === 3 && /^\d{6,12}$/.test(fields[0] ?? '')
    ? canonicalDigitalLink('8010', `${fields[0] ?? ''}${fields[1] ?? ''}`, ['8011', fields[2] ?? ''])
    : undefined;

const itip: Convert = (fields) => {
  const gtin = fields.length === 5 ? leading(fields, 13) : undefined;
  const [, , piece = '', total = '', serial = ''] = fields;
  if (gtin === undefined || !/^\d{4}$/.test(piece + total)) return undefined;
  return canonicalDigitalLink('8006', gtin + piece + total, ['21', serial]);
};

const sscc: Convert = (fields) => {
  const digitsOfKey = fields.length === 2 ? leading(fields, 17) : undefined;
  return digitsOfKey === undefined ? undefined : canonicalDigitalLink('00', digitsOfKey);
};

const schemes: ReadonlyMap<string, Convert> = new Map<string, Convert>([
  ['id:sgtin', gtinWith('21')],
  ['id:upui', gtinWith('235')],
  ['class:lgtin', gtinWith('10')],
  ['id:sscc', sscc],
  ['id:sgln', sgln],
  ['id:pgln', keyOf('417', 12, 2)],
  ['id:grai', keyOf('8003', 12, 3, '0')],
  ['id:gdti', keyOf('253', 12, 3)],
  ['id:sgcn', keyOf('255', 12, 3)],
  ['id:gsrn', keyOf('8018', 17, 2)],
  ['id:gsrnp', keyOf('8017', 17, 2)],
  ['id:gsin', keyOf('402', 16, 2)],
  ['id:giai', plain('8004')],
  ['id:ginc', plain('401')],
  ['id:cpi', cpi],
  ['id:itip', itip],
]);

/** Patterns: "*" in place of the serial means the class, whose URI is the same one without the serial. */
const patternSchemes = new Set(['sgtin', 'grai', 'gdti', 'sgcn', 'cpi', 'itip', 'upui']);

const serialQualifier = /\/(?:21|235|8011)\/[^/]*$/;

function convertPattern(scheme: string, fields: Fields): string | undefined {
  if (!patternSchemes.has(scheme) || fields.at(-1) !== '*') return undefined;
  const isSuffixed = scheme === 'grai' || scheme === 'gdti' || scheme === 'sgcn';
  const link = schemes.get(`id:${scheme}`)?.([...fields.slice(0, -1), isSuffixed ? '' : '0']);
  return isSuffixed ? link : link?.replace(serialQualifier, '');
}

/** The canonical GS1 Digital Link URI of an EPC URI; `undefined` when `uri` is none that has such a form. */
export function digitalLinkOfEpcUri(uri: string): string | undefined {
  const match = /^urn:epc:(id|class|idpat):([a-z]+):(.+)$/.exec(uri);
  if (!match) return undefined;
  const [, family = '', scheme = '', body = ''] = match;
  const raw = splitFields(scheme, body);
  let fields: string[];
  try {
    fields = raw.map((field) => decodeURIComponent(field));
  } catch {
    return undefined;
  }
  return family === 'idpat' ? convertPattern(scheme, fields) : schemes.get(`${family}:${scheme}`)?.(fields);
}

const fieldCounts: ReadonlyMap<string, number> = new Map([
  ['itip', 5],
  ['sscc', 2],
  ['pgln', 2],
  ['gsrn', 2],
  ['gsrnp', 2],
  ['gsin', 2],
  ['giai', 2],
  ['ginc', 2],
]);

/** Dots separate fields, but the last field may hold dots of its own. */
function splitFields(scheme: string, body: string): string[] {
  const count = fieldCounts.get(scheme) ?? 3;
  const fields = body.split('.');
  return fields.length <= count ? fields : [...fields.slice(0, count - 1), fields.slice(count - 1).join('.')];
}
