import type { ShipmentRecord } from '@waymark/protocol';
import { seededRandom } from '../samples/random.ts';

const recordsPerConsignment = 10;
const firstCollectedMs = Date.UTC(2026, 0, 5, 6);
const steps = ['collecting', 'loading', 'departing', 'transporting', 'arriving', 'sorting', 'storing', 'delivering'];
const places = ['harbour', 'rail yard', 'airport', 'cross dock', 'cold store', 'bonded store', 'depot', 'locker'];
const units = ['CEL', 'P1', 'GRM', 'HPA'];

/** Makes records without end, each once. */
export interface RecordSource {
  next(): ShipmentRecord;
}

/**
 * Invented shipment records, about 1 KB of JSON payload each and ten to a consignment; the same seed and name give the same records.
 *
 * @param name goes into the event ids: two sources with different names never give the same record
 */
export function recordSource(seed: number, name: string): RecordSource {
  const random = seededRandom(seed);
  let count = 0;
  const item = (): { id: string; massGram: number; seal: string } => ({
    id: `urn:epc:id:sscc:0952${random.integer(100, 999)}.${random.integer(1_000_000_000, 1_999_999_999)}`,
    massGram: random.integer(120, 31_500),
    seal: random.integer(0x10000000, 0xffffffff).toString(16),
  });
  const reading = (): { atMs: number; value: number; unit: string } => ({
    atMs: firstCollectedMs + random.integer(0, 86_400_000),
    value: random.integer(-2_000, 12_000) / 100,
    unit: random.pick(units),
  });
  return {
    next() {
      const index = count;
      count += 1;
      const consignment = `${name}-c${Math.floor(index / recordsPerConsignment)}`;
      return {
        eventId: `${name}-${index}`,
        revision: 0,
        consignment,
        schema: 'urn:waymark:bench:milestone:1',
        collectionTime: new Date(firstCollectedMs + index * 1_000).toISOString(),
        businessIds: [{ type: 'order', value: `${consignment}-${index % recordsPerConsignment}` }],
        payload: {
          step: random.pick(steps),
          place: {
            kind: random.pick(places),
            latitude: random.integer(-90e4, 90e4) / 1e4,
            longitude: random.integer(-180e4, 180e4) / 1e4,
          },
          carrier: { name: `Carrier ${random.integer(1, 400)}`, vehicle: `V-${random.integer(10_000, 99_999)}` },
          items: Array.from({ length: 5 }, item),
          readings: Array.from({ length: 7 }, reading),
          remark: `checked at gate ${random.integer(1, 60)} by shift ${random.integer(1, 3)}`,
        },
      };
    },
  };
}
