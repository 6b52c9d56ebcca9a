import type { BatchStatement, RecordContent } from '@waymark/protocol';

/** What an envelope says of itself in the clear (docs/formats.md, "Envelope"). */
export interface EnvelopeFacts {
  readonly channel: string;
  readonly msp: string;
  /** Enrolment id. */
  readonly outlet: string;
  /** 32 bytes. */
  readonly recordOid: Uint8Array;
  readonly schema: string;
  /** Milliseconds since 1970. */
  readonly collectedMs: number;
}

/**
 * How a department stands with its firm, as far as this member knows. `unknown`: the channel has nothing of it here, which at a department may mean that its
 * copy of the register is behind.
 */
export type Standing =
  | { readonly state: 'in-order' }
  | { readonly state: 'unsigned' }
  | { readonly state: 'unknown' }
  /** `sinceMs`: since when this member knows, by its own clock; undefined when it cannot tell. */
  | { readonly state: 'withdrawn'; readonly sinceMs?: number };

/** `not-looked`: this member has not fetched it. `absent`: it could not be fetched. `malformed`: what the CID names is no envelope. */
export type EnvelopeFinding = EnvelopeFacts | 'not-looked' | 'absent' | 'malformed';

/** `sealed`: no key is held here. `unreadable`: a key is held, and what is inside is no record. */
export type ContentFinding = RecordContent | 'sealed' | 'unreadable';

/** All that a rule may look at; found out before it is asked. */
export interface RecordFacts {
  /** Lower-case hex. */
  readonly oid: string;
  readonly statement: BatchStatement;
  readonly standing: Standing;
  /** Whether the record's leaf recomputes from its oid and the CID that is attached. */
  readonly isLeafIntact: boolean;
  readonly envelope: EnvelopeFinding;
  readonly content: ContentFinding;
}

/** The envelope's header where it is known. */
export function headerOf({ envelope }: Pick<RecordFacts, 'envelope'>): EnvelopeFacts | null {
  return typeof envelope === 'string' ? null : envelope;
}
