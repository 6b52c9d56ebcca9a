/**
 * A process that writes as fast as it can until it is killed, and prints each height once it was acknowledged. Arguments: folder.
 */
import { writeSync } from 'node:fs';
import { openLedgerLog } from '@waymark/ledger-log';
import { block, hardState, snapshot } from './steps.ts';

const [folder = ''] = process.argv.slice(2);
const log = await openLedgerLog({ folder, create: true, maxSegmentSizeBytes: 20_000 });
let { lastHeight } = log.stats();
let term = 0;
for (const step of log.restored.steps) if (step.type === 'hard-state') ({ term } = step);
writeSync(1, `position ${JSON.stringify(log.position())}\n`);
for (;;) {
  const first = lastHeight + 1;
  lastHeight += 3;
  term += 1;
  await Promise.all([
    log.persist([...block(first), hardState(term)]),
    log.persist(block(first + 1)),
    log.persist(block(lastHeight)),
  ]);
  writeSync(1, `${lastHeight}\n`);
  if (lastHeight % 30 !== 0) continue;
  const height = lastHeight - 2;
  await log.persist([{ type: 'compact', snapshot: snapshot(height) }]);
  await log.checkpoint([
    { type: 'snapshot', snapshot: snapshot(height) },
    ...block(height + 1),
    ...block(lastHeight),
    hardState(term),
  ]);
}
