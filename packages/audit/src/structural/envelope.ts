import { type EnvelopeFacts, headerOf, type RecordFacts } from '../facts/facts.ts';
import type { Rule } from '../rule.ts';

/** The envelope is there, and it is the one of this record, outlet and channel. */
export const envelopeRule: Rule = {
  codes: ['envelope-unretrievable', 'envelope-mismatch'],
  checkedBy: 'both',
  check(facts) {
    const { envelope, isLeafIntact } = facts;
    if (!isLeafIntact || envelope === 'malformed') return 'envelope-mismatch';
    if (envelope === 'absent') return 'envelope-unretrievable';
    const header = headerOf(facts);
    return header === null || isOfRecord(header, facts) ? null : 'envelope-mismatch';
  },
  couldHold(facts, code, context) {
    if (facts.envelope === 'not-looked') return true;
    // It may have come after the center looked for it.
    return code === 'envelope-unretrievable' || envelopeRule.check(facts, context) === code;
  },
};

function isOfRecord(header: EnvelopeFacts, { oid, statement }: RecordFacts): boolean {
  return (
    header.channel === statement.channel &&
    header.msp === statement.msp &&
    header.outlet === statement.outlet &&
    header.collectedMs >= statement.collectedFromMs &&
    header.collectedMs <= statement.collectedToMs &&
    hexEquals(oid, header.recordOid)
  );
}

function hexEquals(hex: string, { buffer, byteOffset, byteLength }: Uint8Array): boolean {
  return hex === Buffer.from(buffer, byteOffset, byteLength).toString('hex');
}
