import { checkDigit, gs1Identifier, type Gs1Identifier } from './identifier.ts';

type Elements = readonly (readonly [string, string])[] | null;

function digitsOf(...parts: readonly string[]): string | null {
  const digits = parts.join('');
  return /^\d+$/.test(digits) ? digits : null;
}

/** Appends the check digit when the digits have the length they must have without it. */
function checked(length: number, ...parts: readonly string[]): string | null {
  const digits = digitsOf(...parts);
  return digits?.length === length - 1 ? digits + checkDigit(digits) : null;
}

function gtin14(prefix: string, indicatorAndItem: string): string | null {
  return checked(14, indicatorAndItem.slice(0, 1), prefix, indicatorAndItem.slice(1));
}

function one(ai: string, value: string | null): Elements {
  return value === null ? null : [[ai, value]];
}

function two(ai: string, value: string | null, qualifierAi: string, qualifier: string): Elements {
  return value === null
    ? null
    : [
        [ai, value],
        [qualifierAi, qualifier],
      ];
}

function itip(p: string, i: string, piece: string, total: string): string | null {
  const gtin = gtin14(p, i);
  return gtin === null ? null : digitsOf(gtin, piece, total);
}

function suffixed(head: string | null, tail: string): string | null {
  return head === null ? null : head + tail;
}

/** How many parts a scheme has and which elements they make (EPC Tag Data Standard, section 6.3 and 7). */
type Scheme = readonly [parts: number, (...parts: readonly string[]) => Elements];

const parts =
  (read: (a: string, b: string, c: string, d: string, e: string) => Elements) =>
  (...given: readonly string[]): Elements =>
    read(given[0] ?? '', given[1] ?? '', given[2] ?? '', given[3] ?? '', given[4] ?? '');

const idSchemes: Readonly<Record<string, Scheme>> = {
  sgtin: [3, parts((p, i, serial) => two('01', gtin14(p, i), '21', serial))],
  sscc: [2, parts((p, s) => one('00', checked(18, s.slice(0, 1), p, s.slice(1))))],
  sgln: [
    3,
    parts((p, location, extension) => {
      const gln = checked(13, p, location);
      return extension === '0' ? one('414', gln) : two('414', gln, '254', extension);
    }),
  ],
  pgln: [2, parts((p, party) => one('417', checked(13, p, party)))],
  grai: [3, parts((p, type, serial) => one('8003', suffixed(checked(14, '0', p, type), serial)))],
  giai: [2, parts((p, asset) => one('8004', suffixed(digitsOf(p), asset)))],
  gsrn: [2, parts((p, service) => one('8018', checked(18, p, service)))],
  gsrnp: [2, parts((p, service) => one('8017', checked(18, p, service)))],
  gdti: [3, parts((p, type, serial) => one('253', suffixed(checked(13, p, type), serial)))],
  cpi: [3, parts((p, component, serial) => two('8010', suffixed(digitsOf(p), component), '8011', serial))],
  sgcn: [3, parts((p, coupon, serial) => one('255', suffixed(checked(13, p, coupon), serial)))],
  ginc: [2, parts((p, reference) => one('401', suffixed(digitsOf(p), reference)))],
  gsin: [2, parts((p, reference) => one('402', checked(17, p, reference)))],
  itip: [5, parts((p, i, piece, total, serial) => two('8006', itip(p, i, piece, total), '21', serial))],
  upui: [3, parts((p, i, extension) => two('01', gtin14(p, i), '235', extension))],
};

const classSchemes: Readonly<Record<string, Scheme>> = {
  lgtin: [3, parts((p, i, lot) => two('01', gtin14(p, i), '10', lot))],
};

/** Patterns whose last part is "*": the class of things without their serial. */
const patternSchemes: Readonly<Record<string, Scheme>> = {
  sgtin: [3, parts((p, i) => one('01', gtin14(p, i)))],
  grai: [3, parts((p, type) => one('8003', checked(14, '0', p, type)))],
  gdti: [3, parts((p, type) => one('253', checked(13, p, type)))],
  sgcn: [3, parts((p, coupon) => one('255', checked(13, p, coupon)))],
  cpi: [3, parts((p, component) => one('8010', suffixed(digitsOf(p), component)))],
  itip: [5, parts((p, i, piece, total) => one('8006', itip(p, i, piece, total)))],
  upui: [3, parts((p, i) => one('01', gtin14(p, i)))],
};

const families: Readonly<Record<string, Readonly<Record<string, Scheme>>>> = {
  id: idSchemes,
  class: classSchemes,
  idpat: patternSchemes,
};

/**
 * Reads an EPC pure identity, class or pattern URI (`urn:epc:id:sgtin:0614141.112345.400`) into application identifiers. Check
 * digits, which such a URI leaves out, are computed; %-escapes of serials are undone.
 */
export function parseEpcUri(value: string): Gs1Identifier | null {
  const match = /^urn:epc:(id|class|idpat):([a-z]+):(.+)$/.exec(value);
  const family = match?.[1] ?? '';
  const scheme = families[family]?.[match?.[2] ?? ''];
  if (match === null || scheme === undefined) return null;
  const [count, read] = scheme;
  const given = (match[3] ?? '').split('.');
  // Only the last part may hold a ".", which the standard leaves unescaped.
  const fields = [...given.slice(0, count - 1), given.slice(count - 1).join('.')];
  if (given.length < count || (family === 'idpat' && fields.at(-1) !== '*')) return null;
  let elements: Elements;
  try {
    elements = read(...fields.map((field) => decodeURIComponent(field)));
  } catch {
    return null;
  }
  return elements === null ? null : gs1Identifier(elements);
}
