import { everyFlip, everyTear } from './support/flips.ts';
import { newDisk } from './support/log.ts';
import { block, candidateStep, hardState } from './support/steps.ts';
import { crashes } from './support/story.ts';

const everyBit = [0, 1, 2, 3, 4, 5, 6, 7];

test('every single bit of a closed log of some segments, altered one at a time, is noticed', async () => {
  const { flips, refused, torn } = await everyFlip(
    [hardState(1), candidateStep(1, 1, 1), hardState(2)],
    () => everyBit,
  );
  expect(refused + torn).toBe(flips);
  expect(torn).toBe(64 * 8);
  process.stderr.write(`ledger log: ${flips} bits altered, ${refused} refused, ${torn} cut as the mark at the end\n`);
}, 60_000);

test('a log of blocks cut at every octet of its last group comes back with a beginning of it', async () => {
  expect(await everyTear([hardState(1), ...block(1)], [...block(2), candidateStep(3)])).toEqual([3, 4, 5]);
}, 60_000);

test('1,000 stories of three power losses each: nothing acknowledged is lost, nothing is invented', async () => {
  let steps = 0;
  for (let seed = 1; seed <= 1_000; seed += 1) steps += await crashes(newDisk(), seed);
  process.stderr.write(`ledger log: 3,000 power losses, ${steps} steps there at the end\n`);
}, 60_000);
