import { type CborValue, decodeCbor, encodeCbor, toHex, WaymarkError } from '@waymark/protocol';

/**
 * How far a log had got at some time, as others may remember it. A disk that was wiped or put back to an old copy does not hold what its own
 * log once announced (docs/rsl.md, "Lost disks").
 */
export interface LogPosition {
  /** Drawn when the log was made, hex. */
  readonly log: string;
  /** How often the log had been opened. */
  readonly opens: number;
  /** Drawn at that opening, hex: two lives that began from one copy differ in it. */
  readonly session: string;
  /** Last durable sequence number; never goes back. */
  readonly seq: number;
}

/**
 * What a log is to a position that it is said to have announced. `held`: it goes at least as far. `lost`: it is an older copy, or one that went
 * its own way since. `another-log`: made anew. `too-old`: it no longer knows.
 */
export type Standing = 'held' | 'lost' | 'another-log' | 'too-old';

/** One opening of a log. */
export interface Opening {
  readonly opens: number;
  readonly session: Uint8Array;
  /** First sequence number of this life. */
  readonly firstSeq: number;
}

/** Openings that a checkpoint takes along. */
export const maxOpenings = 256;
export const sessionSizeBytes = 8;

/** Judges a position by the log's own history, oldest opening first. */
export function standingOf(log: string, openings: readonly Opening[], lastSeq: number, known: LogPosition): Standing {
  if (known.log !== log) return 'another-log';
  const index = openings.findIndex(({ opens }) => opens === known.opens);
  const opening = openings[index];
  if (opening === undefined) return known.opens < (openings[0]?.opens ?? 0) ? 'too-old' : 'lost';
  if (toHex(opening.session) !== known.session) return 'lost';
  const end = (openings[index + 1]?.firstSeq ?? lastSeq + 1) - 1;
  return known.seq <= end ? 'held' : 'lost';
}

export function encodeOpening({ opens, session, firstSeq }: Opening): Uint8Array {
  return encodeCbor([opens, session, firstSeq] satisfies CborValue);
}

/** @throws WaymarkError data-abnormal */
export function decodeOpening(bytes: Uint8Array): Opening {
  const value = decodeCbor(bytes);
  const [opens, session, firstSeq] = Array.isArray(value) ? (value as unknown[]) : [];
  if (typeof opens !== 'number' || !(session instanceof Uint8Array) || typeof firstSeq !== 'number')
    throw new WaymarkError('data-abnormal', 'A record of the ledger log holds no opening.');
  return { opens, session: Uint8Array.from(session), firstSeq };
}
