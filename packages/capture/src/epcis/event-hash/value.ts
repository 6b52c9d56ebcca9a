/** Single values in the form they are hashed in: rules 5 to 9 and 14 to 18 of CBV 2.0 section 8.9.2. */
import { canonicaliseDigitalLink } from '../../gs1/digital-link.ts';
import { digitalLinkOfEpcUri } from '../../gs1/epc-uri.ts';
import { splitCompact, type Namespaces } from '../json-ld/namespaces.ts';
import { utcMilliseconds } from '../schema/time.ts';
import * as cbv from '../vocabulary.ts';
import type { Vocabulary } from '../vocabulary.ts';

/** An EPC URI, or a GS1 Digital Link URI at any domain, as the canonical Digital Link URI; other texts as they are. */
export function canonicalUri(text: string): string {
  return digitalLinkOfEpcUri(text) ?? canonicaliseDigitalLink(text) ?? text;
}

/** URN forms of CBV words before version 2.0. */
const urnForms: readonly (readonly [prefix: string, vocabulary: Vocabulary])[] = [
  ['urn:epcglobal:cbv:bizstep:', cbv.businessSteps],
  ['urn:epcglobal:cbv:disp:', cbv.dispositions],
  ['urn:epcglobal:cbv:btt:', cbv.businessTransactionTypes],
  ['urn:epcglobal:cbv:sdt:', cbv.sourceDestinationTypes],
  ['urn:epcglobal:cbv:er:', cbv.errorReasons],
];

function webVocabulary(text: string): string {
  for (const [prefix, vocabulary] of urnForms) {
    if (text.startsWith(prefix)) return vocabulary.base + text.slice(prefix.length);
  }
  return text;
}

/** A number without exponent and without trailing zeros. */
export function plainDecimal(value: number): string {
  const [mantissa = '', exponent] = String(value).split('e');
  if (exponent === undefined) return mantissa === '-0' ? '0' : mantissa;
  const sign = mantissa.startsWith('-') ? '-' : '';
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const shift = Number(exponent);
  const digits = whole + fraction;
  const point = whole.length + shift;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return (
    sign + (point >= digits.length ? digits.padEnd(point, '0') : `${digits.slice(0, point)}.${digits.slice(point)}`)
  );
}

/** A text of a standard field, which may be a compact IRI. */
export function canonicalText(text: string, namespaces: Namespaces): string {
  const trimmed = text.trim();
  const compact = splitCompact(trimmed, namespaces);
  return canonicalUri(webVocabulary(compact === undefined ? trimmed : compact.namespace + compact.local));
}

/** Namespaces whose compact IRIs are words of the standard wherever they stand. */
const gs1Namespaces = /^https:\/\/(?:ref\.)?gs1\.org\//;

/** A text of an extension: a literal, unless it is a word or an identifier of the standard. */
export function canonicalExtensionText(text: string, namespaces: Namespaces): string {
  const compact = splitCompact(text.trim(), namespaces);
  return compact === undefined || gs1Namespaces.test(compact.namespace) ? canonicalText(text, namespaces) : text.trim();
}

/** A word of a vocabulary as its web URI. */
export function canonicalWord(text: string, vocabulary: Vocabulary, namespaces: Namespaces): string {
  return vocabulary.words.has(text) ? vocabulary.base + text : canonicalText(text, namespaces);
}

/** A time in UTC with milliseconds; a text that is no time stays as it is. */
export function canonicalTime(text: string): string {
  return utcMilliseconds(text.trim()) ?? text.trim();
}
