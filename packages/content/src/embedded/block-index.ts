import { WaymarkError } from '@waymark/protocol';
import type { ClassicLevel } from 'classic-level';
import type { BlockLocation } from './segment-files.ts';

/** Up to where the segments are in the index, and what they hold up to there. */
export interface Watermark {
  readonly segment: number;
  readonly offset: number;
  readonly blocks: number;
  readonly sizeBytes: number;
}

export interface IndexEntry {
  readonly digest: Uint8Array;
  readonly location: BlockLocation;
}

const watermarkKey = Buffer.from('watermark');
const locationSizeBytes = 14;

/** Digest → place in the segments, in LevelDB. A projection of the segments: it can be lost and is rebuilt by reading them. */
export class BlockIndex {
  readonly #level: ClassicLevel<Uint8Array, Uint8Array>;

  constructor(level: ClassicLevel<Uint8Array, Uint8Array>) {
    this.#level = level;
  }

  async getMany(digests: readonly Uint8Array[]): Promise<(BlockLocation | undefined)[]> {
    const values = await this.#read(() => this.#level.getMany([...digests]));
    return values.map((value) => (value === undefined ? undefined : decodeLocation(value)));
  }

  async hasMany(digests: readonly Uint8Array[]): Promise<boolean[]> {
    return await this.#read(() => this.#level.hasMany([...digests]));
  }

  async watermark(): Promise<Watermark | undefined> {
    const value = await this.#read(() => this.#level.get(watermarkKey));
    return value === undefined ? undefined : decodeWatermark(value);
  }

  /** Not synced: what a power cut takes is found again by scanning from the older watermark. */
  async write(entries: readonly IndexEntry[], watermark: Watermark): Promise<void> {
    const puts = entries.map(({ digest, location }) => ({
      type: 'put' as const,
      key: digest,
      value: encodeLocation(location),
    }));
    await this.#level.batch([...puts, { type: 'put', key: watermarkKey, value: encodeWatermark(watermark) }]);
  }

  async close(): Promise<void> {
    await this.#level.close();
  }

  async #read<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (cause) {
      throw new WaymarkError('unavailable', 'The index of the content store cannot be read.', {
        details: { reason: 'index-fault' },
        cause,
      });
    }
  }
}

function encodeLocation({ segment, payloadAt, sizeBytes }: BlockLocation): Uint8Array {
  const value = Buffer.allocUnsafe(locationSizeBytes);
  value.writeUInt32BE(segment, 0);
  value.writeUIntBE(payloadAt, 4, 6);
  value.writeUInt32BE(sizeBytes, 10);
  return value;
}

/** A value of another length was altered; it points nowhere, so that the read says `data-abnormal`. */
function decodeLocation(value: Uint8Array): BlockLocation {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (bytes.length !== locationSizeBytes) return { segment: 0, payloadAt: 0, sizeBytes: 0xffffffff };
  return { segment: bytes.readUInt32BE(0), payloadAt: bytes.readUIntBE(4, 6), sizeBytes: bytes.readUInt32BE(10) };
}

const watermarkFields = ['segment', 'offset', 'blocks', 'sizeBytes'] as const;

function encodeWatermark(watermark: Watermark): Uint8Array {
  return Buffer.from(JSON.stringify(watermark));
}

function decodeWatermark(value: Uint8Array): Watermark | undefined {
  try {
    const fields = JSON.parse(Buffer.from(value).toString('utf8')) as Partial<Watermark>;
    if (!watermarkFields.every((field) => Number.isSafeInteger(fields[field]) && (fields[field] ?? -1) >= 0))
      return undefined;
    return fields as Watermark;
  } catch {
    return undefined; // altered: the index is rebuilt
  }
}
