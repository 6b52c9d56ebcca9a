import { carHeader, type Section } from '../car/framing.ts';
import { ioFault, type StoreFile } from '@waymark/durable-files';
import type { BlockLocation, SegmentFiles } from './segment-files.ts';

export interface SegmentPosition {
  readonly segment: number;
  readonly offset: number;
}

export interface Appended extends SegmentPosition {
  readonly locations: readonly BlockLocation[];
}

/** Appends groups of sections to the last segment, one write and one sync for each group. */
export class SegmentWriter {
  readonly #segments: SegmentFiles;
  readonly #maxSegmentSizeBytes: number;
  #position: SegmentPosition;
  #file: StoreFile | undefined;
  #rotate: boolean;

  /**
   * @param position the end of what is durable
   * @param appendable whether that segment may be written on; otherwise a new one is begun
   */
  constructor(segments: SegmentFiles, position: SegmentPosition, appendable: boolean, maxSegmentSizeBytes: number) {
    this.#segments = segments;
    this.#position = position;
    this.#rotate = !appendable;
    this.#maxSegmentSizeBytes = maxSegmentSizeBytes;
  }

  /**
   * Makes a group durable.
   * @throws `unavailable`: nothing of the group is acknowledged; a later group may succeed
   */
  async append(sections: readonly Section[]): Promise<Appended> {
    try {
      return await this.#append(sections);
    } catch (cause) {
      throw ioFault('The blocks could not be made durable.', cause);
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #append(sections: readonly Section[]): Promise<Appended> {
    const sizeBytes = sections.reduce((sum, section) => sum + section.bytes.length, 0);
    const file = await this.#fileFor(sizeBytes);
    const { segment, offset } = this.#position;
    const header = offset === 0 ? carHeader([]) : new Uint8Array(0);
    const locations: BlockLocation[] = [];
    let at = offset + header.length;
    for (const section of sections) {
      const payloadSizeBytes = section.bytes.length - section.payloadAt;
      locations.push({ segment, payloadAt: at + section.payloadAt, sizeBytes: payloadSizeBytes });
      at += section.bytes.length;
    }
    await this.#write(file, Buffer.concat([header, ...sections.map((section) => section.bytes)]), offset);
    this.#position = { segment, offset: at };
    return { segment, offset: at, locations };
  }

  async #fileFor(sizeBytes: number): Promise<StoreFile> {
    const full = this.#position.offset > 0 && this.#position.offset + sizeBytes > this.#maxSegmentSizeBytes;
    if (this.#rotate || full || this.#position.segment === 0) {
      await this.close();
      this.#position = { segment: this.#position.segment + 1, offset: 0 };
      this.#rotate = false;
    }
    this.#file ??= await this.#segments.openForWriting(this.#position.segment);
    return this.#file;
  }

  async #write(file: StoreFile, bytes: Uint8Array, offset: number): Promise<void> {
    try {
      await file.write(bytes, offset);
    } catch (cause) {
      // Full disk: the part that was written is taken back, and the segment stays in use if that works.
      await file.truncate(offset).catch(() => this.#retire());
      throw cause;
    }
    try {
      await file.datasync();
    } catch (cause) {
      // After a failed sync the kernel may have dropped the pages and call the next sync a success: never again this file.
      await file.truncate(offset).catch(() => undefined);
      await this.#retire();
      throw cause;
    }
  }

  async #retire(): Promise<void> {
    this.#rotate = true;
    await this.close().catch(() => undefined);
    if (this.#position.offset > 0) return;
    await this.#segments.remove(this.#position.segment).catch(() => undefined);
  }
}
