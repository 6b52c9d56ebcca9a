import type { Block, BlockReader, ReadOptions } from '@waymark/content';
import { isWaymarkError } from '@waymark/protocol';
import type { CID } from 'multiformats/cid';

/** What a read met instead of a block. */
export type Trouble = 'altered' | 'missing';

/** A reader whose failures somebody hears of. The one who reads gets the same error as before. */
export function observedReader(
  reader: Pick<BlockReader, 'get'>,
  onTrouble: (cid: CID, trouble: Trouble) => void,
): Pick<BlockReader, 'get'> {
  return {
    async get(cid: CID, options?: ReadOptions): Promise<Block['bytes']> {
      try {
        return await reader.get(cid, options);
      } catch (error) {
        if (isWaymarkError(error, 'data-abnormal')) onTrouble(cid, 'altered');
        else if (isWaymarkError(error, 'unavailable') && error.details['reason'] === 'missing')
          onTrouble(cid, 'missing');
        throw error;
      }
    },
  };
}
