import { mkdir, open, readFile, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { headerFieldsOf, headerHash } from '../block/hashes.ts';
import { DevnetError } from '../errors.ts';
import { decodeHeader } from './block-encoding.ts';
import { RECORD_HEADER_BYTES, encodeRecordHeader, readRecord } from './block-record.ts';

const FILE_PREFIX = 'blockfile_';
const DEFAULT_MAX_FILE_BYTES = 64 * 1024 * 1024;

export interface BlockFilesOptions {
  /** A file that has grown to this size is followed by the next one. */
  readonly maxFileBytes?: number;
  /** So many blocks are known to have been durable: fewer are a loss, not an unfinished write. */
  readonly trustedHeight?: bigint;
}

interface Location {
  readonly file: number;
  /** Of the payload. */
  readonly offset: number;
  readonly length: number;
}

/** The blocks of a chain, one behind the other in files that only grow. One writer at a time; the caller holds a lock. */
export interface BlockFiles {
  readonly height: bigint;
  /** Header hash of each block. */
  hashOf(blockNumber: bigint): Uint8Array | undefined;
  /** Adds the next block; `write` returns before, `sync` after the bytes are on the disk. */
  write(blockBytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  read(blockNumber: bigint): Promise<Uint8Array | undefined>;
  /** Part of a stored block, such as one envelope. */
  readRange(blockNumber: bigint, offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens the files and checks every record and the chain of hashes. An unfinished last record is cut off.
 * Throws DevnetError LEDGER_CORRUPT when anything else is not as it was written.
 */
export async function openBlockFiles(dir: string, options: BlockFilesOptions = {}): Promise<BlockFiles> {
  await mkdir(dir, { recursive: true });
  const files = new AppendOnlyBlockFiles(dir, options.maxFileBytes ?? DEFAULT_MAX_FILE_BYTES);
  await files.open(options.trustedHeight ?? 0n);
  return files;
}

class AppendOnlyBlockFiles implements BlockFiles {
  readonly #dir: string;
  readonly #maxFileBytes: number;
  readonly #locations: Location[] = [];
  readonly #hashes: Uint8Array[] = [];
  readonly #readers = new Map<number, Promise<FileHandle>>();
  #file = 0;
  #fileBytes = 0;
  #writer: FileHandle | undefined;

  constructor(dir: string, maxFileBytes: number) {
    this.#dir = dir;
    this.#maxFileBytes = maxFileBytes;
  }

  get height(): bigint {
    return BigInt(this.#locations.length);
  }

  hashOf(blockNumber: bigint): Uint8Array | undefined {
    return this.#hashes[Number(blockNumber)];
  }

  async open(trustedHeight: bigint): Promise<void> {
    const numbers = (await readdir(this.#dir))
      .filter((name) => name.startsWith(FILE_PREFIX))
      .map((name) => Number(name.slice(FILE_PREFIX.length)))
      .sort((a, b) => a - b);
    for (const [index, file] of numbers.entries()) {
      if (file !== index) throw this.#corrupt(`${this.#path(index)} is missing`);
      await this.#scan(file, file === numbers.length - 1);
    }
    if (this.height < trustedHeight) {
      const last = this.#path(Math.max(numbers.length - 1, 0));
      throw this.#corrupt(
        `committed blocks are missing from the end of ${last}: it has ${this.height} of ${trustedHeight}`,
        { trustedHeight },
      );
    }
    await this.#openWriter(Math.max(numbers.length - 1, 0));
    // Only now: what is refused is left as it was found.
    await this.#openedWriter().truncate(this.#fileBytes);
  }

  async write(blockBytes: Uint8Array): Promise<void> {
    if (this.#fileBytes >= this.#maxFileBytes) await this.#openWriter(this.#file + 1);
    const hash = this.#checkNext(blockBytes, this.#path(this.#file));
    const offset = this.#fileBytes + RECORD_HEADER_BYTES;
    const { bytesWritten } = await this.#openedWriter().writev(
      [encodeRecordHeader(blockBytes), blockBytes],
      this.#fileBytes,
    );
    if (bytesWritten !== RECORD_HEADER_BYTES + blockBytes.length) {
      throw Object.assign(new Error('the disk did not take the whole block'), { code: 'ENOSPC' });
    }
    this.#locations.push({ file: this.#file, offset, length: blockBytes.length });
    this.#hashes.push(hash);
    this.#fileBytes = offset + blockBytes.length;
  }

  async sync(): Promise<void> {
    await this.#openedWriter().datasync();
  }

  async read(blockNumber: bigint): Promise<Uint8Array | undefined> {
    const location = this.#locations[Number(blockNumber)];
    if (location === undefined) return undefined;
    const record = await this.#readBytes(
      location.file,
      location.offset - RECORD_HEADER_BYTES,
      location.length + RECORD_HEADER_BYTES,
    );
    const reading = readRecord(record, 0);
    if (reading.kind !== 'record') throw this.#corrupt(`${this.#path(location.file)} was altered`, { blockNumber });
    return reading.payload;
  }

  async readRange(blockNumber: bigint, offset: number, length: number): Promise<Uint8Array> {
    const location = this.#locations[Number(blockNumber)];
    if (location === undefined || offset + length > location.length) {
      throw this.#corrupt('the index points outside of a stored block', { blockNumber });
    }
    return this.#readBytes(location.file, location.offset + offset, length);
  }

  async close(): Promise<void> {
    const readers = await Promise.all(this.#readers.values());
    this.#readers.clear();
    await Promise.all([...readers, ...(this.#writer === undefined ? [] : [this.#writer])].map((file) => file.close()));
    this.#writer = undefined;
  }

  /** Reads a whole file: every record is checked at every start, so that damage is refused and not built upon. */
  async #scan(file: number, isLast: boolean): Promise<void> {
    const path = this.#path(file);
    const bytes = await readFile(path);
    let offset = 0;
    while (offset < bytes.length) {
      const reading = readRecord(bytes, offset);
      if (reading.kind === 'corrupt' || (reading.kind === 'torn' && !isLast)) {
        throw this.#corrupt(`${path} was altered at octet ${offset}`, { file, offset });
      }
      if (reading.kind === 'torn') break;
      this.#hashes.push(this.#checkNext(reading.payload, path));
      const payloadOffset = offset + RECORD_HEADER_BYTES;
      this.#locations.push({ file, offset: payloadOffset, length: reading.payload.length });
      offset = reading.nextOffset;
    }
    this.#file = file;
    this.#fileBytes = offset;
  }

  /** The hash of the block if it is the next one of this chain. */
  #checkNext(blockBytes: Uint8Array, path: string): Uint8Array {
    const header = decodeHeader(blockBytes);
    const fields = header === undefined ? undefined : headerFieldsOf(header);
    const previous = this.#hashes.at(-1) ?? new Uint8Array();
    if (fields?.number !== this.height || Buffer.compare(fields.previousHash, previous) !== 0) {
      throw this.#corrupt(`${path}: a block does not follow from the one before it`, { expected: this.height });
    }
    return headerHash(fields);
  }

  async #openWriter(file: number): Promise<void> {
    await this.#writer?.close();
    this.#writer = undefined;
    // Opened for reading and writing without truncation; made when absent.
    const existing = await open(this.#path(file), 'a');
    await existing.close();
    this.#writer = await open(this.#path(file), 'r+');
    if (file !== this.#file) this.#fileBytes = 0;
    this.#file = file;
    await syncFolder(this.#dir);
  }

  #openedWriter(): FileHandle {
    if (this.#writer === undefined) throw new DevnetError('LEDGER_CLOSED', 'the block files are closed');
    return this.#writer;
  }

  async #readBytes(file: number, offset: number, length: number): Promise<Buffer> {
    let reader = this.#readers.get(file);
    if (reader === undefined) {
      reader = open(this.#path(file), 'r');
      this.#readers.set(file, reader);
    }
    const buffer = Buffer.allocUnsafe(length);
    const { bytesRead } = await (await reader).read(buffer, 0, length, offset);
    if (bytesRead !== length) throw this.#corrupt(`${this.#path(file)} is shorter than it was`, { file });
    return buffer;
  }

  #path(file: number): string {
    return join(this.#dir, `${FILE_PREFIX}${String(file).padStart(6, '0')}`);
  }

  #corrupt(message: string, details: Readonly<Record<string, number | bigint>> = {}): DevnetError {
    return new DevnetError('LEDGER_CORRUPT', message, { details });
  }
}

/** Makes a new file's name durable. Windows cannot open folders, and does not need it. */
async function syncFolder(dir: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(dir, 'r');
  await folder.sync();
  await folder.close();
}
