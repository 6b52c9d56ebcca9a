import { MemoryBudget } from '../../src/network/grpc/memory-budget.ts';
import { MessageDecoder } from '../../src/network/grpc/message-decoder.ts';
import { grpcMessage } from './inputs/frames.ts';
import { createRandom } from './inputs/random.ts';

const MAX_MESSAGE_BYTES = 100_000;

function decoder(budget = new MemoryBudget(1_000_000)) {
  const cuts: number[] = [];
  const made = new MessageDecoder({ maxMessageBytes: MAX_MESSAGE_BYTES, budget, cut: () => cuts.push(1) });
  return { budget, cuts, decoder: made };
}

test('messages come whole out of frames of any size', () => {
  const random = createRandom(7);
  for (let round = 0; round < 40; round++) {
    const sent = Array.from({ length: random.below(5) }, () =>
      grpcMessage(random.bytes(random.pick([0, 1, 5, 300, 4_000]))),
    );
    const stream = Buffer.concat(sent);
    const { decoder: made, budget } = decoder();
    const received: Buffer[] = [];
    for (let at = 0; at < stream.length;) {
      const size = 1 + random.below(random.pick([1, 10, 5_000]));
      received.push(...made.write(stream.subarray(at, at + size)));
      at += size;
    }
    expect(received.map((message) => message.toString('hex'))).toEqual(sent.map((message) => message.toString('hex')));
    made.release();
    expect(budget.heldBytes).toBe(0);
  }
});

test('a message that is too large is refused by its head', () => {
  const { decoder: made } = decoder();
  expect(() => made.write(grpcMessage(Buffer.alloc(0), MAX_MESSAGE_BYTES + 1))).toThrow(
    `grpc: received message larger than max (${MAX_MESSAGE_BYTES + 1} vs. ${MAX_MESSAGE_BYTES})`,
  );
});

test('a message takes memory as it comes, not as it is announced, and no more for small frames', () => {
  const { decoder: made, budget } = decoder();
  made.write(grpcMessage(Buffer.alloc(0), MAX_MESSAGE_BYTES));
  const announced = budget.heldBytes;
  expect(announced).toBeLessThan(20_000);
  for (let i = 0; i < 50_000; i++) made.write(Buffer.of(1));
  expect(budget.heldBytes).toBeLessThanOrEqual(MAX_MESSAGE_BYTES + 5);
});

test('when the memory is used up, the oldest unfinished message goes, finished ones stay', () => {
  const budget = new MemoryBudget(100_000);
  const [finished, oldest, newest] = [decoder(budget), decoder(budget), decoder(budget)];
  expect(finished.decoder.write(grpcMessage(Buffer.alloc(30_000)))).toHaveLength(1);
  oldest.decoder.write(grpcMessage(Buffer.alloc(30_000), 40_000));
  newest.decoder.write(grpcMessage(Buffer.alloc(50_000), 60_000));
  expect([finished.cuts, oldest.cuts, newest.cuts].map(({ length }) => length)).toEqual([0, 1, 0]);
  expect(budget.heldBytes).toBeLessThanOrEqual(100_000);
});

test('when finished messages hold all the memory, new ones are refused', () => {
  const budget = new MemoryBudget(100_000);
  const holders = [decoder(budget), decoder(budget)];
  for (const holder of holders) holder.decoder.write(grpcMessage(Buffer.alloc(49_000)));
  expect(() => decoder(budget).decoder.write(grpcMessage(Buffer.alloc(10_000)))).toThrow('is used up');
  holders[0]?.decoder.release();
  expect(decoder(budget).decoder.write(grpcMessage(Buffer.alloc(10_000)))).toHaveLength(1);
});
