import { WaymarkError, type BusinessId } from '@waymark/protocol';
import { parseDigitalLink } from './gs1/digital-link.ts';
import { parseElementString } from './gs1/element-string.ts';
import { parseEpcUri } from './gs1/epc-uri.ts';
import { bracketed, gs1Identifier, type Gs1Identifier } from './gs1/identifier.ts';

const maxTypeBytes = 64;
const maxValueBytes = 1_024;

/** Plain forms people type for a scheme, without brackets or URI, by the name of the scheme. */
const plainForms: Readonly<Record<string, (value: string) => Gs1Identifier | null>> = {
  sscc: (value) => gs1Identifier([['00', value.length === 20 && value.startsWith('00') ? value.slice(2) : value]]),
  gtin: (value) => gs1Identifier([['01', /^(?:\d{8}|\d{12,13})$/.test(value) ? value.padStart(14, '0') : value]]),
  gln: (value) => gs1Identifier([['414', value]]),
  pgln: (value) => gs1Identifier([['417', value]]),
  grai: (value) => gs1Identifier([['8003', value]]),
  giai: (value) => gs1Identifier([['8004', value]]),
  gsrn: (value) => gs1Identifier([['8018', value]]),
  gsrnp: (value) => gs1Identifier([['8017', value]]),
  gdti: (value) => gs1Identifier([['253', value]]),
  ginc: (value) => gs1Identifier([['401', value]]),
  gsin: (value) => gs1Identifier([['402', value]]),
  sgcn: (value) => gs1Identifier([['255', value]]),
};

/** Schemes that only exist with a qualifier, hence never in plain digits. */
const qualifiedSchemes = new Set(['sgtin', 'lgtin', 'sgln', 'upui', 'itip', 'cpi']);
/** Types that say "whatever GS1 identity this URI names". */
const carrierTypes = new Set(['epc', 'gs1', 'digital-link']);

/**
 * The one form of a business id, so that the same thing is found however it was written: an SSCC in an EPC URI, in a GS1
 * Digital Link, in brackets or in bare digits gives one token. GS1 ids become application identifiers and values under the
 * name of their scheme; all others are trimmed and put into NFC. An `epc` that names no GS1 identity (a private URI) is
 * treated like the others.
 * @throws WaymarkError input-invalid: empty, lone surrogate, U+0000, or not what its GS1 type says; limit-exceeded
 */
export function normaliseBusinessId(id: BusinessId): BusinessId {
  const type = id.type.normalize('NFC').trim().toLowerCase();
  const value = id.value.normalize('NFC').trim();
  checkText('type', type, maxTypeBytes);
  checkText('value', value, maxValueBytes);
  const plain = plainForms[type];
  if (plain === undefined && !qualifiedSchemes.has(type) && !carrierTypes.has(type)) return { type, value };
  const identifier =
    parseEpcUri(value) ?? parseDigitalLink(value) ?? parseElementString(value) ?? plain?.(value) ?? null;
  if (identifier === null) {
    if (carrierTypes.has(type)) return { type, value };
    throw new WaymarkError('input-invalid', 'A business id does not have the form its GS1 type demands.', {
      details: { type },
    });
  }
  return { type: identifier.scheme, value: bracketed(identifier) };
}

function checkText(what: string, text: string, maxBytes: number): void {
  if (text === '' || /[\u0000\p{Surrogate}]/u.test(text)) {
    throw new WaymarkError('input-invalid', `The ${what} of a business id is not text.`);
  }
  if (Buffer.byteLength(text, 'utf8') > maxBytes) {
    throw new WaymarkError('limit-exceeded', `The ${what} of a business id is too long.`, { details: { maxBytes } });
  }
}
