import fc from 'fast-check';
import { BlockCutter, type OrderedMessage } from '../../src/orderer/block-cutter.ts';

const message = (sizeBytes: number): OrderedMessage => ({ envelopeBytes: new Uint8Array(), sizeBytes });
const cutterOf = (maxMessageCount: number, preferredMaxBytes: number) =>
  new BlockCutter(() => ({ maxMessageCount, preferredMaxBytes, absoluteMaxBytes: 1_000_000 }));
const sizes = (cutter: BlockCutter, sizeBytes: number) => {
  const { batches, pending } = cutter.add(message(sizeBytes));
  return { batches: batches.map((batch) => batch.map((m) => m.sizeBytes)), pending };
};

test('a batch is cut at the message that fills it', () => {
  const cutter = cutterOf(3, 1000);
  expect(sizes(cutter, 1)).toEqual({ batches: [], pending: true });
  expect(sizes(cutter, 2)).toEqual({ batches: [], pending: true });
  expect(sizes(cutter, 3)).toEqual({ batches: [[1, 2, 3]], pending: false });
  expect(sizes(cutter, 4)).toEqual({ batches: [], pending: true });
});

test('a message that would take the batch over the preferred size starts the next one', () => {
  const cutter = cutterOf(10, 100);
  expect(sizes(cutter, 60)).toEqual({ batches: [], pending: true });
  expect(sizes(cutter, 40)).toEqual({ batches: [], pending: true });
  expect(sizes(cutter, 1)).toEqual({ batches: [[60, 40]], pending: true });
  expect(cutter.cut().map((m) => m.sizeBytes)).toEqual([1]);
});

test('a message larger than the preferred size is alone in its batch', () => {
  const cutter = cutterOf(10, 100);
  sizes(cutter, 10);
  expect(sizes(cutter, 101)).toEqual({ batches: [[10], [101]], pending: false });
  expect(sizes(cutter, 500)).toEqual({ batches: [[500]], pending: false });
  expect(sizes(cutter, 100)).toEqual({ batches: [], pending: true });
});

test('a full count right after an overflow cuts twice', () => {
  const cutter = cutterOf(1, 100);
  expect(sizes(cutter, 60)).toEqual({ batches: [[60]], pending: false });
});

test('cutting nothing gives nothing', () => {
  expect(cutterOf(3, 100).cut()).toEqual([]);
});

test('limits that change apply to the next message', () => {
  let maxMessageCount = 10;
  const cutter = new BlockCutter(() => ({ maxMessageCount, preferredMaxBytes: 100, absoluteMaxBytes: 100 }));
  cutter.add(message(1));
  maxMessageCount = 2;
  expect(cutter.add(message(1)).batches).toHaveLength(1);
});

test('no message is lost, doubled or reordered, and no batch is over the limits', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 200 }),
      fc.array(fc.integer({ min: 1, max: 300 })),
      (maxCount, preferred, messageSizes) => {
        const cutter = cutterOf(maxCount, preferred);
        const messages = messageSizes.map(message);
        const batches = messages.flatMap((m) => cutter.add(m).batches);
        const rest = cutter.cut();
        expect([...batches.flat(), ...rest]).toEqual(messages);
        for (const batch of [...batches, rest]) {
          const total = batch.reduce((sum, m) => sum + m.sizeBytes, 0);
          expect(batch.length).toBeLessThanOrEqual(maxCount);
          expect(total <= preferred || batch.length === 1).toBe(true);
        }
      },
    ),
  );
});
