/**
 * A GS1 identification key with its qualifiers, in the one form everything else is turned into: pairs of application identifier and
 * value, key first, qualifiers in the order of the table.
 */
export interface Gs1Identifier {
  readonly scheme: string;
  readonly elements: readonly (readonly [ai: string, value: string])[];
}

/** What the value of an application identifier looks like (GS1 General Specifications, section 3). */
export interface AiFormat {
  readonly pattern: RegExp;
  /** Number of leading digits whose last one is a check digit. */
  readonly checkedDigits?: number;
}

/** GS1 AI encodable character set 82 (General Specifications, figure 7.11-1). */
const set82 = '[!"%&\'()*+,\\-./0-9:;<=>?A-Z_a-z]';
/** GS1 AI encodable character set 39. */
const set39 = '[#\\-/0-9A-Z]';

const x = (min: number, max: number): RegExp => new RegExp(`^${set82}{${min},${max}}$`);
const n = (digits: number): RegExp => new RegExp(`^[0-9]{${digits}}$`);

/** The application identifiers that can be part of an identity. */
export const aiFormats: ReadonlyMap<string, AiFormat> = new Map<string, AiFormat>([
  ['00', { pattern: n(18), checkedDigits: 18 }],
  ['01', { pattern: n(14), checkedDigits: 14 }],
  ['10', { pattern: x(1, 20) }],
  ['21', { pattern: x(1, 20) }],
  ['22', { pattern: x(1, 20) }],
  ['235', { pattern: x(1, 28) }],
  ['253', { pattern: new RegExp(`^[0-9]{13}${set82}{0,17}$`), checkedDigits: 13 }],
  ['254', { pattern: x(1, 20) }],
  ['255', { pattern: /^[0-9]{13,25}$/, checkedDigits: 13 }],
  ['401', { pattern: x(1, 30) }],
  ['402', { pattern: n(17), checkedDigits: 17 }],
  ['414', { pattern: n(13), checkedDigits: 13 }],
  ['417', { pattern: n(13), checkedDigits: 13 }],
  ['8003', { pattern: new RegExp(`^0[0-9]{13}${set82}{0,16}$`), checkedDigits: 14 }],
  ['8004', { pattern: x(1, 30) }],
  ['8006', { pattern: n(18), checkedDigits: 14 }],
  ['8010', { pattern: new RegExp(`^${set39}{1,30}$`) }],
  ['8011', { pattern: /^(?:0|[1-9][0-9]{0,11})$/ }],
  ['8017', { pattern: n(18), checkedDigits: 18 }],
  ['8018', { pattern: n(18), checkedDigits: 18 }],
  ['8019', { pattern: /^[0-9]{1,10}$/ }],
]);

/** Which qualifiers a key may have, in order (GS1 Digital Link, section 4.10), and what the combination is called. */
export interface KeyEntry {
  readonly qualifiers: readonly (readonly string[])[];
  /** Name of the identity by its qualifiers joined with "+", "" for none. */
  readonly schemes: Readonly<Record<string, string>>;
}

export const keys: ReadonlyMap<string, KeyEntry> = new Map<string, KeyEntry>([
  ['00', { qualifiers: [[]], schemes: { '': 'sscc' } }],
  [
    '01',
    {
      qualifiers: [['22', '10', '21'], ['235']],
      schemes: { '': 'gtin', '21': 'sgtin', '10': 'lgtin', '235': 'upui' },
    },
  ],
  ['253', { qualifiers: [[]], schemes: { '': 'gdti' } }],
  ['255', { qualifiers: [[]], schemes: { '': 'sgcn' } }],
  ['401', { qualifiers: [[]], schemes: { '': 'ginc' } }],
  ['402', { qualifiers: [[]], schemes: { '': 'gsin' } }],
  ['414', { qualifiers: [['254']], schemes: { '': 'gln', '254': 'sgln' } }],
  ['417', { qualifiers: [[]], schemes: { '': 'pgln' } }],
  ['8003', { qualifiers: [[]], schemes: { '': 'grai' } }],
  ['8004', { qualifiers: [[]], schemes: { '': 'giai' } }],
  ['8006', { qualifiers: [['22', '10', '21']], schemes: { '': 'itip', '21': 'itip' } }],
  ['8010', { qualifiers: [['8011']], schemes: { '': 'cpi', '8011': 'cpi' } }],
  ['8017', { qualifiers: [['8019']], schemes: { '': 'gsrnp' } }],
  ['8018', { qualifiers: [['8019']], schemes: { '': 'gsrn' } }],
]);

/** The GS1 check digit over `digits` (General Specifications, section 7.9). */
export function checkDigit(digits: string): string {
  let sum = 0;
  for (let index = digits.length - 1, weight = 3; index >= 0; index -= 1, weight = 4 - weight) {
    sum += Number(digits[index]) * weight;
  }
  return String((10 - (sum % 10)) % 10);
}

/** Whether `value` may follow the application identifier: its characters, its length, its check digit. */
function validValue(ai: string, value: string): boolean {
  const format = aiFormats.get(ai);
  if (format?.pattern.test(value) !== true) return false;
  if (format.checkedDigits === undefined) return true;
  const digits = value.slice(0, format.checkedDigits);
  return checkDigit(digits.slice(0, -1)) === digits.at(-1);
}

/**
 * Puts a key and its qualifiers into normal form; null when the key is none, a value is malformed or a qualifier does not
 * belong to the key. A qualifier combination without a name of its own is called after its key.
 */
export function gs1Identifier(elements: readonly (readonly [string, string])[]): Gs1Identifier | null {
  const [key, ...given] = elements;
  if (key === undefined) return null;
  const entry = keys.get(key[0]);
  if (entry === undefined || !elements.every(([ai, value]) => validValue(ai, value))) return null;
  const names = given.map(([ai]) => ai);
  if (new Set(names).size !== names.length) return null;
  const order = entry.qualifiers.find((allowed) => names.every((ai) => allowed.includes(ai)));
  if (order === undefined) return null;
  const qualifiers = order.flatMap((ai) => given.filter(([name]) => name === ai));
  const scheme = entry.schemes[qualifiers.map(([ai]) => ai).join('+')] ?? entry.schemes[''];
  return scheme === undefined ? null : { scheme, elements: [key, ...qualifiers] };
}

/** `(01)09521234543213(21)ABC`: unambiguous, since only a key of fixed shape is followed by more. */
export function bracketed(identifier: Gs1Identifier): string {
  return identifier.elements.map(([ai, value]) => `(${ai})${value}`).join('');
}
