import type { Block, BlockReader, ReadOptions } from '@waymark/content';
import { isWaymarkError } from '@waymark/protocol';
import type { CID } from 'multiformats/cid';

/** What a read met instead of a block. */
export type Trouble = 'altered' | 'missing';

/** A reader that is asked for blocks whose CIDs are all known beforehand. */
export interface ObservedReader extends Pick<BlockReader, 'get'> {
  /** Blocks in the order asked for. */
  getMany(cids: Iterable<CID>, options?: ReadOptions): AsyncIterable<Block>;
}

/** A reader whose failures somebody hears of. The one who reads gets the same error as before. */
export function observedReader(
  reader: ObservedReader,
  onTrouble: (cid: CID, trouble: Trouble) => void,
): ObservedReader {
  const observe = (cid: CID, error: unknown): void => {
    if (isWaymarkError(error, 'data-abnormal')) onTrouble(cid, 'altered');
    else if (isWaymarkError(error, 'unavailable') && error.details['reason'] === 'missing') onTrouble(cid, 'missing');
  };
  return {
    async get(cid: CID, options?: ReadOptions): Promise<Block['bytes']> {
      try {
        return await reader.get(cid, options);
      } catch (error) {
        observe(cid, error);
        throw error;
      }
    },
    async *getMany(cids: Iterable<CID>, options?: ReadOptions): AsyncGenerator<Block> {
      const asked = [...cids];
      let next = 0;
      try {
        for await (const block of reader.getMany(asked, options)) {
          next += 1;
          yield block;
        }
      } catch (error) {
        // They come in the order asked for: it is the one that did not come.
        const failed = asked[next];
        if (failed !== undefined) observe(failed, error);
        throw error;
      }
    },
  };
}
