import { common, peer } from '@hyperledger/fabric-protos';
import { channelConfigOf, type ChannelConfig } from '../config/channel-config.ts';
import type { StateEntry, StateValue, Version } from '../ledger/ledger.ts';
import { isSignedByCreator } from './creator-signature.ts';
import { EndorsementValidation } from './endorsement-validation.ts';
import type { NamespacePolicies } from './namespace-policies.ts';
import type { ParsedBlock } from './parsed-block.ts';
import type { ParsedTransaction, TxValidationCode } from './parsed-transaction.ts';
import { UpdateBatch, type CommittedLookup } from './update-batch.ts';
import { validateVersions } from './version-validation.ts';

const Code = peer.TxValidationCode;

/** Where Fabric keeps the channel's configuration in the state: the empty namespace. */
export const CONFIG_NAMESPACE = '';
export const CONFIG_KEY = 'CHANNEL_CONFIG_ENV_BYTES';

export interface StateKey {
  readonly namespace: string;
  readonly key: string;
}

/** The committed state before the block. */
export interface CommittedView {
  get(namespace: string, key: string): Promise<StateValue | undefined>;
  getMany(keys: readonly StateKey[]): Promise<(StateValue | undefined)[]>;
  range(namespace: string, start: string, end: string): AsyncIterable<StateEntry>;
  knownTransactions(txIds: readonly string[]): Promise<boolean[]>;
}

export interface BlockValidationInput {
  readonly blockNumber: bigint;
  readonly block: ParsedBlock;
  readonly config: ChannelConfig;
  readonly policies: NamespacePolicies;
  readonly state: CommittedView;
}

export interface BlockVerdict {
  /** One code per transaction, as the transactions filter holds them. */
  readonly flags: Uint8Array;
  readonly updates: UpdateBatch;
  /** For each transaction: whether its id stood in an earlier block. */
  readonly known: readonly boolean[];
  /** The configuration in force after the block. */
  readonly config: ChannelConfig;
}

/**
 * Gives every transaction of a block Fabric's validation code and gathers the changes of the valid ones. The order is
 * Fabric's: structure, signatures and endorsements of all, then duplicate ids, then versions one by one.
 * Throws DevnetError CONFIG_INVALID when a configuration block cannot be applied (a Fabric peer stops there).
 */
export async function validateBlock(input: BlockValidationInput): Promise<BlockVerdict> {
  const { transactions } = input.block;
  const committed = await loadCommitted(input);
  const known = await input.state.knownTransactions(transactions.map(({ txId }) => txId));
  const codes = await validateTransactions(input, known, committed.lookup);
  markDuplicates(transactions, codes);
  const updates = new UpdateBatch();
  let { config } = input;
  for (const [index, transaction] of transactions.entries()) {
    if (codes[index] !== Code.VALID) continue;
    const version: Version = { blockNumber: input.blockNumber, txNumber: BigInt(index) };
    if (transaction.action !== undefined) {
      const { namespaces } = transaction.action;
      const code = await validateVersions(namespaces, updates, {
        versionOf: (namespace, key) => committed.lookup(namespace, key)?.version,
        range: (namespace, start, end) => input.state.range(namespace, start, end),
        get: (namespace, key) => input.state.get(namespace, key),
      });
      codes[index] = code;
      if (code === Code.VALID) updates.apply(namespaces, version, committed.lookup);
    } else if (transaction.configBytes !== undefined) {
      updates.put(CONFIG_NAMESPACE, CONFIG_KEY, { value: transaction.configBytes, metadata: undefined, version });
      config = channelConfigOf(transaction.channelId, transaction.configBytes);
    }
  }
  return { flags: Uint8Array.from(codes), updates, known, config };
}

/** Changes of a block whose codes are already known: replay after a crash, and the genesis block. */
export async function replayBlock(
  input: Pick<BlockValidationInput, 'blockNumber' | 'block' | 'state'>,
  flags: Uint8Array,
): Promise<{ readonly updates: UpdateBatch; readonly config: ChannelConfig | undefined }> {
  const { lookup } = await loadCommitted(input);
  const updates = new UpdateBatch();
  let config: ChannelConfig | undefined;
  for (const [index, transaction] of input.block.transactions.entries()) {
    if (flags[index] !== Code.VALID) continue;
    const version: Version = { blockNumber: input.blockNumber, txNumber: BigInt(index) };
    if (transaction.action !== undefined) {
      updates.apply(transaction.action.namespaces, version, lookup);
    } else if (transaction.configBytes !== undefined) {
      updates.put(CONFIG_NAMESPACE, CONFIG_KEY, { value: transaction.configBytes, metadata: undefined, version });
      config = channelConfigOf(transaction.channelId, transaction.configBytes);
    }
  }
  return { updates, config };
}

/** Structure, creator's signature, known ids, endorsements. */
async function validateTransactions(
  { block, config, policies }: BlockValidationInput,
  known: readonly boolean[],
  lookup: CommittedLookup,
): Promise<TxValidationCode[]> {
  const endorsements = new EndorsementValidation(policies, config.msps, lookup);
  const codes: TxValidationCode[] = [];
  for (const [index, transaction] of block.transactions.entries()) {
    codes.push(
      validateStructure(transaction, config) ??
        (await validateAction(transaction, known[index] === true, endorsements)),
    );
  }
  return codes;
}

async function validateAction(
  { type, action, actionCode }: ParsedTransaction,
  isKnown: boolean,
  endorsements: EndorsementValidation,
): Promise<TxValidationCode> {
  if (type === common.HeaderType.CONFIG) return Code.VALID;
  if (isKnown) return Code.DUPLICATE_TXID;
  if (action === undefined) return actionCode;
  // Private data does not exist here; no endorser of devnet would have made such a read-write set.
  if (action.namespaces.some(({ hasCollections }) => hasCollections)) return Code.INVALID_OTHER_REASON;
  return endorsements.validate(action);
}

/** The code of a transaction that is wrong in itself, or undefined. */
function validateStructure(transaction: ParsedTransaction, config: ChannelConfig): TxValidationCode | undefined {
  if (transaction.headerCode !== Code.VALID) return transaction.headerCode;
  const { creator } = transaction;
  if (creator === undefined || transaction.channelId !== config.channelId || !isSignedByCreator(creator, config.msps)) {
    return Code.BAD_CREATOR_SIGNATURE;
  }
  return transaction.bodyCode === Code.VALID ? undefined : transaction.bodyCode;
}

/** Of transactions with one id in one block only the first may stand. */
function markDuplicates(transactions: readonly ParsedTransaction[], codes: TxValidationCode[]): void {
  const seen = new Set<string>();
  for (const [index, { txId, action }] of transactions.entries()) {
    if (codes[index] !== Code.VALID || action === undefined) continue;
    if (seen.has(txId)) codes[index] = Code.DUPLICATE_TXID;
    seen.add(txId);
  }
}

/** One read for every key that any transaction of the block touches. */
async function loadCommitted(
  input: Pick<BlockValidationInput, 'block' | 'state'>,
): Promise<{ readonly lookup: (namespace: string, key: string) => StateValue | undefined }> {
  const touched = new Map<string, Map<string, StateValue | undefined>>();
  const keys: StateKey[] = [];
  for (const { action } of input.block.transactions) {
    for (const { namespace, reads, writes, metadataWrites } of action?.namespaces ?? []) {
      let known = touched.get(namespace);
      if (known === undefined) {
        known = new Map();
        touched.set(namespace, known);
      }
      for (const { key } of [...reads, ...writes, ...metadataWrites]) {
        if (known.has(key)) continue;
        known.set(key, undefined);
        keys.push({ namespace, key });
      }
    }
  }
  const values = keys.length === 0 ? [] : await input.state.getMany(keys);
  for (const [index, { namespace, key }] of keys.entries()) touched.get(namespace)?.set(key, values[index]);
  return { lookup: (namespace, key) => touched.get(namespace)?.get(key) };
}
