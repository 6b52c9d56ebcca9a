import type { common } from '@hyperledger/fabric-protos';
import { headerFieldsOf, headerHash } from '../../src/block/hashes.ts';
import { openPeerLedger, type CommittedBlock, type LedgerFaults, type PeerLedger } from '../../src/ledger/index.ts';
import type { Version } from '../../src/ledger/index.ts';
import { createBlock } from '../../src/orderer/block-writer.ts';
import { sequenceKey } from '../../src/lifecycle/chaincode-definition.ts';
import type { ReadWriteSetBuilder } from '../../src/simulation/index.ts';
import { createTestChannel, type TestChannel, type TestChannelOptions } from './test-channel.ts';
import {
  createDefinitionTransaction,
  createTransaction,
  type TestTransaction,
  type TransactionParts,
} from './test-transaction.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Where the definition of the chaincode `basic` was committed. */
export const DEFINED_AT: Version = { blockNumber: 1n, txNumber: 0n };

/** A ledger and blocks for it, without an orderer in between. */
export class TestChain {
  readonly channel: TestChannel;
  readonly dir: string;
  ledger: PeerLedger;
  #previous: common.Block;

  private constructor(channel: TestChannel, dir: string, ledger: PeerLedger) {
    this.channel = channel;
    this.dir = dir;
    this.ledger = ledger;
    this.#previous = channel.genesisBlock;
  }

  /** A new ledger whose block 1 defines the chaincode `basic`. */
  static async create(options: TestChannelOptions = {}, faults?: LedgerFaults): Promise<TestChain> {
    const channel = await createTestChannel(options);
    const dir = await temporaryFolder();
    const ledger = await openPeerLedger({
      dir,
      genesisBlock: channel.genesisBlock,
      ...(faults === undefined ? {} : { faults }),
    });
    const chain = new TestChain(channel, dir, ledger);
    const codes = await chain.commit(createDefinitionTransaction(channel));
    if (codes[0] !== 0) throw new Error(`the definition was refused: ${String(codes[0])}`);
    return chain;
  }

  /** The next block, signed by the orderer. */
  block(envelopes: readonly Uint8Array[], lastConfigNumber = 0n): common.Block {
    const header = this.#previous.getHeader();
    if (header === undefined) throw new Error('no header');
    const fields = headerFieldsOf(header);
    return createBlock(
      { number: fields.number + 1n, previousHash: headerHash(fields), envelopes, lastConfigNumber },
      this.channel.orderer,
    );
  }

  /** Commits a block of these transactions and gives their validation codes. */
  async commit(...transactions: readonly TestTransaction[]): Promise<number[]> {
    const block = this.block(transactions.map(({ envelope }) => envelope.serializeBinary()));
    return codesOf(await this.commitBlock(block));
  }

  async commitBlock(block: common.Block): Promise<CommittedBlock> {
    const committed = await this.ledger.commit(block);
    this.#previous = block;
    return committed;
  }

  /** A transaction of `basic` by Org1's client, endorsed by both organisations. */
  transaction(
    simulate: (set: ReadWriteSetBuilder) => void = () => undefined,
    parts: Partial<TransactionParts> = {},
  ): TestTransaction {
    const { org1, org2 } = this.channel;
    return createTransaction({
      creator: org1.client,
      endorsers: [org1.peer, org2.peer],
      simulate: (set) => {
        set.addRead('_lifecycle', sequenceKey('basic'), DEFINED_AT);
        simulate(set);
      },
      ...parts,
    });
  }

  write(key: string, value: string, parts: Partial<TransactionParts> = {}): TestTransaction {
    return this.transaction((set) => {
      set.addWrite('basic', key, Buffer.from(value));
    }, parts);
  }

  async get(key: string, namespace = 'basic'): Promise<string | undefined> {
    const snapshot = await this.ledger.snapshot();
    try {
      const found = await snapshot.get(namespace, key);
      return found === undefined ? undefined : Buffer.from(found.value).toString();
    } finally {
      snapshot.release();
    }
  }

  async keys(start = '', end = '', namespace = 'basic'): Promise<string[]> {
    const snapshot = await this.ledger.snapshot();
    try {
      const keys: string[] = [];
      for await (const { key } of snapshot.range(namespace, start, end)) keys.push(key);
      return keys;
    } finally {
      snapshot.release();
    }
  }

  async reopen(): Promise<void> {
    await this.ledger.close();
    this.ledger = await openPeerLedger({ dir: this.dir, genesisBlock: this.channel.genesisBlock });
  }
}

export function codesOf({ block }: CommittedBlock): number[] {
  return [...(block.getMetadata()?.getMetadataList_asU8()[2] ?? [])];
}
