import { join } from 'node:path';
import type { StoreFile, StoreFileSystem } from '@waymark/durable-files';

/** Where a payload lies. */
export interface BlockLocation {
  readonly segment: number;
  readonly payloadAt: number;
  readonly sizeBytes: number;
}

const namePattern = /^(\d{12})\.car$/;
const maxOpenForReading = 64;

/** The segment files of one folder, and the handles by which they are read. */
export class SegmentFiles {
  readonly folder: string;
  readonly #files: StoreFileSystem;
  readonly #open = new Map<number, Promise<StoreFile>>();

  constructor(files: StoreFileSystem, folder: string) {
    this.#files = files;
    this.folder = folder;
  }

  path(segment: number): string {
    return join(this.folder, `${String(segment).padStart(12, '0')}.car`);
  }

  /** Numbers of the segments on disk, ascending. */
  async list(): Promise<number[]> {
    const numbers: number[] = [];
    for (const name of await this.#files.list(this.folder)) {
      const number = namePattern.exec(name)?.[1];
      if (number !== undefined) numbers.push(Number(number));
    }
    return numbers.sort((a, b) => a - b);
  }

  /** Opens a segment for appending; a new one's name is made durable first. */
  async openForWriting(segment: number): Promise<StoreFile> {
    const file = await this.#files.openFile(this.path(segment), 'write');
    await this.#files.syncFolder(this.folder);
    return file;
  }

  remove(segment: number): Promise<void> {
    return this.#files.remove(this.path(segment));
  }

  openForScan(segment: number): Promise<StoreFile> {
    return this.#files.openFile(this.path(segment), 'read');
  }

  /** The bytes at a location as they are on disk now; fewer when the file ends before. Rejects when there is no file. */
  async read({ segment, payloadAt, sizeBytes }: BlockLocation): Promise<Uint8Array> {
    const file = await this.#reader(segment);
    const bytes = new Uint8Array(sizeBytes);
    return bytes.subarray(0, await file.read(bytes, payloadAt));
  }

  async close(): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const file of open) await file.then((opened) => opened.close()).catch(() => undefined);
  }

  #reader(segment: number): Promise<StoreFile> {
    let reader = this.#open.get(segment);
    this.#open.delete(segment);
    reader ??= this.#files.openFile(this.path(segment), 'read');
    this.#open.set(segment, reader); // last in the map = used last
    reader.catch(() => this.#open.delete(segment));
    this.#closeOldest();
    return reader;
  }

  #closeOldest(): void {
    for (const [segment, reader] of this.#open) {
      if (this.#open.size <= maxOpenForReading) return;
      this.#open.delete(segment);
      // A handle finishes the reads it has taken before it closes.
      reader.then((file) => file.close()).catch(() => undefined);
    }
  }
}
