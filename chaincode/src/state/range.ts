import type { Context } from 'fabric-contract-api';
import { compositeKey } from './keys.ts';
import { decodeStored, type Stored } from './stored.ts';

/**
 * A bounded read of values under a partial composite key, from the key with all of `from` on, in key order. For reading functions
 * only: in a writing transaction a range is a phantom conflict waiting to happen, and Fabric refuses a paged one.
 *
 * @param limit most values returned
 */
export async function readRange<T extends Stored>(
  ctx: Context,
  range: {
    readonly objectType: string;
    readonly prefix: readonly string[];
    readonly from?: string;
    readonly limit: number;
  },
): Promise<T[]> {
  compositeKey(range.objectType, range.prefix);
  // A page's bookmark is the key it starts at, so a start inside the range is a bookmark.
  const start = range.from === undefined ? '' : compositeKey(range.objectType, [...range.prefix, range.from]).key;
  const values: T[] = [];
  const entries = ctx.stub.getStateByPartialCompositeKeyWithPagination(
    range.objectType,
    [...range.prefix],
    range.limit,
    start,
  );
  for await (const entry of entries) {
    values.push(decodeStored(entry.value) as T);
    if (values.length === range.limit) break;
  }
  return values;
}
