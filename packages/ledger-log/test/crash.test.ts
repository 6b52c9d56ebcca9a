import fc from 'fast-check';
import { newDisk } from './support/log.ts';
import { crashes, drawFrom, newStory, open, write } from './support/story.ts';

test('whatever is written, and wherever power is lost three times over: what was acknowledged is there, and nothing else but what was called for', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 - 1 }), async (seed) => {
      await crashes(newDisk(), seed);
    }),
    { numRuns: 40 },
  );
});

test('power lost at each operation of one run, one after the other', async () => {
  const run = async (losePowerAt: number): Promise<number> => {
    const files = newDisk();
    const story = newStory();
    files.losePowerAt(losePowerAt);
    await write(files, story, 10, drawFrom(11));
    const operations = files.operations();
    const log = await open(files.afterPowerLoss(drawFrom(losePowerAt)), story);
    await log.close();
    return operations;
  };
  const total = await run(Number.POSITIVE_INFINITY);
  expect(total).toBeGreaterThan(30);
  for (let at = 1; at <= total; at += 1) await run(at);
});
