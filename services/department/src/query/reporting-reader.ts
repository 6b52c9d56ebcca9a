import type { Block, BlockReader, ReadOptions } from '@waymark/content';
import { isWaymarkError, parseCid } from '@waymark/protocol';

type CID = Parameters<BlockReader['get']>[0];

/** Reports that are under way at once; of one block one, and more than these are left to the next read. */
const maxReports = 16;

/**
 * A reader over the outlet's own way to the content store that has somebody told of every altered block it meets. The one who reads gets the same error as before.
 * @param report what it ends with is of no concern here
 */
export function reportingReader(store: BlockReader, report: (cid: CID) => Promise<unknown>): BlockReader {
  const underWay = new Set<string>();
  const observe = (error: unknown, asked?: CID): void => {
    if (!isWaymarkError(error, 'data-abnormal')) return;
    const cid = asked?.toString() ?? error.details['cid'];
    if (typeof cid !== 'string' || underWay.has(cid) || underWay.size >= maxReports) return;
    underWay.add(cid);
    const told = async (): Promise<unknown> => report(parseCid(cid));
    told()
      .catch(() => undefined)
      .finally(() => underWay.delete(cid));
  };
  return {
    async get(cid: CID, options?: ReadOptions): Promise<Uint8Array> {
      try {
        return await store.get(cid, options);
      } catch (error) {
        observe(error, cid);
        throw error;
      }
    },
    async *getMany(cids: Iterable<CID> | AsyncIterable<CID>, options?: ReadOptions): AsyncGenerator<Block> {
      try {
        yield* store.getMany(cids, options);
      } catch (error) {
        observe(error);
        throw error;
      }
    },
    has: (cid, options) => store.has(cid, options),
  };
}
