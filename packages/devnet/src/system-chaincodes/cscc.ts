import { common, peer } from '@hyperledger/fabric-protos';
import type { SystemChaincode } from '../endorser/endorser.ts';
import type { UnpackedProposal } from '../endorser/proposal.ts';
import { decode } from '../protobuf/decode.ts';
import { messageOf } from '../errors.ts';
import { invokedName, textArgument, type SystemChaincodeContext } from './context.ts';
import { SystemCallFailed, checked, respond } from './system-response.ts';

/** Functions of Fabric's that change which channels a peer is in. */
const NOT_SUPPORTED: ReadonlySet<string> = new Set(['JoinChainBySnapshot', 'JoinBySnapshotStatus']);

/** The configuration queries of a peer (Fabric: core/scc/cscc/configure.go): function, channel. */
export function createCscc(context: SystemChaincodeContext): SystemChaincode {
  return { readsState: false, execute: (proposal) => respond(proposal.input, () => query(context, proposal)) };
}

async function query(context: SystemChaincodeContext, proposal: UnpackedProposal): Promise<Uint8Array> {
  const args = proposal.input.getArgsList_asU8();
  const name = textArgument(proposal.input, 0);
  const channelId = textArgument(proposal.input, 1);
  const withoutChannel = name === 'GetChannels' || name === 'JoinBySnapshotStatus';
  if (args.length < 1 || (args.length < 2 && !withoutChannel)) {
    throw new SystemCallFailed(`Incorrect number of arguments, ${args.length}`);
  }
  const invoked = invokedName(proposal);
  if (invoked !== 'cscc') {
    throw new SystemCallFailed(`Rejecting invoke of CSCC from another chaincode, original invocation for '${invoked}'`);
  }
  if (NOT_SUPPORTED.has(name)) throw notSupported(name);
  switch (name) {
    case 'JoinChain':
      return joinChain(context, proposal, args[1] ?? new Uint8Array());
    case 'GetChannels':
      checked(
        () => context.checkLocalAccess('Members', proposal),
        (reason) => `access denied for [${name}]: ${reason}`,
      );
      return channelsOf(context);
    case 'GetConfigBlock':
      checkChannel(context, 'cscc/GetConfigBlock', proposal, channelId);
      return configBlock(context);
    case 'GetChannelConfig':
      if (channelId === '') throw new SystemCallFailed('empty channel name provided');
      checkChannel(context, 'cscc/GetChannelConfig', proposal, channelId);
      return context.ledger.channelConfig.config.serializeBinary();
    default:
      throw new SystemCallFailed(`Requested function ${name} not found.`);
  }
}

function checkChannel(
  context: SystemChaincodeContext,
  resource: 'cscc/GetConfigBlock' | 'cscc/GetChannelConfig',
  proposal: UnpackedProposal,
  channelId: string,
): void {
  checked(
    () => {
      if (channelId === '') context.checkLocalAccess('/Channel/Application/Readers', proposal);
      if (channelId !== context.ledger.channelId) {
        throw new Error(`Failed to get policy manager for channel [${channelId}]`);
      }
      context.checkChannelAccess(resource, proposal);
    },
    (reason) => `access denied for [${resource.slice('cscc/'.length)}][${channelId}]: ${reason}`,
  );
}

/** The peers of devnet are in their channel from the start. */
function joinChain(context: SystemChaincodeContext, proposal: UnpackedProposal, bytes: Uint8Array): never {
  const block = readBlock(bytes);
  const [envelope] = block.getData()?.getDataList_asU8() ?? [];
  const channelId =
    envelope === undefined ? new Error('failed to retrieve channel id - block is empty') : channelOf(envelope);
  if (channelId instanceof Error) {
    throw new SystemCallFailed(
      `"JoinChain" request failed to extract channel id from the block due to [${channelId.message}]`,
    );
  }
  checked(
    () => context.checkLocalAccess('Admins', proposal),
    (reason) => `access denied for [JoinChain][${channelId}]: [${reason}]`,
  );
  if (channelId !== context.ledger.channelId) throw notSupported('JoinChain');
  throw new SystemCallFailed(
    `cannot create ledger from genesis block: ledger [${channelId}] already exists with state [ACTIVE]`,
  );
}

function readBlock(bytes: Uint8Array): common.Block {
  try {
    return decode('Block', common.Block, bytes);
  } catch (error) {
    throw new SystemCallFailed(`Failed to reconstruct the genesis block, ${messageOf(error)}`);
  }
}

function channelOf(envelopeBytes: Uint8Array): string | Error {
  try {
    const envelope = decode('Envelope', common.Envelope, envelopeBytes);
    const header = decode('Payload', common.Payload, envelope.getPayload_asU8()).getHeader();
    if (header === undefined) return new Error('failed to retrieve channel id - payload header is empty');
    return decode('ChannelHeader', common.ChannelHeader, header.getChannelHeader_asU8()).getChannelId();
  } catch (error) {
    return new Error(messageOf(error), { cause: error });
  }
}

function notSupported(name: string): SystemCallFailed {
  return new SystemCallFailed(`UNIMPLEMENTED: cscc ${name} is not supported by devnet: its peers are in one channel`);
}

function channelsOf({ ledger }: SystemChaincodeContext): Uint8Array {
  const channel = new peer.ChannelInfo();
  channel.setChannelId(ledger.channelId);
  const response = new peer.ChannelQueryResponse();
  response.setChannelsList([channel]);
  return response.serializeBinary();
}

/** The block that holds the configuration in force, as the newest block's metadata names it. */
async function configBlock({ ledger }: SystemChaincodeContext): Promise<Uint8Array> {
  const newest = await ledger.getBlock(ledger.height - 1n);
  const slot = newest?.block.getMetadata()?.getMetadataList_asU8()[common.BlockMetadataIndex.LAST_CONFIG];
  const value = common.Metadata.deserializeBinary(slot ?? new Uint8Array()).getValue_asU8();
  const number = BigInt(common.LastConfig.deserializeBinary(value).getIndex());
  const block = await ledger.getBlock(number);
  if (block === undefined) throw new SystemCallFailed(`no such block number [${number}] in index`);
  return block.bytes;
}
