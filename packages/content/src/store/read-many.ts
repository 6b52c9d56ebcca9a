import type { CID } from 'multiformats/cid';
import type { Block, BlockReader, ReadOptions } from './content-store.ts';
import { readConcurrency } from './limits.ts';

/** `getMany` over `get`: several reads at once, answers in the order asked for, no more read ahead than that. */
export async function* readMany(
  reader: Pick<BlockReader, 'get'>,
  cids: Iterable<CID> | AsyncIterable<CID>,
  options: ReadOptions | undefined,
  concurrency = readConcurrency,
): AsyncGenerator<Block> {
  const stop = new AbortController();
  const signal = options?.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const pending: { cid: CID; bytes: Promise<Uint8Array> }[] = [];
  try {
    for await (const cid of cids) {
      const bytes = reader.get(cid, { ...options, signal });
      bytes.catch(() => undefined); // its turn to be awaited comes later
      pending.push({ cid, bytes });
      if (pending.length >= concurrency) yield* takeFirst(pending);
    }
    while (pending.length > 0) yield* takeFirst(pending);
  } finally {
    stop.abort();
  }
}

async function* takeFirst(pending: { cid: CID; bytes: Promise<Uint8Array> }[]): AsyncGenerator<Block> {
  const first = pending.shift();
  if (first !== undefined) yield { cid: first.cid, bytes: await first.bytes };
}
