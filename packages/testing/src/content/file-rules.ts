import type { ContentStore } from '@waymark/content';
import { collect, expectCode } from './expect-code.ts';
import { linkingBlock, sampleBytes } from './sample-blocks.ts';

/**
 * CIDs printed by `ipfs add --cid-version=1 --raw-leaves` (kubo) for SHAKE256("waymark unixfs vector") of these lengths:
 * empty, one chunk, chunk borders, and one chunk more than a node has children (174).
 */
export const unixfsVectors: readonly (readonly [sizeBytes: number, cid: string])[] = [
  [0, 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'],
  [1, 'bafkreigdg7pnn5lma4qf7n5tsfsu27kghspay4tinfjdvzqcjsn6zb4ipa'],
  [262_144, 'bafkreicw7kbgljwgauerwsqj5dnxztptjzn6juy643znns6cizobsha2a4'],
  [262_145, 'bafybeia3hxj2vaus54izyou2qhybdb7vrm46ckzmcf233vdqffwh626pp4'],
  [1_000_000, 'bafybeih6tvnidcj2izdsjjb3pkze77kvc3fbr7o5vpw4msunzdonn7nz2a'],
  [174 * 262_144 + 1, 'bafybeidzrfkriaqqhinbevbgkm66plhsrsygu2yvjwhmqruefe5py55uoa'],
];

/** The content of a vector. */
export function unixfsVectorBytes(sizeBytes: number): Uint8Array {
  return sampleBytes('waymark unixfs vector', sizeBytes);
}

/** The rules of UnixFS files. */
export function fileRules(store: () => ContentStore): void {
  test.each(unixfsVectors)(
    'a file of %i bytes has the CID kubo gives it, and comes back',
    async (sizeBytes, expected) => {
      const content = unixfsVectorBytes(sizeBytes);
      const cid = await store().addFile(inPieces(content, 100_000));
      expect(cid.toString()).toBe(expected);
      let at = 0;
      for await (const piece of store().cat(cid)) {
        expect(Buffer.compare(piece, content.subarray(at, at + piece.length))).toBe(0);
        at += piece.length;
      }
      expect(at).toBe(sizeBytes);
    },
  );

  test('a file can be pinned whole', async () => {
    const cid = await store().addFile(unixfsVectorBytes(1_000_000));
    await store().pin(cid);
    expect(await store().isPinned(cid)).toBe(true);
  });

  test('what is no file is not read as one', async () => {
    const block = linkingBlock([], 'not a file');
    await store().putMany([block]);
    await expectCode(collect(store().cat(block.cid)), 'input-invalid');
  });
}

function* inPieces(bytes: Uint8Array, sizeBytes: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += sizeBytes) yield bytes.subarray(at, at + sizeBytes);
}
