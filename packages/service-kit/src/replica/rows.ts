import { WaymarkError, decodeCid, parseEvidence, rawCode, type Evidence } from '@waymark/protocol';
import type { CID } from 'multiformats/cid';
import type { z } from 'zod';

/** A row as SQLite gives it. Another process may have altered it: each reader below checks the form. */
export type Row = Record<string, unknown>;

/** Where a record lies, as the replica says: a hint that a reader proves (S7) or takes as it is (S8). */
export interface IndexHit {
  readonly recordOid: Uint8Array;
  /** `<msp>/<outlet>/<seq>`. */
  readonly evidenceId: string;
  readonly leafIndex: number;
  readonly cid: CID;
}

export function hitOf(row: Row): IndexHit {
  const evidenceId = row['evidence_id'];
  if (typeof evidenceId !== 'string') throw altered();
  return {
    recordOid: bytesOf(row, 'record_oid'),
    evidenceId,
    leafIndex: Number(integerOf(row, 'leaf_index')),
    cid: cidOf(bytesOf(row, 'cid')),
  };
}

function cidOf(bytes: Uint8Array): CID {
  try {
    return decodeCid(bytes, [rawCode]);
  } catch {
    throw altered();
  }
}

export function integerOf(row: Row | undefined, name: string): bigint {
  const value = row?.[name];
  if (typeof value !== 'bigint') throw altered();
  return value;
}

export function bytesOf(row: Row, name: string): Uint8Array {
  const value = row[name];
  if (!(value instanceof Uint8Array)) throw altered();
  return value;
}

export function evidenceIn(row: Row): Evidence {
  try {
    return parseEvidence(String(row['value']));
  } catch {
    throw altered();
  }
}

export function jsonOf(row: Row, name: string): unknown {
  try {
    return JSON.parse(String(row[name]));
  } catch {
    throw altered();
  }
}

/** A value of our own in JSON, which must have its form. */
export function factsIn<T>(row: Row, name: string, schema: z.ZodType<T>): T {
  const { success, data } = schema.safeParse(jsonOf(row, name));
  return success ? data : refuse();
}

function refuse(): never {
  throw altered();
}

function altered(): WaymarkError {
  return new WaymarkError('data-abnormal', 'the replica was altered: a row does not have its form');
}
