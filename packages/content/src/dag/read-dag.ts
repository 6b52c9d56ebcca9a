import { WaymarkError } from '@waymark/protocol';
import type { CID } from 'multiformats/cid';
import { rawCode, requireContentCid } from '../block/content-cid.ts';
import { linksOf } from '../block/links.ts';
import type { Block, BlockReader, ReadOptions } from '../store/content-store.ts';
import { maxDagBlocks, readConcurrency, readTogetherBlocks } from '../store/limits.ts';
import { readMany } from '../store/read-many.ts';

export interface DagReadOptions extends ReadOptions {
  /** More blocks than this end the read with `limit-exceeded`. */
  readonly maxBlocks?: number | undefined;
  /** More bytes than this end the read with `limit-exceeded`. */
  readonly maxSizeBytes?: number | undefined;
}

/** A reader that can read several blocks at once is asked for them together. */
export interface DagSource extends Pick<BlockReader, 'get'> {
  getMany?(cids: Iterable<CID>, options?: ReadOptions): AsyncIterable<Block>;
}

/**
 * Every block under a root, once each, depth first in the order of the links, the root first. Leaves that follow each
 * other are read several at once; what a block links to is read after that block was handed on.
 * @throws as `BlockReader.get`; `limit-exceeded`
 */
export async function* readDag(reader: DagSource, root: CID, options?: DagReadOptions): AsyncGenerator<Block> {
  const walk = new DagWalk(root, options);
  const longest = reader.getMany === undefined ? readConcurrency : readTogetherBlocks;
  for (let run = nextRun(walk, longest); run.length > 0; run = nextRun(walk, longest)) {
    for await (const block of reader.getMany?.(run, options) ?? readMany(reader, run, options)) {
      walk.enter(block);
      yield block;
    }
  }
}

/** Leaves up to the next block with links, that block included: only what it links to comes between it and the rest. */
function nextRun(walk: DagWalk, longest: number): CID[] {
  const run: CID[] = [];
  while (run.length < longest) {
    const cid = walk.next();
    if (cid === undefined) break;
    run.push(cid);
    if (cid.code !== rawCode) break;
  }
  return run;
}

/** What of a DAG was seen and what is still to be read, in depth-first order. */
export class DagWalk {
  readonly #maxBlocks: number;
  readonly #maxSizeBytes: number;
  readonly #met = new Set<string>();
  readonly #pending: CID[];
  #sizeBytes = 0;

  constructor(root: CID, options: DagReadOptions | undefined) {
    this.#maxBlocks = options?.maxBlocks ?? maxDagBlocks;
    this.#maxSizeBytes = options?.maxSizeBytes ?? Number.MAX_SAFE_INTEGER;
    this.#pending = [requireContentCid(root)];
  }

  /** The next block that was not read yet. */
  next(): CID | undefined {
    for (let cid = this.#pending.pop(); cid !== undefined; cid = this.#pending.pop()) {
      const key = keyOf(cid);
      if (this.#met.has(key)) continue;
      if (this.#met.size >= this.#maxBlocks) throw tooLarge('blocks', this.#maxBlocks);
      this.#met.add(key);
      return cid;
    }
    return undefined;
  }

  /** Takes the verified block in: what it links to comes next. */
  enter(block: Block): void {
    this.#sizeBytes += block.bytes.length;
    if (this.#sizeBytes > this.#maxSizeBytes) throw tooLarge('sizeBytes', this.#maxSizeBytes);
    const links = linksOf(block);
    for (let at = links.length - 1; at >= 0; at--) {
      const link = links[at];
      if (link !== undefined && !this.#met.has(keyOf(requireContentCid(link)))) this.#pending.push(link);
    }
  }
}

function keyOf(cid: CID): string {
  return Buffer.from(cid.bytes).toString('latin1');
}

function tooLarge(what: string, limit: number): WaymarkError {
  return new WaymarkError('limit-exceeded', 'The DAG is larger than is accepted.', { details: { what, limit } });
}
