import type { StoreFile } from '@waymark/durable-files';
import { WaymarkError } from '@waymark/protocol';
import type { PersistStep, SealedBlock } from '@waymark/rsl';
import { abnormal } from '../errors.ts';
import { decodeRecord } from '../format/record.ts';
import { decodeStep } from '../format/step-encoding.ts';
import type { Segments } from '../segments.ts';
import type { HeightIndex, RecordPlace } from './height-index.ts';

export interface BlockSource {
  readonly segments: Pick<Segments, 'open'>;
  /** As it is now: a checkpoint brings another. */
  readonly index: () => HeightIndex;
  /** Undefined when the segment is gone. */
  readonly tagOf: (segment: number) => Uint8Array | undefined;
}

/** Reads sealed blocks in order of height. What is replaced meanwhile is looked up again. */
export async function* readBlocks(source: BlockSource, from: number, to: number): AsyncGenerator<SealedBlock> {
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 1)
    throw new WaymarkError('input-invalid', 'A height is a whole number from 1.', { details: { from, to } });
  const open = new OpenSegment(source.segments);
  try {
    for (let height = from; height <= to; height += 1) yield await blockAt(source, open, height);
  } finally {
    await open.close();
  }
}

async function blockAt(source: BlockSource, open: OpenSegment, height: number): Promise<SealedBlock> {
  for (;;) {
    const places = source.index().at(height);
    if (places === undefined || places.seal === null) throw missing(source.index(), height);
    try {
      const candidate = await stepAt(source, open, places.candidate, 'candidate');
      const seal = await stepAt(source, open, places.seal, 'seal');
      return { candidate: candidate.candidate, seal: seal.seal };
    } catch (fault) {
      // A checkpoint may have put it elsewhere between looking and reading.
      if (source.index().at(height) === places) throw fault;
    }
  }
}

async function stepAt<T extends PersistStep['type']>(
  { tagOf }: BlockSource,
  open: OpenSegment,
  place: RecordPlace,
  type: T,
): Promise<Extract<PersistStep, { type: T }>> {
  const tag = tagOf(place.segment);
  if (tag === undefined) throw abnormal('segment-missing', place);
  const bytes = await open.read(place);
  const frame = decodeRecord(bytes, 0, tag);
  if (frame?.seq !== place.seq) throw abnormal('damage', place);
  const step = decodeStep(frame.payload);
  if (step.type !== type) throw abnormal('order', place);
  return step as Extract<PersistStep, { type: T }>;
}

function missing({ firstHeight, lastHeight }: HeightIndex, height: number): WaymarkError {
  const details = { height, firstHeight, lastHeight };
  if (height < firstHeight) return new WaymarkError('gone', 'The ledger log no longer holds this block.', { details });
  return new WaymarkError('input-invalid', 'The ledger log holds no sealed block of this height.', { details });
}

/** The file that was read last. */
class OpenSegment {
  readonly #segments: Pick<Segments, 'open'>;
  #open: { readonly segment: number; readonly file: StoreFile } | undefined;

  constructor(segments: Pick<Segments, 'open'>) {
    this.#segments = segments;
  }

  async read({ segment, offset, sizeBytes }: RecordPlace): Promise<Buffer> {
    if (this.#open?.segment !== segment) {
      await this.close();
      this.#open = { segment, file: await this.#segments.open(segment, 'read') };
    }
    const bytes = Buffer.allocUnsafe(sizeBytes);
    return bytes.subarray(0, await this.#open.file.read(bytes, offset));
  }

  async close(): Promise<void> {
    await this.#open?.file.close();
    this.#open = undefined;
  }
}
