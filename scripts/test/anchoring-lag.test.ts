import { createAnchoringLag } from '../bench/anchoring-lag.ts';

const progress = (accepted: number, anchored: number) => ({
  read: 0,
  done: 0,
  failed: 0,
  reached: { accepted, confirmed: 0, anchored },
});

test('the n-th anchored record is compared with the n-th accepted one', () => {
  let nowMs = 0;
  const lag = createAnchoringLag(() => nowMs);
  lag.seen(progress(32, 0));
  nowMs = 100;
  lag.seen(progress(48, 16));
  nowMs = 150;
  lag.seen(progress(48, 48));
  expect(lag.lagsMs).toEqual([100, 150, 50]);
});
