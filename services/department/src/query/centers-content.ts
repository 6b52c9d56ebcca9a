import type { Block, BlockReader, GatewayContentSource, ReadOptions } from '@waymark/content';
import { isWaymarkError } from '@waymark/protocol';
import { inTurn } from '@waymark/transport';

type CID = Parameters<BlockReader['get']>[0];

const isElsewhere = (error: unknown): boolean => isWaymarkError(error, 'unavailable');

/** The gateways of the firm's centers as one: the one that answered last is asked first, the others when it does not answer or does not have a block. */
export function centersContent(
  sources: readonly Pick<GatewayContentSource, 'get' | 'getMany' | 'has' | 'close'>[],
): BlockReader & { close(): Promise<void> } {
  const [only] = sources;
  const turns = inTurn(sources);
  const get = (cid: CID, options?: ReadOptions): Promise<Uint8Array> =>
    turns.ask((source) => source.get(cid, options), isElsewhere);
  return {
    get,
    async *getMany(cids: Iterable<CID> | AsyncIterable<CID>, options?: ReadOptions): AsyncGenerator<Block> {
      if (sources.length === 1 && only !== undefined) {
        yield* only.getMany(cids, options);
        return;
      }
      for await (const cid of cids) yield { cid, bytes: await get(cid, options) };
    },
    has: (cid, options) => turns.ask((source) => source.has(cid, options), isElsewhere),
    close: async () => {
      await Promise.all(sources.map((source) => source.close()));
    },
  };
}
