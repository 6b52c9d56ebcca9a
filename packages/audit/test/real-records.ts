import { openRecordFile } from '@waymark/capture';
import { parseTime, type ShipmentRecord } from '@waymark/protocol';
import { contentRules, structuralRules } from '../src/index.ts';
import { factsOf, headerOfRecord, reasonAtCenter, statementOf } from './records.ts';

/** Every kind at once: nothing that real firms write may be refused by what comes with the product. */
const rules = [...structuralRules({ skewMs: 60_000 }), ...contentRules(['producer', 'carrier', 'seller', 'regulator'])];
/** When they are audited. */
export const auditedMs = Date.UTC(2026, 10, 1);

/** Why a record that came in with its content open is refused; null when it is let in. */
export function reasonOf(record: ShipmentRecord): string | null {
  const { eventId, revision, schema, businessIds, payload, collectionTime } = record;
  const collectedMs = parseTime(collectionTime);
  const facts = factsOf({
    statement: statementOf({ collectedFromMs: collectedMs, collectedToMs: collectedMs }),
    envelope: headerOfRecord(0, { schema, collectedMs }),
    content: { eventId, revision, schema, businessIds, payload },
  });
  return reasonAtCenter(rules, facts, auditedMs);
}

/** All records of a file. */
export async function recordsOf(path: string): Promise<ShipmentRecord[]> {
  const records: ShipmentRecord[] = [];
  for await (const record of (await openRecordFile(path)).records()) records.push(record);
  return records;
}

/** Where real and published data lies; absent on machines that do not have it. */
export const dataFolder = process.env['WAYMARK_DATA'];

/** `describe` when the data folder is there, else a skipped one that says why. */
export const withData: (name: string, body: () => void) => void =
  dataFolder === undefined
    ? (name, body) => describe.skip(`${name} (skipped: WAYMARK_DATA does not name the data folder)`, body)
    : describe;
