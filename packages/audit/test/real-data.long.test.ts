import { join } from 'node:path';
import { openRecordFile } from '@waymark/capture';
import { dataFolder, reasonOf, withData } from './real-records.ts';

withData('published data, all of it', () => {
  test('the Cargo 2000 table: every milestone passes', async () => {
    const file = await openRecordFile(join(dataFolder ?? '', 'cargo2000/c2k_data_comma.csv'));
    const reasons = new Map<string, number>();
    let count = 0;
    for await (const record of file.records()) {
      count += 1;
      const reason = reasonOf(record);
      if (reason !== null) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    expect(count).toBeGreaterThan(50_000);
    expect([...reasons]).toEqual([]);
  }, 60_000);
});
