import { join } from 'node:path';
import type { RenamingFileSystem, StoreFile } from '@waymark/durable-files';
import { NothingChangedError } from './errors.ts';
import { encodeSegmentHeader, type SegmentHeader } from './format/segment-header.ts';

const namePattern = /^(\d{12})\.log$/;
const unfinishedSuffix = '.new';

/** The segment files of one log. A file has its name only once what it begins with is durable. */
export class Segments {
  readonly #files: RenamingFileSystem;
  readonly #folder: string;

  constructor(files: RenamingFileSystem, folder: string) {
    this.#files = files;
    this.#folder = join(folder, 'segments');
  }

  /** Numbers of the segments, ascending; what was never finished is removed. */
  async list(): Promise<number[]> {
    await this.#files.makeFolder(this.#folder);
    const numbers: number[] = [];
    for (const name of await this.#files.list(this.#folder)) {
      const number = namePattern.exec(name)?.[1];
      if (number !== undefined) numbers.push(Number(number));
      if (name.endsWith(unfinishedSuffix)) await this.#files.remove(join(this.#folder, name));
    }
    // A name that was given before a crash may not be durable yet.
    await this.#files.syncFolder(this.#folder);
    return numbers.sort((a, b) => a - b);
  }

  /**
   * Makes a segment that begins with these octets, durable with its name.
   * @throws NothingChangedError when the disk did not take the octets: the log is as it was
   */
  async create(header: SegmentHeader, records: Uint8Array): Promise<StoreFile> {
    const path = this.#path(header.segment);
    const unfinished = path + unfinishedSuffix;
    const file = await this.#writeUnfinished(unfinished, Buffer.concat([encodeSegmentHeader(header), records]));
    try {
      await file.datasync();
      await this.#files.rename(unfinished, path);
      await this.#files.syncFolder(this.#folder);
      return file;
    } catch (cause) {
      await file.close().catch(() => undefined);
      throw cause;
    }
  }

  open(segment: number, mode: 'read' | 'write'): Promise<StoreFile> {
    return this.#files.openFile(this.#path(segment), mode);
  }

  /** All octets of a segment. */
  async read(segment: number): Promise<Buffer> {
    const file = await this.open(segment, 'read');
    try {
      const bytes = Buffer.allocUnsafe(await file.sizeBytes());
      return bytes.subarray(0, await file.read(bytes, 0));
    } finally {
      await file.close();
    }
  }

  remove(segment: number): Promise<void> {
    return this.#files.remove(this.#path(segment));
  }

  async #writeUnfinished(path: string, bytes: Uint8Array): Promise<StoreFile> {
    let file: StoreFile | undefined;
    try {
      file = await this.#files.openFile(path, 'write');
      await file.truncate(0);
      await file.write(bytes, 0);
      return file;
    } catch (cause) {
      await file?.close().catch(() => undefined);
      await this.#files.remove(path).catch(() => undefined);
      throw new NothingChangedError(cause);
    }
  }

  #path(segment: number): string {
    return join(this.#folder, `${String(segment).padStart(12, '0')}.log`);
  }
}
