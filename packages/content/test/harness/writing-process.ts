/**
 * A process that writes blocks as fast as it can until it is killed, and prints the number of each batch once it was
 * acknowledged. Arguments: folder, first batch number.
 */
import { writeSync } from 'node:fs';
import { openEmbeddedStore } from '@waymark/content';
import { batchOf } from './written-batches.ts';

const [folder = '', first = '0'] = process.argv.slice(2);
const store = await openEmbeddedStore({ folder, maxSegmentSizeBytes: 300_000 });
writeSync(1, 'open\n');
const lanes = 3;
await Promise.all(
  Array.from({ length: lanes }, async (_none, lane) => {
    for (let number = Number(first) + lane; ; number += lanes) {
      const { blocks, root } = batchOf(number);
      await store.putMany(blocks, { pinRoots: [root.cid] });
      writeSync(1, `${number}\n`);
    }
  }),
);
