/** Records of a firm's own form, one per line: scans of parcels in a sorting centre. */
import { seededRandom } from './random.ts';

const parcels = 8;
const seed = 77;
const stations = ['infeed', 'weighing', 'sorter', 'outfeed'] as const;
const startMs = Date.UTC(2026, 1, 2, 18);

/** `parcel-scans.ndjson`: four scans of each of eight parcels. */
export function parcelScans(): string {
  const random = seededRandom(seed);
  const lines = Array.from({ length: parcels }, (_, parcel) => {
    const number = `PX26${String(500_210 + parcel * 7)}`;
    let timeMs = startMs + parcel * 95_000;
    return stations.map((station) => {
      timeMs += random.integer(4_000, 90_000);
      return JSON.stringify({
        eventId: `scan:${number}:${station}`,
        revision: 0,
        consignment: `route:2026-02-02:${String(1 + (parcel % 3))}`,
        schema: 'parcel-scan-v1',
        collectionTime: new Date(timeMs).toISOString(),
        businessIds: [{ type: 'parcel', value: number }],
        payload: {
          station,
          lane: random.integer(1, 24),
          ...(station === 'weighing' ? { weightGrams: random.integer(180, 9_400) } : {}),
          ...(station === 'sorter' ? { rejected: random.next() < 0.1 } : {}),
        },
      });
    });
  });
  return `${lines.flat().join('\n')}\n`;
}
