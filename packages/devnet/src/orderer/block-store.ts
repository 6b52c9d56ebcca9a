import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { common } from '@hyperledger/fabric-protos';
import { encodeBlock, encodeHeaderAndData } from '../ledger/block-encoding.ts';
import { openBlockFiles, type BlockFiles } from '../ledger/block-files.ts';
import { NO_FAULTS, type LedgerFaults } from '../ledger/faults.ts';
import { DevnetError, levelCodeOf } from '../errors.ts';

const HEIGHT_KEY = 'height';
const CACHED_BYTES = 32 * 1024 * 1024;

/** The orderer's chain on disk: block files, and a small database that is its lock and remembers how long the chain was. */
export class OrdererBlockStore {
  readonly #blocks: BlockFiles;
  readonly #marker: ClassicLevel;
  readonly #faults: LedgerFaults;
  /** The newest blocks as the very objects that peers are handed, oldest first. */
  readonly #recent = new Map<bigint, { readonly block: common.Block; readonly sizeBytes: number }>();
  #recentBytes = 0;
  /** Blocks that are on the disk; one more may be on its way there. */
  #height: bigint;

  private constructor(blocks: BlockFiles, marker: ClassicLevel, faults: LedgerFaults) {
    this.#blocks = blocks;
    this.#height = blocks.height;
    this.#marker = marker;
    this.#faults = faults;
  }

  /** Throws DevnetError LEDGER_LOCKED or LEDGER_CORRUPT. */
  static async open(dir: string, faults: LedgerFaults = NO_FAULTS): Promise<OrdererBlockStore> {
    const marker = await openMarker(join(dir, 'marker'));
    try {
      const trustedHeight = BigInt((await marker.get(HEIGHT_KEY)) ?? '0');
      const blocks = await openBlockFiles(join(dir, 'blocks'), { trustedHeight });
      return new OrdererBlockStore(blocks, marker, faults);
    } catch (error) {
      await marker.close();
      throw error;
    }
  }

  get height(): bigint {
    return this.#height;
  }

  hashOf(blockNumber: bigint): Uint8Array | undefined {
    return this.#blocks.hashOf(blockNumber);
  }

  /** Durable when it resolves. */
  async append(block: common.Block): Promise<void> {
    const bytes = encodeBlock(encodeHeaderAndData(block), block.getMetadata() ?? new common.BlockMetadata());
    const number = this.#blocks.height;
    await this.#faults.at('before-block-write', number);
    await this.#blocks.write(bytes);
    await this.#faults.at('before-block-sync', number);
    await this.#blocks.sync();
    await this.#faults.at('before-state-write', number);
    await this.#marker.put(HEIGHT_KEY, this.#blocks.height.toString());
    await this.#faults.at('after-state-write', number);
    this.#height = number + 1n;
    this.#remember(number, block, bytes.length);
  }

  async read(blockNumber: bigint): Promise<common.Block | undefined> {
    const recent = this.#recent.get(blockNumber);
    if (recent !== undefined) return recent.block;
    const bytes = await this.#blocks.read(blockNumber);
    return bytes === undefined ? undefined : common.Block.deserializeBinary(bytes);
  }

  async close(): Promise<void> {
    await this.#blocks.close();
    await this.#marker.close();
  }

  #remember(number: bigint, block: common.Block, sizeBytes: number): void {
    this.#recent.set(number, { block, sizeBytes });
    this.#recentBytes += sizeBytes;
    for (const [oldest, entry] of this.#recent) {
      if (this.#recentBytes <= CACHED_BYTES || oldest === number) break;
      this.#recent.delete(oldest);
      this.#recentBytes -= entry.sizeBytes;
    }
  }
}

async function openMarker(dir: string): Promise<ClassicLevel> {
  const marker = new ClassicLevel(dir);
  try {
    await marker.open();
    return marker;
  } catch (error) {
    if (levelCodeOf(error) === 'LEVEL_LOCKED') {
      throw new DevnetError('LEDGER_LOCKED', "the orderer's folder is in use by another process", { cause: error });
    }
    throw new DevnetError('LEDGER_CORRUPT', `the orderer's ${dir} was altered`, { cause: error });
  }
}
