import * as dagCbor from '@ipld/dag-cbor';
import { WaymarkError } from '@waymark/protocol';
import { CID } from 'multiformats/cid';
import { requireStorable } from '../block/verify.ts';
import type { Block } from '../store/content-store.ts';
import { ByteSource } from './byte-source.ts';
import { maxSectionSizeBytes, readVarint } from './framing.ts';

export interface CarLimits {
  /** Of the whole stream. */
  readonly maxSizeBytes: number;
  readonly maxBlocks: number;
}

/** A CARv1 from outside, read as a stream. */
export interface CarContent {
  readonly roots: readonly CID[];
  /** Each block once it was verified; can be read once. */
  readonly blocks: AsyncGenerator<Block>;
}

const maxHeaderSizeBytes = 64 * 1024;
const defaultLimits: CarLimits = { maxSizeBytes: 4 * 1024 ** 3, maxBlocks: 4_000_000 };

/**
 * Reads a CARv1 that nobody vouches for: declared lengths are checked before memory is taken for them, and every block
 * is verified against its CID.
 * @throws `input-invalid` (not a CARv1, cut off, a CID not used here), `unsupported` (CARv2), `limit-exceeded`,
 *   `data-abnormal` (a block that does not hash to its CID); the last four also while blocks are read
 */
export async function readCar(stream: AsyncIterable<Uint8Array>, limits: Partial<CarLimits> = {}): Promise<CarContent> {
  const source = new ByteSource(stream);
  const reader = new SectionReader(source, { ...defaultLimits, ...limits });
  try {
    const header = await reader.next(maxHeaderSizeBytes);
    if (header === undefined) throw notCar('empty');
    return { roots: rootsOf(header), blocks: blocksOf(reader, source) };
  } catch (fault) {
    await source.close();
    throw fault;
  }
}

async function* blocksOf(reader: SectionReader, source: ByteSource): AsyncGenerator<Block> {
  try {
    for (
      let section = await reader.next(maxSectionSizeBytes);
      section !== undefined;
      section = await reader.next(maxSectionSizeBytes)
    ) {
      const block = blockOf(section);
      requireStorable(block);
      yield block;
    }
  } finally {
    await source.close();
  }
}

/** Cuts a stream at its length varints. */
class SectionReader {
  readonly #source: ByteSource;
  readonly #limits: CarLimits;
  #sizeBytes = 0;
  #sections = -1; // the header is none

  constructor(source: ByteSource, limits: CarLimits) {
    this.#source = source;
    this.#limits = limits;
  }

  async next(maxSizeBytes: number): Promise<Uint8Array | undefined> {
    const sizeBytes = await this.#length();
    if (sizeBytes === undefined) return undefined;
    if (sizeBytes > maxSizeBytes) throw limitExceeded('section', sizeBytes, maxSizeBytes);
    this.#sections += 1;
    if (this.#sections > this.#limits.maxBlocks) throw limitExceeded('blocks', this.#sections, this.#limits.maxBlocks);
    this.#sizeBytes += sizeBytes;
    if (this.#sizeBytes > this.#limits.maxSizeBytes)
      throw limitExceeded('stream', this.#sizeBytes, this.#limits.maxSizeBytes);
    const section = await this.#source.take(sizeBytes);
    if (section === undefined) throw notCar('truncated');
    return section;
  }

  async #length(): Promise<number | undefined> {
    const bytes: number[] = [];
    for (;;) {
      const [byte] = (await this.#source.take(1)) ?? [];
      if (byte === undefined && bytes.length === 0) return undefined;
      if (byte === undefined) throw notCar('truncated');
      bytes.push(byte);
      const length = readVarint(Uint8Array.from(bytes), 0);
      if (length === 'bad') throw notCar('length is not a varint');
      if (length === 'short') continue;
      if (length.value === 0) throw notCar('empty section');
      return length.value;
    }
  }
}

function rootsOf(bytes: Uint8Array): readonly CID[] {
  let header: unknown;
  try {
    header = dagCbor.decode(bytes);
  } catch (cause) {
    throw notCar('header is not dag-cbor', cause);
  }
  if (typeof header !== 'object' || header === null || !('version' in header)) throw notCar('header');
  if (header.version === 2)
    throw new WaymarkError('unsupported', 'CAR version 2 is not read here.', { details: { version: 2 } });
  if (header.version !== 1 || !('roots' in header) || !Array.isArray(header.roots)) throw notCar('header');
  return header.roots.map((root: unknown) => {
    const cid = CID.asCID(root);
    if (cid === null) throw notCar('root is not a CID');
    return cid;
  });
}

function blockOf(section: Uint8Array): Block {
  try {
    const [cid, bytes] = CID.decodeFirst(section);
    return { cid, bytes };
  } catch (cause) {
    throw notCar('section does not begin with a CID', cause);
  }
}

function notCar(reason: string, cause?: unknown): WaymarkError {
  return new WaymarkError('input-invalid', `This is not a CARv1: ${reason}.`, { details: { reason }, cause });
}

function limitExceeded(what: string, found: number, limit: number): WaymarkError {
  return new WaymarkError('limit-exceeded', 'The CAR is larger than is accepted.', { details: { what, found, limit } });
}
