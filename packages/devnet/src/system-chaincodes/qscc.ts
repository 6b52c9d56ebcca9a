import { common, peer } from '@hyperledger/fabric-protos';
import type { Resource } from '../access/channel-access.ts';
import type { SystemChaincode } from '../endorser/endorser.ts';
import type { UnpackedProposal } from '../endorser/proposal.ts';
import type { CommittedBlock, PeerLedger } from '../ledger/ledger.ts';
import { invokedName, textArgument, type SystemChaincodeContext } from './context.ts';
import { quote } from './quote.ts';
import { SystemCallFailed, checked, respond } from './system-response.ts';

const MAX_UINT64 = 2n ** 64n - 1n;

/** What a function reads: its argument as bytes and as text. */
type Query = (ledger: PeerLedger, bytes: Uint8Array, text: string) => Promise<Uint8Array>;

const QUERIES: Readonly<Record<string, { readonly resource: Resource; readonly run: Query }>> = {
  GetChainInfo: { resource: 'qscc/GetChainInfo', run: getChainInfo },
  GetBlockByNumber: { resource: 'qscc/GetBlockByNumber', run: getBlockByNumber },
  GetBlockByHash: { resource: 'qscc/GetBlockByHash', run: getBlockByHash },
  GetTransactionByID: { resource: 'qscc/GetTransactionByID', run: getTransactionById },
  GetBlockByTxID: { resource: 'qscc/GetBlockByTxID', run: getBlockByTxId },
};

/** The ledger queries of a peer (Fabric: core/scc/qscc/query.go): function, channel, argument. */
export function createQscc(context: SystemChaincodeContext): SystemChaincode {
  return { readsState: false, execute: (proposal) => respond(proposal.input, () => query(context, proposal)) };
}

function query(
  { ledger, checkChannelAccess }: SystemChaincodeContext,
  proposal: UnpackedProposal,
): Promise<Uint8Array> {
  const args = proposal.input.getArgsList_asU8();
  if (args.length < 2) throw new SystemCallFailed(`Incorrect number of arguments, ${args.length}`);
  const name = textArgument(proposal.input, 0);
  const channelId = textArgument(proposal.input, 1);
  const invoked = invokedName(proposal);
  if (invoked !== 'qscc') {
    throw new SystemCallFailed(
      `Rejecting invoke of QSCC from another chaincode because of potential for deadlocks, original invocation for '${invoked}'`,
    );
  }
  if (name !== 'GetChainInfo' && args.length < 3) throw new SystemCallFailed(`missing 3rd argument for ${name}`);
  if (channelId !== ledger.channelId) throw new SystemCallFailed(`Invalid chain ID, ${channelId}`);
  const denied = (reason: string) => `access denied for [${name}][${channelId}]: [${reason}]`;
  const found = Object.hasOwn(QUERIES, name) ? QUERIES[name] : undefined;
  if (found === undefined) throw new SystemCallFailed(denied(`Unmapped policy for qscc/${name}`));
  checked(() => checkChannelAccess(found.resource, proposal), denied);
  return found.run(ledger, args[2] ?? new Uint8Array(), textArgument(proposal.input, 2));
}

function getChainInfo(ledger: PeerLedger): Promise<Uint8Array> {
  const info = new common.BlockchainInfo();
  info.setHeight(Number(ledger.height));
  info.setCurrentblockhash(ledger.currentBlockHash);
  info.setPreviousblockhash(ledger.previousBlockHash);
  return Promise.resolve(info.serializeBinary());
}

async function getBlockByNumber(ledger: PeerLedger, bytes: Uint8Array, text: string): Promise<Uint8Array> {
  const number = parseBlockNumber(bytes, text);
  const block = await ledger.getBlock(number === MAX_UINT64 ? ledger.height - 1n : number);
  return bytesOf(block, `Failed to get block number ${number}, error no such block number [${number}] in index`);
}

async function getBlockByHash(ledger: PeerLedger, hash: Uint8Array, text: string): Promise<Uint8Array> {
  const hex = Buffer.from(hash).toString('hex');
  return bytesOf(
    await ledger.getBlockByHash(hash),
    `Failed to get block hash ${text}, error no such block hash [${hex}] in index`,
  );
}

async function getTransactionById(ledger: PeerLedger, _bytes: Uint8Array, txId: string): Promise<Uint8Array> {
  const location = await ledger.getTransaction(txId);
  const block = location === undefined ? undefined : await ledger.getBlock(location.blockNumber);
  const envelope = block?.block.getData()?.getDataList_asU8()[location?.txNumber ?? 0];
  if (location === undefined || envelope === undefined) {
    throw new SystemCallFailed(
      `Failed to get transaction with id ${txId}, error no such transaction ID [${txId}] in index`,
    );
  }
  const processed = new peer.ProcessedTransaction();
  processed.setTransactionenvelope(common.Envelope.deserializeBinary(envelope));
  processed.setValidationcode(location.validationCode);
  return processed.serializeBinary();
}

async function getBlockByTxId(ledger: PeerLedger, _bytes: Uint8Array, txId: string): Promise<Uint8Array> {
  return bytesOf(
    await ledger.getBlockByTransaction(txId),
    `Failed to get block for txID ${txId}, error no such transaction ID [${txId}] in index`,
  );
}

function bytesOf(block: CommittedBlock | undefined, otherwise: string): Uint8Array {
  if (block === undefined) throw new SystemCallFailed(otherwise);
  return block.bytes;
}

function parseBlockNumber(bytes: Uint8Array, text: string): bigint {
  const failed = (reason: string) =>
    new SystemCallFailed(
      `Failed to parse block number with error strconv.ParseUint: parsing ${quote(bytes)}: ${reason}`,
    );
  if (!/^\d+$/.test(text)) throw failed('invalid syntax');
  const number = BigInt(text);
  if (number > MAX_UINT64) throw failed('value out of range');
  return number;
}
