import { join } from 'node:path';
import { common, peer } from '@hyperledger/fabric-protos';
import { headerFieldsOf, headerHash } from '../block/hashes.ts';
import { metadataSlots, metadataValue, readMetadataValue } from '../block/metadata.ts';
import { channelConfigOf, parseConfigBlock, type ChannelConfig } from '../config/channel-config.ts';
import { DevnetError } from '../errors.ts';
import { LIFECYCLE_NAMESPACE } from '../lifecycle/chaincode-definition.ts';
import { CONFIG_KEY, CONFIG_NAMESPACE, replayBlock, validateBlock } from '../validation/block-validation.ts';
import { commitHash } from '../validation/commit-hash.ts';
import { CommittedNamespacePolicies } from '../validation/namespace-policies.ts';
import { parseBlock, type ParsedBlock } from '../validation/parsed-block.ts';
import type { UpdateBatch } from '../validation/update-batch.ts';
import { encodeBlock, encodeHeaderAndData } from './block-encoding.ts';
import { openBlockFiles, type BlockFiles } from './block-files.ts';
import { verifyBlock } from './block-verification.ts';
import { decodeTransactionLocation } from './committed-transaction.ts';
import { NO_FAULTS, type LedgerFaults } from './faults.ts';
import type { CommittedBlock, PeerLedger, StateSnapshot, TransactionLocation } from './ledger.ts';
import { StateDatabase } from './state-database.ts';
import { stateOperations } from './state-operations.ts';
import { StateSnapshots } from './state-snapshot.ts';

const CACHED_BLOCK_BYTES = 16 * 1024 * 1024;
const { TRANSACTIONS_FILTER, COMMIT_HASH } = common.BlockMetadataIndex;

export interface OpenPeerLedgerParams {
  /** Folder of this peer's copy of the channel; made when absent. */
  readonly dir: string;
  /** Block 0: stored when the folder is new, compared when it is not. */
  readonly genesisBlock: common.Block;
  readonly faults?: LedgerFaults;
}

/**
 * Opens one peer's ledger: checks the block files, brings the state up to them (or makes it again when it was damaged).
 * Throws DevnetError LEDGER_LOCKED (another process has it), LEDGER_CORRUPT (stored blocks were altered or lost), CONFIG_INVALID
 * (the folder belongs to another channel).
 */
export async function openPeerLedger(params: OpenPeerLedgerParams): Promise<PeerLedger> {
  const database = await StateDatabase.open(join(params.dir, 'state'));
  try {
    const { height } = database.savepoint();
    const blocks = await openBlockFiles(join(params.dir, 'blocks'), { trustedHeight: height });
    try {
      const ledger = new DurablePeerLedger(database, blocks, parseConfigBlock(params.genesisBlock), params.faults);
      await ledger.recover(params.genesisBlock);
      return ledger;
    } catch (error) {
      await blocks.close();
      throw error;
    }
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** What is to be stored of a block besides its bytes. */
interface ValidatedBlock {
  readonly blockNumber: bigint;
  readonly parsed: ParsedBlock;
  readonly flags: Uint8Array;
  readonly updates: UpdateBatch;
  /** For each transaction: whether its id stood in an earlier block. */
  readonly known: readonly boolean[];
}

class DurablePeerLedger implements PeerLedger {
  readonly #database: StateDatabase;
  readonly #blocks: BlockFiles;
  readonly #snapshots: StateSnapshots;
  readonly #faults: LedgerFaults;
  readonly #policies: CommittedNamespacePolicies;
  readonly #listeners = new Set<(block: CommittedBlock) => void>();
  /** The newest blocks, for deliverers that keep up; oldest first. */
  readonly #recent = new Map<bigint, CommittedBlock>();
  #recentBytes = 0;
  #config: ChannelConfig;
  #commitHash: Uint8Array = new Uint8Array();
  #height = 0n;
  #tail: Promise<unknown> = Promise.resolve();
  #stopped: DevnetError | undefined;

  constructor(database: StateDatabase, blocks: BlockFiles, config: ChannelConfig, faults: LedgerFaults = NO_FAULTS) {
    this.#database = database;
    this.#blocks = blocks;
    this.#snapshots = new StateSnapshots(database, blocks);
    this.#faults = faults;
    this.#config = config;
    this.#policies = new CommittedNamespacePolicies(database, () => this.#config);
  }

  get channelId(): string {
    return this.#config.channelId;
  }

  get channelConfig(): ChannelConfig {
    return this.#config;
  }

  get height(): bigint {
    return this.#height;
  }

  get currentBlockHash(): Uint8Array {
    return this.#blocks.hashOf(this.#height - 1n) ?? new Uint8Array();
  }

  get previousBlockHash(): Uint8Array {
    return this.#blocks.hashOf(this.#height - 2n) ?? new Uint8Array();
  }

  snapshot(): Promise<StateSnapshot> {
    this.#check();
    return Promise.resolve(this.#snapshots.open());
  }

  async getBlock(number: bigint): Promise<CommittedBlock | undefined> {
    this.#check();
    if (number < 0n || number >= this.#height) return undefined;
    const recent = this.#recent.get(number);
    if (recent !== undefined) return recent;
    const bytes = await this.#blocks.read(number);
    return bytes === undefined ? undefined : { number, bytes, block: common.Block.deserializeBinary(bytes) };
  }

  async getBlockByHash(hash: Uint8Array): Promise<CommittedBlock | undefined> {
    for (let number = this.#height - 1n; number >= 0n; number--) {
      if (Buffer.compare(this.#blocks.hashOf(number) ?? new Uint8Array(), hash) === 0) return this.getBlock(number);
    }
    return undefined;
  }

  async getTransaction(txId: string): Promise<TransactionLocation | undefined> {
    this.#check();
    const stored = txId === '' ? undefined : await this.#database.transaction(txId);
    return stored === undefined ? undefined : decodeTransactionLocation(stored);
  }

  async getBlockByTransaction(txId: string): Promise<CommittedBlock | undefined> {
    const location = await this.getTransaction(txId);
    return location === undefined ? undefined : this.getBlock(location.blockNumber);
  }

  commit(block: common.Block): Promise<CommittedBlock> {
    const committed = this.#tail.then(() => this.#commitNext(block));
    this.#tail = committed.catch(() => undefined);
    return committed;
  }

  onCommit(listener: (block: CommittedBlock) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    await this.#tail;
    this.#stopped ??= new DevnetError('LEDGER_CLOSED', 'the ledger is closed');
    this.#listeners.clear();
    this.#snapshots.renew();
    await this.#blocks.close();
    await this.#database.close();
  }

  /** Makes the state agree with the block files, which are the truth. */
  async recover(genesisBlock: common.Block): Promise<void> {
    if (this.#blocks.height === 0n) {
      await this.#database.clear();
      await this.#storeGenesis(genesisBlock);
      return;
    }
    const genesisHeader = genesisBlock.getHeader();
    const expected = genesisHeader === undefined ? undefined : headerHash(headerFieldsOf(genesisHeader));
    if (Buffer.compare(expected ?? new Uint8Array(), this.#blocks.hashOf(0n) ?? new Uint8Array()) !== 0) {
      throw new DevnetError('CONFIG_INVALID', 'the folder holds the ledger of another channel');
    }
    this.#height = await this.#trustedStateHeight();
    await this.#loadConfig();
    while (this.#height < this.#blocks.height) await this.#replayNext();
    const newest = await this.getBlock(this.#height - 1n);
    this.#commitHash = readMetadataValue(newest === undefined ? undefined : metadataSlots(newest.block)[COMMIT_HASH]);
  }

  /** The height up to which the database is whole; a database with gaps is cleared and starts at 0. */
  async #trustedStateHeight(): Promise<bigint> {
    const { height } = this.#database.savepoint();
    const marks = await this.#database.blockMarks();
    const whole =
      BigInt(marks.length) === height &&
      marks.every((mark, index) => Buffer.compare(mark, this.#blocks.hashOf(BigInt(index)) ?? new Uint8Array()) === 0);
    if (whole) return height;
    await this.#database.clear();
    return 0n;
  }

  async #loadConfig(): Promise<void> {
    const stored = await this.#database.get(CONFIG_NAMESPACE, CONFIG_KEY);
    if (stored !== undefined) this.#config = channelConfigOf(this.channelId, stored.value);
  }

  async #storeGenesis(genesisBlock: common.Block): Promise<void> {
    const parsed = parseBlock(genesisBlock);
    const flags = Uint8Array.from(parsed.transactions, () => peer.TxValidationCode.VALID);
    const { updates } = await replayBlock({ blockNumber: 0n, block: parsed, state: this.#database }, flags);
    const known = parsed.transactions.map(() => false);
    await this.#store(genesisBlock, { blockNumber: 0n, parsed, flags, updates, known }, new Uint8Array());
  }

  /** Applies a stored block to the state, by the flags that were stored with it. */
  async #replayNext(): Promise<void> {
    const blockNumber = this.#height;
    const stored = await this.#blocks.read(blockNumber);
    if (stored === undefined) throw new DevnetError('LEDGER_CORRUPT', 'a stored block is missing');
    const block = common.Block.deserializeBinary(stored);
    const parsed = parseBlock(block);
    const flags = metadataSlots(block)[TRANSACTIONS_FILTER] ?? new Uint8Array();
    if (flags.length !== parsed.transactions.length) {
      throw new DevnetError('LEDGER_CORRUPT', 'a stored block lacks its validation flags', {
        details: { blockNumber },
      });
    }
    const { updates, config } = await replayBlock({ blockNumber, block: parsed, state: this.#database }, flags);
    const known = await this.#database.knownTransactions(parsed.transactions.map(({ txId }) => txId));
    await this.#writeState(block, { blockNumber, parsed, flags, updates, known });
    this.#height = blockNumber + 1n;
    this.#config = config ?? this.#config;
  }

  async #commitNext(block: common.Block): Promise<CommittedBlock> {
    this.#check();
    const blockNumber = this.#height;
    const parsed = parseBlock(block);
    verifyBlock(block, { number: blockNumber, previousHash: this.currentBlockHash, config: this.#config });
    const { flags, updates, config, known } = await validateBlock({
      blockNumber,
      block: parsed,
      config: this.#config,
      policies: this.#policies,
      state: this.#database,
    });
    const newCommitHash = commitHash(flags, updates, this.#commitHash);
    const committed = await this.#store(block, { blockNumber, parsed, flags, updates, known }, newCommitHash);
    if (config !== this.#config || touches(updates, LIFECYCLE_NAMESPACE)) this.#policies.forget();
    this.#config = config;
    this.#notify(committed);
    return committed;
  }

  /** Block first and synced, then the state: what is missing from the state is replayed, never the other way round. */
  async #store(block: common.Block, validated: ValidatedBlock, newCommitHash: Uint8Array): Promise<CommittedBlock> {
    const { blockNumber, flags } = validated;
    const slots = metadataSlots(block);
    slots[TRANSACTIONS_FILTER] = flags;
    if (newCommitHash.length > 0) slots[COMMIT_HASH] = metadataValue(newCommitHash);
    const metadata = new common.BlockMetadata();
    metadata.setMetadataList(slots);
    const bytes = encodeBlock(encodeHeaderAndData(block), metadata);
    try {
      await this.#faults.at('before-block-write', blockNumber);
      await this.#blocks.write(bytes);
      await this.#faults.at('before-block-sync', blockNumber);
      await this.#blocks.sync();
      await this.#faults.at('before-state-write', blockNumber);
      await this.#writeState(block, validated);
      await this.#faults.at('after-state-write', blockNumber);
    } catch (cause) {
      // What is on the disk now is only known after reading it again: nothing may be built on it until then.
      this.#stopped = new DevnetError('LEDGER_CLOSED', 'the ledger could not be written and has stopped', { cause });
      throw this.#stopped;
    }
    this.#height = blockNumber + 1n;
    this.#commitHash = newCommitHash;
    const committed = { number: blockNumber, bytes, block: withMetadata(block, metadata) };
    this.#remember(committed);
    return committed;
  }

  async #writeState(
    block: common.Block,
    { blockNumber, parsed, flags, updates, known }: ValidatedBlock,
  ): Promise<void> {
    await this.#database.write(
      stateOperations({
        blockNumber,
        blockHash: this.#blocks.hashOf(blockNumber) ?? new Uint8Array(),
        block: parsed,
        envelopes: encodeHeaderAndData(block).envelopes,
        flags,
        updates,
        known,
      }),
    );
    this.#snapshots.renew();
  }

  #remember(committed: CommittedBlock): void {
    this.#recent.set(committed.number, committed);
    this.#recentBytes += committed.bytes.length;
    for (const [oldest, { bytes }] of this.#recent) {
      if (this.#recentBytes <= CACHED_BLOCK_BYTES || oldest === committed.number) break;
      this.#recent.delete(oldest);
      this.#recentBytes -= bytes.length;
    }
  }

  /** A listener that throws stops the process, not the commit: the block is committed whatever is thought of it. */
  #notify(committed: CommittedBlock): void {
    for (const listener of this.#listeners) {
      try {
        listener(committed);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #check(): void {
    if (this.#stopped !== undefined) throw this.#stopped;
  }
}

function touches(updates: UpdateBatch, namespace: string): boolean {
  return updates.range(namespace, '', '').length > 0;
}

/** A block of its own for this peer, sharing header and data with the orderer's. */
function withMetadata(block: common.Block, metadata: common.BlockMetadata): common.Block {
  const result = new common.Block();
  result.setHeader(block.getHeader());
  result.setData(block.getData());
  result.setMetadata(metadata);
  return result;
}
