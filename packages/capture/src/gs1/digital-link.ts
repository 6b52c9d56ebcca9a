/**
 * GS1 Digital Link URIs in the one form that CBV 2.0 section 8.9.2 hashes: domain id.gs1.org, no query, application
 * identifiers instead of names, and only the finest level of identification.
 */
const canonicalDomain = 'https://id.gs1.org';

interface Key {
  readonly ai: string;
  /** The word that early releases of the standard allowed instead of the number. */
  readonly name: string;
  readonly form: RegExp;
  /** Qualifiers, the finest first. One that is not listed here but in `dropped` is left out. */
  readonly qualifiers: readonly string[];
  readonly dropped: readonly string[];
}

function key(ai: string, name: string, form: RegExp, qualifiers: readonly string[] = [], dropped: string[] = []): Key {
  return { ai, name, form, qualifiers, dropped };
}

/** Characters of GS1 AI encodable character set 82. */
const set82 = '[!"%&\'()*+,\\-./0-9:;<=>?A-Z_a-z]';

const keys: readonly Key[] = [
  key('00', 'sscc', /^\d{18}$/),
  key('01', 'gtin', /^(?:\d{8}|\d{12,14})$/, ['21', '235', '10'], ['22']),
  key('253', 'gdti', new RegExp(`^\\d{13}${set82}{0,17}$`)),
  key('255', 'gcn', /^\d{13,25}$/),
  key('401', 'ginc', new RegExp(`^${set82}{1,30}$`)),
  key('402', 'gsin', /^\d{17}$/),
  key('414', 'gln', /^\d{13}$/, ['254']),
  key('417', 'party', /^\d{13}$/),
  key('8003', 'grai', new RegExp(`^\\d{14}${set82}{0,16}$`)),
  key('8004', 'giai', new RegExp(`^${set82}{1,30}$`)),
  key('8006', 'itip', /^\d{18}$/, ['21', '10'], ['22']),
  key('8010', 'cpid', /^[#\-/0-9A-Z]{1,30}$/, ['8011']),
  key('8017', 'gsrnp', /^\d{18}$/, [], ['8019']),
  key('8018', 'gsrn', /^\d{18}$/, [], ['8019']),
];
const keysBySegment = new Map(keys.flatMap((entry) => [[entry.ai, entry] as const, [entry.name, entry] as const]));

const qualifierNames: ReadonlyMap<string, string> = new Map([
  ['cpv', '22'],
  ['lot', '10'],
  ['ser', '21'],
  ['glnx', '254'],
  ['cpsn', '8011'],
  ['srin', '8019'],
]);
const qualifierForms: ReadonlyMap<string, RegExp> = new Map([
  ['10', new RegExp(`^${set82}{1,20}$`)],
  ['21', new RegExp(`^${set82}{1,20}$`)],
  ['22', new RegExp(`^${set82}{1,20}$`)],
  ['235', new RegExp(`^${set82}{1,28}$`)],
  ['254', new RegExp(`^${set82}{1,20}$`)],
  ['8011', /^\d{1,12}$/],
  ['8019', /^\d{1,10}$/],
]);

/** Percent-encodes what GS1 Digital Link (table 7-1) does not let stand in a path segment, and nothing else. */
function encodeValue(value: string): string {
  return value.replace(/[^A-Za-z0-9\-._'=;]/gu, (character) =>
    [...Buffer.from(character, 'utf8')].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

/** The canonical URI of a key with its finest qualifier, from values that are not percent-encoded. */
export function canonicalDigitalLink(
  ai: string,
  value: string,
  qualifier?: readonly [ai: string, value: string],
): string {
  const base = `${canonicalDomain}/${ai}/${encodeValue(value)}`;
  return qualifier === undefined ? base : `${base}/${qualifier[0]}/${encodeValue(qualifier[1])}`;
}

function decoded(segments: readonly string[]): string[] | undefined {
  try {
    return segments.map((segment) => decodeURIComponent(segment));
  } catch {
    return undefined;
  }
}

function readFrom(entry: Key, segments: readonly string[]): string | undefined {
  const [value = '', ...rest] = decoded(segments) ?? [];
  if (!entry.form.test(value) || rest.length % 2 !== 0) return undefined;
  const found = new Map<string, string>();
  for (let index = 0; index < rest.length; index += 2) {
    const name = rest[index] ?? '';
    const ai = qualifierNames.get(name) ?? name;
    const qualifierValue = rest[index + 1] ?? '';
    const isKnown = entry.qualifiers.includes(ai) || entry.dropped.includes(ai);
    if (!isKnown || qualifierForms.get(ai)?.test(qualifierValue) !== true) return undefined;
    found.set(ai, qualifierValue);
  }
  const finest = entry.qualifiers.find((ai) => found.has(ai));
  const padded = entry.ai === '01' ? value.padStart(14, '0') : value;
  return canonicalDigitalLink(entry.ai, padded, finest === undefined ? undefined : [finest, found.get(finest) ?? '']);
}

/**
 * The canonical form of a GS1 Digital Link URI at any domain; `undefined` when `uri` carries no GS1 key. Check digits are
 * taken as they are.
 */
export function canonicaliseDigitalLink(uri: string): string | undefined {
  const path = /^(?:https?|HTTPS?):\/\/[^/?#]+(\/[^?#]*)/.exec(uri)?.[1];
  if (path === undefined) return undefined;
  const segments = path.split('/').slice(1);
  if (segments.at(-1) === '') segments.pop();
  for (let index = 0; index + 1 < segments.length; index++) {
    const entry = keysBySegment.get(segments[index] ?? '');
    const canonical = entry && readFrom(entry, segments.slice(index + 1));
    if (canonical !== undefined) return canonical;
  }
  return undefined;
}
