import type { Message } from '@waymark/rsl';
import { encodeCandidate } from '../../src/peers/codec/envelope.ts';
import { piecesOf } from '../../src/peers/outgoing/pieces.ts';
import { createSendQueue } from '../../src/peers/outgoing/send-queue.ts';
import { append, entryAt, fetchMessage, hashAt } from './messages.ts';

const sizes = { targetBytes: 64 * 1024, maxBytes: 256 * 1024 };
const sizeOf = (candidate: Parameters<typeof encodeCandidate>[0]): number => encodeCandidate(candidate).length;
const entries = [1, 2, 3, 4, 5, 6].map((height) => entryAt(height, { attachmentBytes: 20_000 }));
const election = { epoch: 1, term: 1, center: 'a', base: null, votes: [] };
const heightsOf = (message: Message): number[] =>
  message.type === 'append' || message.type === 'blocks'
    ? message.entries.map(({ candidate }) => candidate.height)
    : [];

describe('messages with many blocks', () => {
  test('what fits is one message', () => {
    const small = append(entries.slice(0, 2));
    expect(piecesOf(small, sizeOf, sizes)).toEqual([small]);
    expect(piecesOf(append([]), sizeOf, sizes)).toEqual([append([])]);
    expect(piecesOf(fetchMessage('a', 'b', 1), sizeOf, sizes)).toEqual([fetchMessage('a', 'b', 1)]);
  });

  test('what does not is several, each on the last block of the one before', () => {
    const { seal } = entryAt(0);
    const pieces = piecesOf(append(entries, { seal }), sizeOf, sizes);
    expect(pieces.map(heightsOf)).toEqual([[1, 2], [3, 4], [5, 6]]); // prettier-ignore
    expect(pieces).toMatchObject([
      { prev: { height: 0, hash: '' }, seal },
      { prev: { height: 2, hash: hashAt(2) }, seal: null },
      { prev: { height: 4, hash: hashAt(4) }, seal: null },
    ]);
  });

  test('nothing follows a block that is not sealed', () => {
    const open = entries.map((entry) => (entry.candidate.height === 4 ? { ...entry, seal: null } : entry));
    expect(piecesOf(append(open), sizeOf, sizes).map(heightsOf)).toEqual([[1, 2], [3, 4]]); // prettier-ignore
  });

  test('a block that is too large by itself is not left out', () => {
    const large = [entryAt(1, { attachmentBytes: 100_000 }), entryAt(2)];
    expect(piecesOf(append(large), sizeOf, sizes).map(heightsOf)).toEqual([[1], [2]]);
  });

  test('blocks that show an election, or were asked for, stay together while they can be sent at all', () => {
    expect(piecesOf(append(entries, { election }), sizeOf, sizes)).toHaveLength(1);
    const blocks: Message = { type: 'blocks', from: 'a', to: 'b', term: 1, snapshot: null, entries };
    expect(piecesOf(blocks, sizeOf, sizes)).toHaveLength(1);
    const many = piecesOf(blocks, sizeOf, { targetBytes: 1, maxBytes: 100_000 });
    expect(many.map(heightsOf)).toEqual([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
  });
});

describe('what waits for a member', () => {
  const item = (sizeBytes: number, isLasting = false) => ({ bytes: new Uint8Array(sizeBytes), isLasting });

  test('the oldest gives way, but not what is said once', () => {
    const queue = createSendQueue(3, 100);
    const vote = item(1, true);
    const others = [item(2), item(3), item(4)];
    expect([vote, ...others].map((each) => queue.push(each))).toEqual([0, 0, 0, 1]);
    expect([queue.shift(), queue.shift(), queue.shift(), queue.shift()]).toEqual([
      vote,
      others[1],
      others[2],
      undefined,
    ]);
  });

  test('neither count nor size is ever exceeded, whatever it holds', () => {
    const queue = createSendQueue(3, 100);
    for (let sizeBytes = 1; sizeBytes <= 150; sizeBytes += 7) {
      queue.push(item(sizeBytes, sizeBytes % 2 === 0));
      expect(queue.length).toBeLessThanOrEqual(3);
      expect(queue.sizeBytes).toBeLessThanOrEqual(100);
    }
    expect(queue.length).toBe(0);
    expect(queue.sizeBytes).toBe(0);
  });
});
