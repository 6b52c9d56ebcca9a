import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type JsonObject, parseTime, type ShipmentRecord } from '@waymark/protocol';
import { auditedMs, dataFolder, reasonOf, recordsOf, withData } from './real-records.ts';

const samples = join(import.meta.dirname, '../../../examples/samples');

describe('what the main job submits', () => {
  test.each(['cold-chain.jsonld', 'air-freight.csv', 'parcel-scans.ndjson'])(
    '%s: every record passes',
    async (file) => {
      const records = await recordsOf(join(samples, file));
      const reasons = records.map(reasonOf);
      expect(records.length).toBeGreaterThan(30);
      expect(reasons.filter((reason) => reason !== null)).toEqual([]);
    },
  );
});

describe('a real record that was altered is refused with the reason', () => {
  const alter = (record: ShipmentRecord, changes: JsonObject): ShipmentRecord => ({
    ...record,
    payload: { ...(record.payload as JsonObject), ...changes },
  });
  const without = (record: ShipmentRecord, ...members: string[]): ShipmentRecord => {
    const payload = Object.entries(record.payload as JsonObject).filter(([name]) => !members.includes(name));
    return { ...record, payload: Object.fromEntries(payload) };
  };
  const stepOf = ({ payload }: ShipmentRecord): unknown => (payload as JsonObject)['bizStep'];

  test('events of the cold chain', async () => {
    const records = await recordsOf(join(samples, 'cold-chain.jsonld'));
    const commissioned = records.filter((record) => stepOf(record) === 'commissioning');
    const carried = records.filter((record) => stepOf(record) === 'transporting');
    expect(Math.min(commissioned.length, carried.length)).toBeGreaterThan(10);
    for (const record of commissioned) {
      const nameless = without(record, 'ilmd', 'epcList', 'quantityList', 'bizTransactionList');
      expect(reasonOf(nameless)).toBe('batch-number-missing');
      expect(reasonOf(alter(record, { eventTime: '2126-01-01T00:00:00Z' }))).toBe('production-time-invalid');
    }
    for (const record of carried) {
      expect(reasonOf(without(record, 'readPoint', 'bizLocation', 'sourceList', 'destinationList'))).toBe(
        'route-missing',
      );
      expect(reasonOf(without(record, 'eventTime'))).toBe('transport-time-missing');
      expect(reasonOf({ ...record, collectionTime: '2026-12-01T00:00:00Z' })).toBe('time-in-future');
    }
  });

  test('milestones of air freight', async () => {
    for (const record of (await recordsOf(join(samples, 'air-freight.csv'))).slice(0, 200)) {
      expect(reasonOf(without(record, 'leg'))).toBe('route-missing');
      expect(reasonOf(alter(record, { service: 'LOST' }))).toBe('transport-service-invalid');
      expect(reasonOf(alter(record, { shipment: '17' }))).toBe('shipment-batch-invalid');
    }
  });
});

withData('published data', () => {
  test('EPCIS documents: every event that is read as a record passes', async () => {
    const folders = ['epcis-event-hash', 'gs1-epcis', 'openepcis-test-resources', 'openepcis-testdata-generator'];
    const refused: string[] = [];
    let count = 0;
    for (const folder of folders) {
      const root = join(dataFolder ?? '', folder);
      if (!existsSync(root)) continue;
      for (const name of (await readdir(root, { recursive: true })).filter((file) => /\.json(?:ld)?$/.test(file))) {
        const records = await recordsOf(join(root, name)).catch(() => []);
        for (const record of records) {
          if (parseTime(record.collectionTime) > auditedMs) continue;
          count += 1;
          const reason = reasonOf(record);
          if (reason !== null) refused.push(`${folder}/${name} ${record.eventId}: ${reason}`);
        }
      }
    }
    expect(refused).toEqual([]);
    expect(count).toBeGreaterThan(80);
  }, 60_000);
});
