import { WaymarkError } from '@waymark/protocol';
import { maxMessageSizeBytes, openBidi, type BatchReceipt, type CallContext, type SealedBatch } from '../src/index.ts';
import { outletIdentity, startCenter, type CenterBehaviour, type TestCenter } from './fixture.ts';

const open: TestCenter[] = [];
afterEach(async () => {
  for (const center of open.splice(0)) await center.close();
});

async function connected(behaviour: CenterBehaviour) {
  const center = await startCenter(behaviour);
  open.push(center);
  const identity = await outletIdentity(center.ca);
  return { center, client: center.client(identity), another: center.client(identity) };
}

const batch = (ref: number, sizeBytes = 1): SealedBatch => ({ ref, sealed: new Uint8Array(sizeBytes) });
const receipt = (ref: number): BatchReceipt => ({ ref, receipt: new Uint8Array(1), failure: undefined, rejected: [] });

async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

test('every message sent is answered, and the stream ends when both sides have finished', async () => {
  const { client } = await connected({
    upload: async (requests, responses) => {
      for await (const { ref } of requests) await responses.write(receipt(ref));
    },
  });
  const stream = openBidi(client.upload());
  const answers = collect(stream.responses);
  for (let ref = 1; ref <= 500; ref += 1) await stream.write(batch(ref, 1_000));
  stream.finish();
  expect((await answers).map(({ ref }) => ref)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
});

test('a server that does not read holds its client back', async () => {
  let startReading: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (startReading = resolve));
  const { client } = await connected({
    upload: async (requests, responses) => {
      await gate;
      let count = 0;
      for await (const request of requests) count += request.sealed.length > 0 ? 1 : 0;
      await responses.write(receipt(count));
    },
  });
  const stream = openBidi(client.upload());
  const answers = collect(stream.responses);
  let written = 0;
  const total = 200;
  const writing = (async () => {
    for (; written < total; written += 1) await stream.write(batch(written, 256 * 1024));
    stream.finish();
  })();
  // Writing has stopped when a while passes on the connection without a message being taken.
  let before = -1;
  while (before !== written) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  expect(written).toBeLessThan(total / 2);
  startReading();
  await writing;
  expect((await answers).map(({ ref }) => ref)).toEqual([total]);
});

test('a client that does not read holds the server back', async () => {
  let written = 0;
  const total = 400;
  const { client } = await connected({
    upload: async (_requests, responses) => {
      for (; written < total; written += 1) {
        await responses.write({ ref: written, receipt: new Uint8Array(128 * 1024), failure: undefined, rejected: [] });
      }
    },
  });
  const stream = openBidi(client.upload());
  let before = -1;
  while (before !== written || written === 0) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  expect(written).toBeLessThan(total / 2);
  expect(await collect(stream.responses)).toHaveLength(total);
});

test('what a handler throws arrives with its code, after the answers before it', async () => {
  const { client } = await connected({
    upload: async (_requests, responses) => {
      await responses.write(receipt(1));
      throw new WaymarkError('sequence-gap', 'sequence 3 does not follow 1');
    },
  });
  const stream = openBidi(client.upload());
  const seen: number[] = [];
  await expect(
    (async () => {
      for await (const { ref } of stream.responses) seen.push(ref);
    })(),
  ).rejects.toMatchObject({ code: 'sequence-gap', message: 'sequence 3 does not follow 1' });
  expect(seen).toEqual([1]);
  await expect(
    (async () => {
      for (;;) await stream.write(batch(1));
    })(),
  ).rejects.toMatchObject({ code: expect.stringMatching(/sequence-gap|unavailable/) as string });
});

test('a client that leaves ends the handler, and the server serves the next', async () => {
  const contexts: CallContext[] = [];
  const outcomes: unknown[] = [];
  let left: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => (left = resolve));
  const { client } = await connected({
    upload: async (requests, responses, context) => {
      contexts.push(context);
      try {
        for await (const { ref } of requests) await responses.write(receipt(ref));
      } catch (error) {
        outcomes.push(error);
        left();
        throw error;
      }
    },
  });
  const first = openBidi(client.upload());
  await first.write(batch(1));
  for await (const answer of first.responses) {
    expect(answer.ref).toBe(1);
    break;
  }
  await gone;
  expect(outcomes).toEqual([expect.objectContaining({ code: 'unavailable' })]);
  expect(contexts[0]?.signal.aborted).toBe(true);

  const second = openBidi(client.upload());
  await second.write(batch(2));
  second.finish();
  expect(await collect(second.responses)).toHaveLength(1);
});

test('a message of 16 MiB passes, a larger one is refused by type', async () => {
  const { client } = await connected({
    upload: async (requests, responses) => {
      for await (const { ref } of requests) await responses.write(receipt(ref));
    },
  });
  const fits = openBidi(client.upload());
  await fits.write(batch(1, maxMessageSizeBytes - 64));
  fits.finish();
  expect(await collect(fits.responses)).toHaveLength(1);

  const tooLarge = openBidi(client.upload());
  const answers = collect(tooLarge.responses);
  await tooLarge.write(batch(1, maxMessageSizeBytes + 1)).catch(() => undefined);
  await expect(answers).rejects.toMatchObject({ code: 'limit-exceeded' });
});

test('a message that unpacks to more than the limit is refused, and others are served', async () => {
  const { center, client } = await connected({
    upload: async (requests, responses) => {
      for await (const { ref } of requests) await responses.write(receipt(ref));
    },
  });
  const options = { 'grpc.default_compression_algorithm': 2, 'grpc.max_send_message_length': -1 };
  const packing = center.client(await outletIdentity(center.ca), options);
  const stream = openBidi(packing.upload());
  const answers = collect(stream.responses);
  await stream.write(batch(1, 8 * maxMessageSizeBytes)).catch(() => undefined);
  await expect(answers).rejects.toMatchObject({ code: 'limit-exceeded' });

  const next = openBidi(client.upload());
  await next.write(batch(1));
  next.finish();
  expect(await collect(next.responses)).toHaveLength(1);
});

test('streams over the limit are refused and end the moment others do not', async () => {
  const { client } = await connected({
    limits: { maxOpenStreamsPerPeer: 2 },
    upload: async (requests, responses) => {
      for await (const { ref } of requests) await responses.write(receipt(ref));
    },
  });
  const streams = [openBidi(client.upload()), openBidi(client.upload())];
  for (const stream of streams) await stream.write(batch(1));
  const iterators = streams.map((stream) => stream.responses[Symbol.asyncIterator]());
  for (const iterator of iterators) expect((await iterator.next()).done).toBe(false);

  await expect(collect(openBidi(client.upload()).responses)).rejects.toMatchObject({ code: 'limit-exceeded' });

  for (const stream of streams) stream.finish();
  for (const iterator of iterators) expect((await iterator.next()).done).toBe(true);
  const next = openBidi(client.upload());
  await next.write(batch(1));
  next.finish();
  expect(await collect(next.responses)).toHaveLength(1);
});

test('a stream without messages is ended after the idle time-out', async () => {
  const { client } = await connected({
    limits: { idleTimeoutMs: 100 },
    upload: async (requests, responses) => {
      for await (const { ref } of requests) await responses.write(receipt(ref));
    },
  });
  await expect(collect(openBidi(client.upload()).responses)).rejects.toMatchObject({ code: 'limit-exceeded' });
});
