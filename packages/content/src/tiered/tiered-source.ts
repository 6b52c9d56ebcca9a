import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import type { CID } from 'multiformats/cid';
import { requireMatch } from '../block/verify.ts';
import type { Block, BlockReader, ReadOptions } from '../store/content-store.ts';
import { readMany } from '../store/read-many.ts';

/** A source that held other bytes than a CID names. */
export interface Abnormality {
  readonly cid: CID;
  /** Place of the source in the list given to `createTieredSource`. */
  readonly sourceIndex: number;
  readonly error: WaymarkError;
  /** The right bytes, when a later source had them: what a repair puts back. */
  readonly bytes: Uint8Array | undefined;
}

export interface TieredSourceOptions {
  /** Told once the outcome is known, so that repair runs behind the read; what it throws is not the reader's concern. */
  readonly onAbnormal?: ((abnormality: Abnormality) => void) | undefined;
}

/**
 * Reads from the first source that has the right bytes. A source that is `unavailable` or `data-abnormal` gives way to
 * the next. When none has them, the answer is `data-abnormal` if any source held altered bytes, else `unavailable`.
 */
export function createTieredSource(sources: readonly BlockReader[], options: TieredSourceOptions = {}): BlockReader {
  if (sources.length === 0)
    throw new WaymarkError('configuration-invalid', 'A tiered source needs at least one source.');
  return new TieredSource(sources, options);
}

class TieredSource implements BlockReader {
  readonly #sources: readonly BlockReader[];
  readonly #options: TieredSourceOptions;

  constructor(sources: readonly BlockReader[], options: TieredSourceOptions) {
    this.#sources = sources;
    this.#options = options;
  }

  async get(cid: CID, options?: ReadOptions): Promise<Uint8Array> {
    const abnormal: { sourceIndex: number; error: WaymarkError }[] = [];
    let bytes: Uint8Array | undefined;
    let last: WaymarkError | undefined;
    for (const [sourceIndex, source] of this.#sources.entries()) {
      try {
        bytes = requireMatch(cid, await source.get(cid, options), 'tiered');
        break;
      } catch (error) {
        if (!isWaymarkError(error)) throw error;
        if (error.code === 'data-abnormal') abnormal.push({ sourceIndex, error });
        else if (error.code !== 'unavailable') throw error;
        last = error;
      }
    }
    for (const { sourceIndex, error } of abnormal) this.#report({ cid, sourceIndex, error, bytes });
    if (bytes !== undefined) return bytes;
    throw abnormal[0]?.error ?? last ?? new WaymarkError('unavailable', 'No source answered.');
  }

  getMany(cids: Iterable<CID> | AsyncIterable<CID>, options?: ReadOptions): AsyncIterable<Block> {
    return readMany(this, cids, options);
  }

  async has(cid: CID, options?: ReadOptions): Promise<boolean> {
    let last: unknown;
    let answered = false;
    for (const source of this.#sources) {
      try {
        if (await source.has(cid, options)) return true;
        answered = true;
      } catch (error) {
        if (!isWaymarkError(error, 'unavailable') && !isWaymarkError(error, 'data-abnormal')) throw error;
        last = error;
      }
    }
    if (!answered) throw last;
    return false;
  }

  #report(abnormality: Abnormality): void {
    try {
      this.#options.onAbnormal?.(abnormality);
    } catch {
      // A failing repair must not turn a good read into an error.
    }
  }
}
