import { isWaymarkError, type JsonValue, parseTime, WaymarkError } from '@waymark/protocol';
import { headerOf } from '../facts/facts.ts';
import { codeForm, type Rule } from '../rule.ts';
import { schemaMatcher } from '../structural/schema.ts';
import type { ContentDescription, DescribedRecord, FieldDescription, FieldValue } from './description.ts';
import { lastWord, pointerSegments, valuesAt } from './pointer.ts';

/**
 * The rule that a description stands for. It looks at records whose content the center can open; the departments follow its reasons, because the content is sealed
 * to them.
 * @throws WaymarkError configuration-invalid: a name that makes no reason code, a pointer that is none, a field without places
 */
export function contentRule(description: ContentDescription): Rule {
  const concerns = schemaMatcher([description.schema]);
  const when = description.when && {
    segments: segmentsOf(description.when.at),
    words: new Set(description.when.oneOf),
  };
  const fields = description.fields.map(compile);
  return {
    codes: description.fields.flatMap(({ name }) => [`${name}-missing`, `${name}-invalid`]),
    checkedBy: 'center',
    check(facts) {
      const { content } = facts;
      const header = headerOf(facts);
      if (typeof content === 'string' || header === null || !concerns(content.schema)) return null;
      const record: DescribedRecord = { payload: content.payload, collectedMs: header.collectedMs };
      if (when !== undefined) {
        const isMeant = valuesAt(record.payload, when.segments).some(
          (value) => typeof value === 'string' && (when.words.has(value) || when.words.has(lastWord(value))),
        );
        if (!isMeant) return null;
      }
      for (const field of fields) {
        const reason = field(record);
        if (reason !== null) return reason;
      }
      return null;
    },
  };
}

/** A record whose content is not what its envelope says, or no record at all: found where keys are held. */
export const readableRule: Rule = {
  codes: ['content-unreadable', 'content-mismatch'],
  checkedBy: 'center',
  check(facts) {
    const { content } = facts;
    if (content === 'sealed') return null;
    if (content === 'unreadable') return 'content-unreadable';
    const header = headerOf(facts);
    return header === null || header.schema === content.schema ? null : 'content-mismatch';
  },
};

type FieldCheck = (record: DescribedRecord) => string | null;

function compile({ name, places, optional = false }: FieldDescription): FieldCheck {
  if (!codeForm.test(`${name}-missing`) || places.length === 0) throw invalid(name);
  const compiled = places.map(({ at, value }) => ({ segments: segmentsOf(at), value }));
  return (record) => {
    let isThere = false;
    for (const { segments, value } of compiled) {
      for (const found of valuesAt(record.payload, segments)) {
        if (holds(found, value, record)) return null;
        isThere ||= found !== null;
      }
    }
    if (isThere) return `${name}-invalid`;
    return optional ? null : `${name}-missing`;
  };
}

function holds(found: JsonValue, wanted: FieldValue, { collectedMs }: DescribedRecord): boolean {
  if (typeof wanted === 'object') {
    if (typeof found !== 'string') return false;
    if ('oneOf' in wanted) return wanted.oneOf.includes(found) || wanted.oneOf.includes(lastWord(found));
    return wanted.contains.some((part) => found.includes(part));
  }
  switch (wanted) {
    case 'present':
      return found !== null;
    case 'text':
      return typeof found === 'string' && found.trim() !== '';
    case 'number':
      return typeof found === 'number';
    case 'list':
      return Array.isArray(found) && found.length > 0;
    case 'time':
      return isTimeUntil(found, collectedMs);
  }
}

function isTimeUntil(found: JsonValue, collectedMs: number): boolean {
  if (typeof found !== 'string') return false;
  try {
    return parseTime(found) <= collectedMs;
  } catch (error) {
    if (isWaymarkError(error)) return false;
    throw error;
  }
}

function segmentsOf(pointer: string): readonly string[] {
  const segments = pointerSegments(pointer);
  if (segments === undefined) throw invalid(pointer);
  return segments;
}

function invalid(place: string): WaymarkError {
  return new WaymarkError('configuration-invalid', 'A description of what records must say cannot be used.', {
    details: { place },
  });
}
