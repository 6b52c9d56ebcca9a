import { WaymarkError } from '@waymark/protocol';
import { sha256 } from '../block/sha256.ts';
import { ioFault, type StoreFile, type StoreFileSystem } from '@waymark/durable-files';

const linePattern = /^([0-9a-f]{16}) (pin|unpin) ([a-z0-9]{8,128})$/;
const maxLogSizeBytes = 1024 * 1024 * 1024;

/** A part of the pin log that cannot be read. */
export interface PinLogDamage {
  readonly line: number;
}

/**
 * Pinned roots as a log of text lines, `<checksum> pin|unpin <cid>`, synced line by line: pins are the one thing here
 * that cannot be rebuilt from the segments.
 */
export class PinLog {
  readonly damage: readonly PinLogDamage[];
  readonly #file: StoreFile;
  readonly #pinned: Set<string>;
  #end: number;
  #writes: Promise<void> = Promise.resolve();
  #fault: WaymarkError | undefined;

  private constructor(file: StoreFile, pinned: Set<string>, end: number, damage: readonly PinLogDamage[]) {
    this.#file = file;
    this.#pinned = pinned;
    this.#end = end;
    this.damage = damage;
  }

  static async open(files: StoreFileSystem, folder: string, path: string): Promise<PinLog> {
    const file = await files.openFile(path, 'write');
    await files.syncFolder(folder);
    const sizeBytes = await file.sizeBytes();
    if (sizeBytes > maxLogSizeBytes)
      throw new WaymarkError('limit-exceeded', 'The pin log is too large.', { details: { sizeBytes } });
    const bytes = Buffer.alloc(sizeBytes);
    await file.read(bytes, 0);
    // A line without its end was never acknowledged: its sync had not come back.
    const end = bytes.lastIndexOf(0x0a) + 1;
    if (end < sizeBytes) await file.truncate(end);
    const pinned = new Set<string>();
    const damage: PinLogDamage[] = [];
    const lines = bytes.subarray(0, end).toString('latin1').split('\n').slice(0, -1);
    for (const [at, line] of lines.entries()) {
      const [, checksum, verb, cid] = linePattern.exec(line) ?? [];
      if (verb === undefined || cid === undefined || checksum !== checksumOf(`${verb} ${cid}`))
        damage.push({ line: at + 1 });
      else if (verb === 'pin') pinned.add(cid);
      else pinned.delete(cid);
    }
    return new PinLog(file, pinned, end, damage);
  }

  get size(): number {
    return this.#pinned.size;
  }

  roots(): string[] {
    return [...this.#pinned];
  }

  has(cid: string): boolean {
    return this.#pinned.has(cid);
  }

  pin(cids: readonly string[]): Promise<void> {
    return this.#change('pin', cids);
  }

  unpin(cids: readonly string[]): Promise<void> {
    return this.#change('unpin', cids);
  }

  async close(): Promise<void> {
    await this.#writes;
    await this.#file.close();
  }

  #change(verb: 'pin' | 'unpin', cids: readonly string[]): Promise<void> {
    const done = this.#writes.then(() => this.#append(verb, cids));
    this.#writes = done.catch(() => undefined);
    return done;
  }

  async #append(verb: 'pin' | 'unpin', cids: readonly string[]): Promise<void> {
    if (this.#fault !== undefined) throw this.#fault;
    const changed = cids.filter((cid) => this.#pinned.has(cid) !== (verb === 'pin'));
    if (changed.length === 0) return;
    const lines = changed.map((cid) => `${checksumOf(`${verb} ${cid}`)} ${verb} ${cid}\n`).join('');
    const bytes = Buffer.from(lines, 'latin1');
    try {
      await this.#file.write(bytes, this.#end);
      await this.#file.datasync();
    } catch (cause) {
      // What reached the disk is unknown; pins are refused until the store is opened again and has read it.
      this.#fault = ioFault('The pin could not be made durable.', cause);
      throw this.#fault;
    }
    this.#end += bytes.length;
    for (const cid of changed) {
      if (verb === 'pin') this.#pinned.add(cid);
      else this.#pinned.delete(cid);
    }
  }
}

function checksumOf(entry: string): string {
  return Buffer.from(sha256(Buffer.from(entry, 'latin1')))
    .subarray(0, 8)
    .toString('hex');
}
