import type { Block, BlockReader, GatewayContentSource, ReadOptions } from '@waymark/content';
import { isWaymarkError } from '@waymark/protocol';

type CID = Parameters<BlockReader['get']>[0];

/** The gateways of the firm's centers as one: the one that answered last is asked first, the others when it does not answer or does not have a block. */
export function centersContent(
  sources: readonly Pick<GatewayContentSource, 'get' | 'getMany' | 'has' | 'close'>[],
): BlockReader & { close(): Promise<void> } {
  const [only] = sources;
  let first = 0;

  async function fromAny<Answer>(ask: (source: BlockReader) => Promise<Answer>): Promise<Answer> {
    let failure: unknown;
    for (let offset = 0; offset < sources.length; offset += 1) {
      const index = (first + offset) % sources.length;
      const source = sources[index];
      if (source === undefined) continue;
      try {
        const answer = await ask(source);
        first = index;
        return answer;
      } catch (error) {
        if (!isWaymarkError(error, 'unavailable')) throw error;
        failure ??= error;
      }
    }
    throw failure;
  }

  const get = (cid: CID, options?: ReadOptions): Promise<Uint8Array> => fromAny((source) => source.get(cid, options));
  return {
    get,
    async *getMany(cids: Iterable<CID> | AsyncIterable<CID>, options?: ReadOptions): AsyncGenerator<Block> {
      if (sources.length === 1 && only !== undefined) {
        yield* only.getMany(cids, options);
        return;
      }
      for await (const cid of cids) yield { cid, bytes: await get(cid, options) };
    },
    has: (cid, options) => fromAny((source) => source.has(cid, options)),
    close: async () => {
      await Promise.all(sources.map((source) => source.close()));
    },
  };
}
