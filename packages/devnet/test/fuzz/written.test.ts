import { Writable } from 'node:stream';
import { written } from '../../src/deliver/written.ts';

/** A connection whose client reads only when it is told to. */
function slowClient(): { stream: Writable; read: () => void } {
  const waiting: (() => void)[] = [];
  const stream = new Writable({ objectMode: true, write: (_message, _encoding, done) => waiting.push(done) });
  return { stream, read: () => waiting.shift()?.() };
}

const settled = async (promise: Promise<void>) => {
  let done = false;
  void promise.then(() => (done = true));
  await new Promise((resolve) => setImmediate(resolve));
  return done;
};

test('a message is written when its client has taken it, not before', async () => {
  const { stream, read } = slowClient();
  const first = written(stream, 'first', new AbortController().signal);
  expect(await settled(first)).toBe(false);
  read();
  expect(await settled(first)).toBe(true);
});

test('nobody waits for a client that is gone', async () => {
  const { stream } = slowClient();
  const aborted = new AbortController();
  const first = written(stream, 'first', aborted.signal);
  expect(await settled(first)).toBe(false);
  aborted.abort();
  expect(await settled(first)).toBe(true);
  expect(await settled(written(stream, 'second', aborted.signal))).toBe(true);
  expect(stream.writableLength).toBe(1);
});
