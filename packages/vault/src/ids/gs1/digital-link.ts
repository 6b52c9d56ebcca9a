import { gs1Identifier, keys, type Gs1Identifier } from './identifier.ts';

/** Alphabetic names that early versions of GS1 Digital Link allowed in place of application identifiers. */
const convenienceNames: Readonly<Record<string, string>> = {
  sscc: '00',
  gtin: '01',
  lot: '10',
  ser: '21',
  cpv: '22',
  gdti: '253',
  gln: '414',
  glnx: '254',
  gcn: '255',
  ginc: '401',
  gsin: '402',
  party: '417',
  grai: '8003',
  giai: '8004',
  itip: '8006',
  cpid: '8010',
  cpsn: '8011',
  gsrnp: '8017',
  gsrn: '8018',
  srin: '8019',
};

function decodeSegment(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

/**
 * Reads the identity in a GS1 Digital Link URI: the rightmost key of its path with the qualifiers after it. Domain, stem,
 * query and fragment say where to resolve it, not what it is. A GTIN-8, -12 or -13 is filled up to 14 digits.
 */
export function parseDigitalLink(value: string): Gs1Identifier | null {
  const match = /^(?:https?|HTTPS?):\/\/[^/?#\s]+\/([^?#]*)/.exec(value);
  const segments = match?.[1]?.split('/');
  if (segments === undefined) return null;
  for (let start = segments.length - 2; start >= 0; start -= 2) {
    const name = segments[start] ?? '';
    const ai = convenienceNames[name] ?? name;
    if (!keys.has(ai)) continue;
    const elements: [string, string][] = [];
    for (let index = start; index < segments.length; index += 2) {
      const part = segments[index] ?? '';
      const decoded = decodeSegment(segments[index + 1] ?? '');
      if (decoded === null) return null;
      const partAi = convenienceNames[part] ?? part;
      elements.push([
        partAi,
        partAi === '01' && /^(?:\d{8}|\d{12,13})$/.test(decoded) ? decoded.padStart(14, '0') : decoded,
      ]);
    }
    return gs1Identifier(elements);
  }
  return null;
}
