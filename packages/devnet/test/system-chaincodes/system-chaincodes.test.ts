import { credentials } from '@grpc/grpc-js';
import { common, peer } from '@hyperledger/fabric-protos';
import { headerFieldsOf, headerHash } from '../../src/block/hashes.ts';
import { createSigningIdentity, type SigningIdentity } from '../../src/msp/index.ts';
import { CHAINCODE, CHANNEL, sameHeight, startTestNetwork, type TestNetwork } from '../harness/network.ts';
import { buildSignedProposal, processProposal } from '../harness/proposals.ts';

const { lifecycle } = peer;
const NO_MESSAGE = new Uint8Array();

describe('the chaincodes of a peer itself', () => {
  let network: TestNetwork;
  let client: peer.EndorserClient;
  let user: SigningIdentity;
  let admin: SigningIdentity;
  let stranger: SigningIdentity;
  let txId: string;

  beforeAll(async () => {
    network = await startTestNetwork();
    const { gateway, user: issued, admin: issuedAdmin } = network.devnet.organisation('Org1MSP');
    user = createSigningIdentity(issued);
    admin = createSigningIdentity(issuedAdmin);
    stranger = createSigningIdentity(network.devnet.organisation('Org2MSP').user);
    client = new peer.EndorserClient(gateway.address, credentials.createSsl(Buffer.from(gateway.tlsRootCertPem)));
    const contract = network.client.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
    const submitted = await contract.submitAsync('createAsset', { arguments: ['s1', 'Ann', '1'] });
    txId = submitted.getTransactionId();
    await submitted.getStatus();
    await sameHeight(network.devnet);
  });
  afterAll(async () => {
    client.close();
    await network.stop();
  });

  const call = (
    chaincode: string,
    args: readonly (string | Uint8Array)[],
    { channelId = '', signer = user }: { channelId?: string; signer?: SigningIdentity } = {},
  ) => processProposal(client, buildSignedProposal(signer, { channelId, chaincode, args }));
  const payloadOf = (response: peer.ProposalResponse) => {
    expect(response.getResponse()?.toObject()).toMatchObject({ status: 200, message: '' });
    return response.getResponse()?.getPayload_asU8() ?? NO_MESSAGE;
  };
  const failureOf = (response: peer.ProposalResponse) => {
    const { status, message } = response.getResponse()?.toObject() ?? {};
    expect(response.hasEndorsement()).toBe(false);
    return `${status} ${message}`;
  };

  describe('qscc', () => {
    const blockOf = async (...args: readonly (string | Uint8Array)[]) =>
      common.Block.deserializeBinary(payloadOf(await call('qscc', args)));
    const hashOf = (block: common.Block) => headerHash(headerFieldsOf(block.getHeader() ?? new common.BlockHeader()));

    test('GetChainInfo gives height and hashes, without an endorsement when there is no channel in the proposal', async () => {
      const response = await call('qscc', ['GetChainInfo', CHANNEL]);
      expect(response.hasEndorsement()).toBe(false);
      const info = common.BlockchainInfo.deserializeBinary(payloadOf(response));
      expect(BigInt(info.getHeight())).toBe(network.devnet.heights()['peer0.org1.example.com']);
      const newest = await blockOf('GetBlockByNumber', CHANNEL, String(info.getHeight() - 1));
      expect(Buffer.from(hashOf(newest))).toEqual(Buffer.from(info.getCurrentblockhash_asU8()));
      expect(newest.getHeader()?.getPreviousHash_asB64()).toBe(info.getPreviousblockhash_asB64());
    });

    test('with a channel in the proposal the answer is endorsed, its version is that of system chaincodes', async () => {
      const response = await call('qscc', ['GetChainInfo', CHANNEL], { channelId: CHANNEL });
      expect(response.hasEndorsement()).toBe(true);
      const payload = peer.ProposalResponsePayload.deserializeBinary(response.getPayload_asU8());
      const action = peer.ChaincodeAction.deserializeBinary(payload.getExtension_asU8());
      expect(action.getChaincodeId()?.toObject()).toMatchObject({ name: 'qscc', version: 'syscc' });
      expect(action.getResults_asU8()).toHaveLength(0);
    });

    test('a block is found by number, hash and transaction; the greatest number means the newest', async () => {
      const byTransaction = await blockOf('GetBlockByTxID', CHANNEL, txId);
      const number = byTransaction.getHeader()?.getNumber() ?? 0;
      const bytes = Buffer.from(byTransaction.serializeBinary());
      expect(bytes.equals((await blockOf('GetBlockByNumber', CHANNEL, String(number))).serializeBinary())).toBe(true);
      expect(bytes.equals((await blockOf('GetBlockByHash', CHANNEL, hashOf(byTransaction))).serializeBinary())).toBe(
        true,
      );
      expect((await blockOf('GetBlockByNumber', CHANNEL, '18446744073709551615')).getHeader()?.getNumber()).toBe(
        number,
      );
    });

    test('a transaction is found by id, with its envelope and validation code', async () => {
      const bytes = payloadOf(await call('qscc', ['GetTransactionByID', CHANNEL, txId]));
      const processed = peer.ProcessedTransaction.deserializeBinary(bytes);
      expect(processed.getValidationcode()).toBe(peer.TxValidationCode.VALID);
      expect(processed.getTransactionenvelope()?.getSignature_asU8().length).toBeGreaterThan(60);
    });

    test.each([
      [['GetChainInfo'], '500 Incorrect number of arguments, 1'],
      [['GetBlockByNumber', CHANNEL], '500 missing 3rd argument for GetBlockByNumber'],
      [['GetChainInfo', 'other'], '500 Invalid chain ID, other'],
      [
        ['GetNothing', CHANNEL, ''],
        `500 access denied for [GetNothing][${CHANNEL}]: [Unmapped policy for qscc/GetNothing]`,
      ],
      [
        ['GetBlockByNumber', CHANNEL, '99'],
        '500 Failed to get block number 99, error no such block number [99] in index',
      ],
      [
        ['GetBlockByNumber', CHANNEL, 'x'],
        '500 Failed to parse block number with error strconv.ParseUint: parsing "x": invalid syntax',
      ],
      [['GetBlockByHash', CHANNEL, 'no'], '500 Failed to get block hash no, error no such block hash [6e6f] in index'],
      [
        ['GetTransactionByID', CHANNEL, 'ff'],
        '500 Failed to get transaction with id ff, error no such transaction ID [ff] in index',
      ],
    ])("%j fails in Fabric's words", async (args, expected) => {
      expect(failureOf(await call('qscc', args))).toBe(expected);
    });

    test('without a channel in the proposal only the own organisation is served', async () => {
      await expect(call('qscc', ['GetChainInfo', CHANNEL], { signer: stranger })).rejects.toThrow(
        'error validating proposal: access denied: channel [] creator org unknown, creator is malformed',
      );
      const onChannel = await call('qscc', ['GetChainInfo', CHANNEL], { signer: stranger, channelId: CHANNEL });
      payloadOf(onChannel);
    });
  });

  describe('cscc', () => {
    test('GetChannels names the channel', async () => {
      const channels = peer.ChannelQueryResponse.deserializeBinary(payloadOf(await call('cscc', ['GetChannels'])));
      expect(channels.toObject().channelsList).toEqual([{ channelId: CHANNEL }]);
    });

    test('GetConfigBlock gives the block, GetChannelConfig the configuration in it', async () => {
      const block = common.Block.deserializeBinary(payloadOf(await call('cscc', ['GetConfigBlock', CHANNEL])));
      expect(block.getHeader()?.getNumber()).toBe(0);
      const bytes = payloadOf(await call('cscc', ['GetChannelConfig', CHANNEL]));
      const groups = common.Config.deserializeBinary(bytes).getChannelGroup()?.getGroupsMap();
      expect(groups?.get('Application')?.getGroupsMap().getLength()).toBe(2);
    });

    test.each([
      [['JoinChainBySnapshot', 'x'], /^500 UNIMPLEMENTED: cscc JoinChainBySnapshot is not supported by devnet/],
      [['GetConfigBlock'], /^500 Incorrect number of arguments, 1$/],
      [['GetChannelConfig', ''], /^500 empty channel name provided$/],
      [
        ['GetConfigBlock', 'other'],
        /^500 access denied for \[GetConfigBlock\]\[other\]: Failed to get policy manager for channel \[other\]$/,
      ],
      [['Nothing', 'x'], /^500 Requested function Nothing not found\.$/],
    ])('%j is refused', async (args, expected) => {
      expect(failureOf(await call('cscc', args))).toMatch(expected);
    });
  });

  describe('_lifecycle', () => {
    const onChannel = { channelId: CHANNEL };

    test('definitions of the channel, with every organisation counted as having approved', async () => {
      const all = payloadOf(await call('_lifecycle', ['QueryChaincodeDefinitions', NO_MESSAGE], onChannel));
      const list = lifecycle.QueryChaincodeDefinitionsResult.deserializeBinary(all).toObject().chaincodeDefinitionsList;
      expect(list).toMatchObject([{ name: CHAINCODE, sequence: 1, version: '1.0', endorsementPlugin: 'escc' }]);
      const args = new lifecycle.QueryChaincodeDefinitionArgs();
      args.setName(CHAINCODE);
      const response = await call('_lifecycle', ['QueryChaincodeDefinition', args.serializeBinary()], onChannel);
      const one = lifecycle.QueryChaincodeDefinitionResult.deserializeBinary(payloadOf(response));
      expect(one.getApprovalsMap().toObject()).toEqual([
        ['Org1MSP', true],
        ['Org2MSP', true],
      ]);
    });

    test('what is approved, and what is installed, is for admins of the peer', async () => {
      const args = new lifecycle.QueryApprovedChaincodeDefinitionArgs();
      args.setName(CHAINCODE);
      const request = ['QueryApprovedChaincodeDefinition', args.serializeBinary()];
      expect(failureOf(await call('_lifecycle', request, onChannel))).toMatch(
        /ACL check: .*policy \[Admins\]: \[The identity is not an admin under this MSP \[Org1MSP\]/,
      );
      const approved = lifecycle.QueryApprovedChaincodeDefinitionResult.deserializeBinary(
        payloadOf(await call('_lifecycle', request, { ...onChannel, signer: admin })),
      );
      expect(approved.getSource()?.getLocalPackage()?.getPackageId()).toBe(network.chaincode.packageId);
      const installed = lifecycle.QueryInstalledChaincodesResult.deserializeBinary(
        payloadOf(await call('_lifecycle', ['QueryInstalledChaincodes', NO_MESSAGE], { signer: admin })),
      );
      expect(installed.getInstalledChaincodesList().map((entry) => entry.getPackageId())).toEqual([
        network.chaincode.packageId,
      ]);
    });

    test.each([
      [['QueryChaincodeDefinitions'], /^500 lifecycle scc operations require exactly two arguments but received 1$/],
      [['QueryChaincodeDefinition', Buffer.from([0x0a, 0x01, 0x78])], /^404 namespace x is not defined$/],
      [
        ['Nothing', NO_MESSAGE],
        /^500 Failed to authorize invocation due to failed ACL check: Unmapped policy for _lifecycle\/Nothing$/,
      ],
      [['CommitChaincodeDefinition', NO_MESSAGE], /^500 UNIMPLEMENTED: _lifecycle CommitChaincodeDefinition/],
    ])('%j is refused', async (args, expected) => {
      expect(failureOf(await call('_lifecycle', args, onChannel))).toMatch(expected);
    });
  });

  test('lscc is refused by name', async () => {
    expect(failureOf(await call('lscc', ['getinstalledchaincodes']))).toBe(
      '500 error in simulation: UNIMPLEMENTED: the system chaincode lscc is not supported by devnet',
    );
  });
});
