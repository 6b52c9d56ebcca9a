import type { JsonValue } from '@waymark/protocol';

/**
 * What a field must be: `text` and `list` not empty; `time` RFC 3339, not later than the record's collection time; `number` finite; `present` anything but null;
 * or one of some words; or a text that contains one of these.
 */
export type FieldValue =
  | 'text'
  | 'time'
  | 'number'
  | 'list'
  | 'present'
  | { readonly oneOf: readonly string[] }
  | { readonly contains: readonly string[] };

/** A place where a field may stand, and what it must be there. */
export interface FieldPlace {
  /** Pointer into the payload (`valuesAt`). */
  readonly at: string;
  readonly value: FieldValue;
}

/** One fact that a record must state. */
export interface FieldDescription {
  /** Gives the codes `<name>-missing` and `<name>-invalid`. */
  readonly name: string;
  /** One of them has to hold. */
  readonly places: readonly FieldPlace[];
  /** Whether the record may leave it out. */
  readonly optional?: boolean;
}

/** What records of a schema must say. Plain data: it may stand in a configuration file. */
export interface ContentDescription {
  /** Schema id, or the beginning of one with `*`. Records of other schemas are no business of it. */
  readonly schema: string;
  /** Only records where this text is one of these words (the last word of a vocabulary's URI counts). */
  readonly when?: { readonly at: string; readonly oneOf: readonly string[] };
  readonly fields: readonly FieldDescription[];
}

/** A payload with what of the record around it counts for its fields. */
export interface DescribedRecord {
  readonly payload: JsonValue;
  /** Milliseconds since 1970. */
  readonly collectedMs: number;
}
