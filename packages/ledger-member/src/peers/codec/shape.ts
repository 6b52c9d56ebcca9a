import { codecLimits, refuseMessage } from './checks.ts';

/**
 * What may stand how often in the bytes of a message, by field number (`proto/ledger.proto`). It is looked at before anything is decoded: a megabyte of
 * empty parts would become a hundred megabytes of objects.
 */
export interface Shape {
  readonly [field: number]: { readonly max: number; readonly of: Shape };
}

/** Parts of one envelope, all together. */
const maxParts = 500_000;

const plain: Shape = {};
const one = (of: Shape) => ({ max: 1, of });
const many = (max: number, of: Shape = plain) => ({ max, of });

const { maxMembers, maxRecords, maxSubmissions, maxSeals, maxConfigurations, maxCursors, maxEntries } = codecLimits;
const signedHeader: Shape = { 1: one(plain) };
const seal: Shape = { 1: one(signedHeader), 2: many(maxMembers) };
const logEnd: Shape = { 4: one(plain) };
const vote: Shape = { 6: one(logEnd) };
const election: Shape = { 4: one(seal), 5: many(maxMembers, vote) };
const members: Shape = { 2: many(maxMembers), 3: many(maxMembers), 4: many(maxMembers) };
const audited: Shape = { 1: one({ 11: many(maxRecords) }), 2: many(maxRecords) };
const candidate: Shape = { 7: one({ 1: many(maxSubmissions, audited) }), 8: one(members), 9: one(plain) };
const entry: Shape = { 1: one(candidate), 2: one(seal) };
const snapshot: Shape = {
  3: many(maxCursors),
  4: one(members),
  5: many(maxConfigurations, { 1: one(members), 2: many(maxSeals, seal) }),
  6: many(maxSeals, seal),
};
const statement: Shape = { 1: one(plain), 2: one(signedHeader) };
const message: Shape = {
  4: one({ 3: one(seal), 4: many(maxEntries, entry), 5: one(election) }),
  5: one({ 4: one(plain) }),
  6: one({ 3: one(logEnd), 4: one(plain) }),
  7: one({ 4: one(vote) }),
  8: one(plain),
  9: one({ 1: one(snapshot), 2: one(election) }),
  10: one(plain),
  11: one({ 1: one(snapshot), 2: many(maxEntries, entry) }),
  12: one({ 2: one(statement), 3: one(statement) }),
};

export const envelopeShape: Shape = { 1: one({ 3: one(plain), 4: one(plain) }), 2: one(plain), 3: one(message) };
export const storedBlockShape: Shape = { 5: many(10_000) };

/** @throws WaymarkError input-invalid for bytes that are no protobuf message, hold something too often, or too much in all */
export function checkShape(bytes: Uint8Array, shape: Shape): void {
  let partsLeft = maxParts;
  let at = 0;

  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at] ?? refuseMessage('the end');
      at += 1;
      // Only lengths and tags are used, which are below 2^32.
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return refuseMessage('a number');
  };
  const walk = (end: number, allowed: Shape): void => {
    const counts = new Map<number, number>();
    while (at < end) {
      const tag = varint();
      const field = Math.floor(tag / 8);
      switch (tag % 8) {
        case 0:
          varint();
          break;
        case 1:
          at += 8;
          break;
        case 2: {
          const length = varint();
          const next = at + length;
          if (next > end) refuseMessage('a length');
          const part = allowed[field];
          if (part !== undefined) {
            const count = (counts.get(field) ?? 0) + 1;
            counts.set(field, count);
            partsLeft -= 1;
            if (count > part.max || partsLeft < 0) refuseMessage('too many parts');
            if (part.of !== plain) walk(next, part.of);
          }
          at = next;
          break;
        }
        case 5:
          at += 4;
          break;
        default:
          // Groups are not used.
          refuseMessage('a tag');
      }
    }
    if (at !== end) refuseMessage('the end');
  };
  walk(bytes.length, shape);
}
