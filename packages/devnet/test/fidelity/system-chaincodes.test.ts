import { createHash } from 'node:crypto';
import { common, peer } from '@hyperledger/fabric-protos';
import { headerFieldsOf, headerHash } from '../../src/block/hashes.ts';
import type { SigningIdentity } from '../../src/msp/index.ts';
import { compareProposal, sorted, type Comparable } from './harness/comparable.ts';
import { describeFidelity, type Fidelity } from './harness/describe-fidelity.ts';
import { buildProposal } from './harness/proposal-parts.ts';

const { lifecycle } = peer;
const CHANNEL = 'mychannel';
const JUNK = Buffer.from('ffffffff', 'hex');

type Argument = string | Uint8Array;
/** Arguments that only the chain knows. */
interface Known {
  readonly genesis: Uint8Array;
  readonly hash: Uint8Array;
  readonly txId: string;
}
type Arguments = readonly Argument[] | ((known: Known) => readonly Argument[]);

const MAX_UINT64 = '18446744073709551615';
const NO_HASH = createHash('sha256').update('').digest();

const QSCC: Readonly<Record<string, Arguments>> = {
  'no argument': [],
  'a function without a channel': ['GetChainInfo'],
  'a function that is not there': ['GetNothing', CHANNEL, 'x'],
  'a function that is not there, with too few arguments': ['GetNothing', CHANNEL],
  'a property of every object': ['constructor', CHANNEL, 'x'],
  'an empty function': ['', CHANNEL, 'x'],
  'the chain': ['GetChainInfo', CHANNEL],
  'the chain, and more': ['GetChainInfo', CHANNEL, 'more', 'and more'],
  'the chain of no channel': ['GetChainInfo', ''],
  'the chain of an unknown channel': ['GetChainInfo', 'nochannel'],
  'block 0': ['GetBlockByNumber', CHANNEL, '0'],
  'block 1': ['GetBlockByNumber', CHANNEL, '1'],
  'the newest block': ['GetBlockByNumber', CHANNEL, MAX_UINT64],
  'a block that is not there yet': ['GetBlockByNumber', CHANNEL, '2'],
  'a block far away': ['GetBlockByNumber', CHANNEL, '18446744073709551614'],
  'no block number': ['GetBlockByNumber', CHANNEL],
  'an empty block number': ['GetBlockByNumber', CHANNEL, ''],
  'a negative block number': ['GetBlockByNumber', CHANNEL, '-1'],
  'a signed block number': ['GetBlockByNumber', CHANNEL, '+1'],
  'a block number with a space': ['GetBlockByNumber', CHANNEL, ' 1'],
  'a block number with leading zeros': ['GetBlockByNumber', CHANNEL, '0001'],
  'a block number with an underscore': ['GetBlockByNumber', CHANNEL, '1_0'],
  'a hexadecimal block number': ['GetBlockByNumber', CHANNEL, '0x1'],
  'a block number that is too large': ['GetBlockByNumber', CHANNEL, '18446744073709551616'],
  'a block number that is text': ['GetBlockByNumber', CHANNEL, 'one "é" \n'],
  'a block number that is no text': ['GetBlockByNumber', CHANNEL, JUNK],
  'a block by its hash': ({ hash }) => ['GetBlockByHash', CHANNEL, hash],
  'a block by a hash that is not there': ['GetBlockByHash', CHANNEL, NO_HASH],
  'a block by no hash': ['GetBlockByHash', CHANNEL, ''],
  'a block by a hash that is text': ['GetBlockByHash', CHANNEL, 'hash'],
  'a transaction': ({ txId }) => ['GetTransactionByID', CHANNEL, txId],
  'a transaction that is not there': ['GetTransactionByID', CHANNEL, 'ff'],
  'no transaction': ['GetTransactionByID', CHANNEL, ''],
  'a block by its transaction': ({ txId }) => ['GetBlockByTxID', CHANNEL, txId],
  'a block by a transaction that is not there': ['GetBlockByTxID', CHANNEL, 'ff'],
  'a block by no transaction': ['GetBlockByTxID', CHANNEL, ''],
};

const CSCC: Readonly<Record<string, Arguments>> = {
  'no argument': [],
  'a function that is not there': ['GetNothing', CHANNEL],
  'a function that is not there, without a channel': ['GetNothing'],
  'the channels': ['GetChannels'],
  'the channels, and more': ['GetChannels', 'more'],
  'a configuration block': ['GetConfigBlock', CHANNEL],
  'a configuration block of no channel': ['GetConfigBlock', ''],
  'a configuration block of an unknown channel': ['GetConfigBlock', 'nochannel'],
  'a configuration block, and no channel said': ['GetConfigBlock'],
  'a configuration': ['GetChannelConfig', CHANNEL],
  'a configuration of no channel': ['GetChannelConfig', ''],
  'a configuration of an unknown channel': ['GetChannelConfig', 'nochannel'],
  'the simulation of an update, which was removed': ['SimulateConfigTreeUpdate', CHANNEL, 'x'],
  'joining without a block': ['JoinChain'],
  'joining with an empty block': ['JoinChain', ''],
  'joining with a block that is none': ['JoinChain', JUNK],
  'joining the channel again': ({ genesis }) => ['JoinChain', genesis],
};

const encode = (message: { serializeBinary(): Uint8Array }) => message.serializeBinary();
const definitionArgs = (name: string) => {
  const args = new lifecycle.QueryChaincodeDefinitionArgs();
  args.setName(name);
  return encode(args);
};
const approvedArgs = (name: string, sequence: number) => {
  const args = new lifecycle.QueryApprovedChaincodeDefinitionArgs();
  args.setName(name);
  args.setSequence(sequence);
  return encode(args);
};
const installedArgs = (packageId: string) => {
  const args = new lifecycle.QueryInstalledChaincodeArgs();
  args.setPackageId(packageId);
  return encode(args);
};
const readinessArgs = (
  name: string,
  sequence: number,
  change?: (args: peer.lifecycle.CheckCommitReadinessArgs) => void,
) => {
  const args = new lifecycle.CheckCommitReadinessArgs();
  args.setName(name);
  args.setVersion('1.0');
  args.setSequence(sequence);
  change?.(args);
  return encode(args);
};

const LIFECYCLE: Readonly<Record<string, Arguments>> = {
  'no argument': [],
  'one argument': ['QueryChaincodeDefinition'],
  'three arguments': ['QueryChaincodeDefinition', '', ''],
  'a function that is not there': ['QueryNothing', ''],
  'a property of every object': ['constructor', ''],
  'all definitions': ['QueryChaincodeDefinitions', ''],
  'all definitions, with an argument that is no message': ['QueryChaincodeDefinitions', JUNK],
  'a definition that is not there': ['QueryChaincodeDefinition', definitionArgs('nothing')],
  'a definition without a name': ['QueryChaincodeDefinition', ''],
  'a definition, with an argument that is no message': ['QueryChaincodeDefinition', JUNK],
  'an approval that is not there': ['QueryApprovedChaincodeDefinition', approvedArgs('nothing', 0)],
  'an approval of a sequence that is not there': ['QueryApprovedChaincodeDefinition', approvedArgs('assets', 7)],
  'an approval, with an argument that is no message': ['QueryApprovedChaincodeDefinition', JUNK],
  'the packages': ['QueryInstalledChaincodes', ''],
  'a package that is not there': ['QueryInstalledChaincode', installedArgs('nothing:00')],
  'a package without an id': ['QueryInstalledChaincode', ''],
  'a package, with an argument that is no message': ['QueryInstalledChaincode', JUNK],
  'readiness of a chaincode that is not there': ['CheckCommitReadiness', readinessArgs('nothing', 1)],
  'readiness of the next sequence': ['CheckCommitReadiness', readinessArgs('assets', 2)],
  'readiness of the sequence that there is': ['CheckCommitReadiness', readinessArgs('assets', 1)],
  'readiness of a sequence far away': ['CheckCommitReadiness', readinessArgs('assets', 9)],
  'readiness of no sequence': ['CheckCommitReadiness', readinessArgs('assets', 0)],
  'readiness, with an argument that is no message': ['CheckCommitReadiness', JUNK],
};

describeFidelity(
  'the chaincodes of a peer itself answer as Fabric’s',
  { recording: 'system-chaincodes', devnet: { chaincodes: [{ name: 'assets', address: '127.0.0.1:1' }] } },
  (fidelity) => {
    const knownOf = async (): Promise<Known> => {
      const { twin } = fidelity();
      const [genesis, block] = await twin.orderers.devnet.blocks(twin.identities.user, CHANNEL);
      const header = block?.getHeader();
      const [envelope] = block?.getData()?.getDataList_asU8() ?? [];
      if (genesis === undefined || header === undefined || envelope === undefined) throw new Error('no block');
      const payload = common.Payload.deserializeBinary(common.Envelope.deserializeBinary(envelope).getPayload_asU8());
      const channelHeader = payload.getHeader()?.getChannelHeader_asU8() ?? new Uint8Array();
      return {
        genesis: genesis.serializeBinary(),
        hash: headerHash(headerFieldsOf(header)),
        txId: common.ChannelHeader.deserializeBinary(channelHeader).getTxId(),
      };
    };
    const call = async (
      name: string,
      signer: SigningIdentity,
      channelId: string,
      chaincode: string,
      args: Arguments,
    ): Promise<void> => {
      const proposal = buildProposal(signer, {
        channelId,
        chaincode,
        args: typeof args === 'function' ? args(await knownOf()) : args,
      });
      await fidelity().same(`${chaincode}: ${name}`, fidelity().twin.peers, async (node) =>
        compareWithoutPrivateReads(`${chaincode}: ${name}`, await node.propose(proposal)),
      );
    };

    describe.each([
      ['qscc', QSCC],
      ['cscc', CSCC],
      ['_lifecycle', LIFECYCLE],
    ] as const)('%s', (chaincode, calls) => {
      test.each(Object.keys(calls))('%s', async (name) => {
        for (const [caller, { signer, channelId }] of Object.entries(callersOf(fidelity()))) {
          await call(`${name} (${caller})`, signer, channelId, chaincode, calls[name] ?? []);
        }
      });
    });
  },
);

/**
 * Fabric reads approvals in private collections of the organisations, which devnet does not have; and it writes maps in any
 * order. Of such answers only what they say is compared.
 */
function compareWithoutPrivateReads(name: string, outcome: Parameters<typeof compareProposal>[0]): Comparable {
  const compared = compareProposal(outcome);
  const payload = outcome.response?.getResponse()?.getPayload_asU8() ?? new Uint8Array();
  if (/_lifecycle: (readiness|an approval)/.test(name)) {
    if (payload.length === 0) return { stable: compared.stable };
    const result = lifecycle.CheckCommitReadinessResult.deserializeBinary(payload);
    const byName = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1);
    const ready = [...result.toObject().approvalsMap].sort(byName);
    const mismatches = [...result.toObject().mismatchesMap].sort(byName);
    return { stable: { ...(compared.stable as object), ready, mismatches } };
  }
  if (name.startsWith('cscc: a configuration (')) {
    return { stable: compared.stable, exact: sorted(common.Config.deserializeBinary(payload).toObject()) };
  }
  return compared;
}

/** Who may ask what differs by role, organisation and channel. */
function callersOf({ twin }: Fidelity): Record<string, { signer: SigningIdentity; channelId: string }> {
  const { user, admin, otherUser, otherAdmin } = twin.identities;
  return {
    'user on the channel': { signer: user, channelId: CHANNEL },
    'user without a channel': { signer: user, channelId: '' },
    'admin on the channel': { signer: admin, channelId: CHANNEL },
    'admin without a channel': { signer: admin, channelId: '' },
    'user of the other organisation': { signer: otherUser, channelId: CHANNEL },
    'admin of the other organisation': { signer: otherAdmin, channelId: CHANNEL },
  };
}
