import { expired, matched, maySend, missed, newProgress, sent, sentSnapshot } from '../src/progress.ts';

test('a new follower is probed with one message at a time', () => {
  const fresh = newProgress(7);
  expect(fresh).toMatchObject({ mode: 'probe', next: 8, match: 0 });
  expect(maySend(fresh, 4)).toBe(true);
  expect(maySend(sent(fresh, 8, 7), 4)).toBe(false);
});

test('once the logs meet it is sent ahead, within the window', () => {
  let progress = matched(sent(newProgress(0), 1, 0), 1, 0);
  expect(progress).toMatchObject({ mode: 'replicate', match: 1, next: 2, inflight: 0 });
  for (let count = 0; count < 4; count += 1) {
    expect(maySend(progress, 4)).toBe(true);
    progress = sent(progress, progress.next, 0);
  }
  expect(maySend(progress, 4)).toBe(false);
  expect(maySend(matched(progress, 2, 1), 4)).toBe(true);
});

test('an old answer does not take anything back', () => {
  const progress = matched(matched(newProgress(0), 5, 5), 3, 3);
  expect(progress).toMatchObject({ match: 5, sealed: 5, next: 6 });
});

test('a follower that lacks what should be there is probed from where it says', () => {
  const progress = missed(matched(newProgress(0), 9, 8), 4, false);
  expect(progress).toMatchObject({ mode: 'probe', match: 4, next: 5, sealed: 4, inflight: 0 });
});

test('complaints without end wait for the heartbeat', () => {
  let progress = newProgress(9);
  for (let count = 0; count < 9; count += 1) progress = missed(sent(progress, 9, 9), 0, true);
  expect(maySend(progress, 4)).toBe(false);
  expect(maySend(expired(progress), 4)).toBe(true);
});

test('while a snapshot is on its way nothing is sent; an unanswered one is sent again', () => {
  const progress = sentSnapshot(newProgress(0), 40);
  expect(maySend(progress, 4)).toBe(false);
  expect(expired(progress)).toMatchObject({ mode: 'probe', next: 1, inflight: 0 });
  expect(matched(progress, 40, 40)).toMatchObject({ mode: 'replicate', match: 40, next: 41 });
});

test('a heartbeat without an answer sends again from what is known', () => {
  const progress = sent(sent(matched(newProgress(0), 3, 3), 4, 3), 5, 3);
  expect(expired(progress)).toMatchObject({ next: 4, sealedSent: 3, inflight: 0 });
});
