import { credentials, makeGenericClientConstructor, status, type ServiceError } from '@grpc/grpc-js';
import { common, gateway, orderer, peer } from '@hyperledger/fabric-protos';
import { headerFieldsOf, headerHash, dataHash } from '../../src/block/hashes.ts';
import { createSigningIdentity, type SigningIdentity } from '../../src/msp/index.ts';
import { CHAINCODE, CHANNEL, startTestNetwork, type TestNetwork } from '../harness/network.ts';
import { buildSeek } from '../harness/proposals.ts';

const HOUR_MS = 60 * 60 * 1000;
const { SUCCESS, BAD_REQUEST, FORBIDDEN, NOT_FOUND } = common.Status;

describe('protos.Deliver and orderer.AtomicBroadcast', () => {
  let network: TestNetwork;
  let peerClient: peer.DeliverClient;
  let ordererClient: orderer.AtomicBroadcastClient;
  let user: SigningIdentity;

  beforeAll(async () => {
    network = await startTestNetwork();
    const { gateway: node, user: issued } = network.devnet.organisation('Org1MSP');
    user = createSigningIdentity(issued);
    peerClient = new peer.DeliverClient(node.address, credentials.createSsl(Buffer.from(node.tlsRootCertPem)));
    const ordering = network.devnet.orderer;
    ordererClient = new orderer.AtomicBroadcastClient(
      ordering.address,
      credentials.createSsl(Buffer.from(ordering.tlsRootCertPem)),
    );
    const contract = network.client.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
    await contract.submitTransaction('createAsset', 'd1', 'Ann', '1');
    await contract.submitTransaction('createAsset', 'd2', 'Ann', '1');
  });
  afterAll(async () => {
    peerClient.close();
    ordererClient.close();
    await network.stop();
  });

  /** Everything that comes until the server ends the stream, or until enough statuses came. */
  const collect = <R extends { hasBlock(): boolean }>(
    call: { write(envelope: common.Envelope): unknown; end(): unknown } & NodeJS.EventEmitter,
    seeks: readonly common.Envelope[],
  ) =>
    new Promise<R[]>((resolve, reject) => {
      const responses: R[] = [];
      call.on('data', (response: R) => responses.push(response));
      call.on('end', () => resolve(responses));
      call.on('error', reject);
      for (const seek of seeks) call.write(seek);
      call.end();
    });
  const seekPeer = (...seeks: readonly common.Envelope[]) => collect<peer.DeliverResponse>(peerClient.deliver(), seeks);
  const statuses = (responses: readonly peer.DeliverResponse[]) =>
    responses.filter((response) => response.hasStatus()).map((response) => response.getStatus());
  const numbers = (responses: readonly peer.DeliverResponse[]) =>
    responses.flatMap((response) => response.getBlock()?.getHeader()?.getNumber() ?? []);

  test('blocks from the oldest on are a chain of hashes that starts at the configuration', async () => {
    const responses = await seekPeer(buildSeek(user, { channelId: CHANNEL, start: 'oldest', stop: 'newest' }));
    const blocks = responses.flatMap((response) => response.getBlock() ?? []);
    expect(blocks.map((block) => block.getHeader()?.getNumber())).toEqual([0, 1, 2, 3]);
    expect(statuses(responses)).toEqual([SUCCESS]);
    let previous: Uint8Array = new Uint8Array();
    for (const block of blocks) {
      const header = block.getHeader() ?? new common.BlockHeader();
      expect(Buffer.from(header.getPreviousHash_asU8())).toEqual(Buffer.from(previous));
      const data = block.getData()?.getDataList_asU8() ?? [];
      expect(Buffer.from(header.getDataHash_asU8())).toEqual(Buffer.from(dataHash(data)));
      previous = headerHash(headerFieldsOf(header));
    }
  });

  test('newest to newest is one block; several seeks are answered one after the other', async () => {
    const responses = await seekPeer(
      buildSeek(user, { channelId: CHANNEL, start: 'newest', stop: 'newest' }),
      buildSeek(user, { channelId: CHANNEL, start: 1, stop: 2 }),
      buildSeek(user, { channelId: CHANNEL, start: 'oldest', stop: 'oldest' }),
    );
    expect(numbers(responses)).toEqual([3, 1, 2, 0]);
    expect(statuses(responses)).toEqual([SUCCESS, SUCCESS, SUCCESS]);
  });

  test('blocks to come are waited for', async () => {
    const contract = network.otherClient.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
    const next = Number(network.devnet.heights()['peer0.org1.example.com']);
    const waiting = seekPeer(buildSeek(user, { channelId: CHANNEL, start: next, stop: next }));
    await contract.submitTransaction('raw', 'waited', 'x');
    expect(numbers(await waiting)).toEqual([next]);
  });

  test.each([
    [
      'a block that is not there yet, when failing was asked for',
      NOT_FOUND,
      () => seek({ start: 999, stop: 999, failIfNotReady: true }),
    ],
    ['an unknown channel', NOT_FOUND, () => seek({ channelId: 'elsewhere', start: 'oldest', stop: 'newest' })],
    ['no start', BAD_REQUEST, () => seek({ stop: 'newest' })],
    ['a stop before the start', BAD_REQUEST, () => seek({ start: 2, stop: 1 })],
    ['a clock an hour off', BAD_REQUEST, () => seek({ start: 0, stop: 0, timeMs: Date.now() - HOUR_MS })],
    ['a payload that cannot be read', BAD_REQUEST, () => garbage()],
    ['a signature over something else', FORBIDDEN, () => forged()],
  ])('%s gets its status, and the stream ends', async (_name, expected, build) => {
    expect(statuses(await seekPeer(build(), seek({ start: 0, stop: 0 })))).toEqual([expected]);
  });

  const seek = (options: Partial<Parameters<typeof buildSeek>[1]>) =>
    buildSeek(user, { channelId: CHANNEL, ...options });
  const garbage = () => {
    const envelope = new common.Envelope();
    envelope.setPayload(Buffer.from('ffffff', 'hex'));
    return envelope;
  };
  const forged = () => {
    const envelope = seek({ start: 0, stop: 0 });
    envelope.setSignature(seek({ start: 1, stop: 1 }).getSignature_asU8());
    return envelope;
  };

  test('filtered blocks carry ids, codes and event names, no payloads', async () => {
    const responses = await collect<peer.DeliverResponse>(peerClient.deliverFiltered(), [seek({ start: 2, stop: 2 })]);
    const [transaction] = responses[0]?.getFilteredBlock()?.getFilteredTransactionsList() ?? [];
    expect(transaction?.getTxValidationCode()).toBe(peer.TxValidationCode.VALID);
    const [action] = transaction?.getTransactionActions()?.getChaincodeActionsList() ?? [];
    expect(action?.getChaincodeEvent()?.toObject()).toMatchObject({
      chaincodeId: CHAINCODE,
      eventName: 'AssetCreated',
      payload: '',
    });
    expect(Buffer.from(responses[0]?.serializeBinary() ?? []).includes('Ann')).toBe(false);
  });

  test('headers with signatures come without data', async () => {
    const responses = await seekPeer(seek({ start: 2, stop: 2, headersOnly: true }));
    expect(responses[0]?.getBlock()?.hasData()).toBe(false);
    expect(responses[0]?.getBlock()?.hasMetadata()).toBe(true);
  });

  test('the orderer delivers the same chain', async () => {
    const fromPeer = await seekPeer(seek({ start: 'oldest', stop: 2 }));
    const fromOrderer = await collect<orderer.DeliverResponse>(ordererClient.deliver(), [
      seek({ start: 'oldest', stop: 2 }),
    ]);
    const hashes = (responses: readonly { getBlock(): common.Block | undefined }[]) =>
      responses.flatMap((response) => {
        const header = response.getBlock()?.getHeader();
        return header === undefined ? [] : [Buffer.from(headerHash(headerFieldsOf(header))).toString('hex')];
      });
    expect(hashes(fromOrderer)).toEqual(hashes(fromPeer));
    expect(hashes(fromOrderer)).toHaveLength(3);
    expect(fromOrderer.at(-1)?.getStatus()).toBe(SUCCESS);
  });

  test('a transaction that the client broadcasts itself is ordered; nonsense is BAD_REQUEST', async () => {
    const contract = network.client.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
    const transaction = await contract.newProposal('raw', { arguments: ['own', 'x'] }).endorse();
    const prepared = gateway.PreparedTransaction.deserializeBinary(transaction.getBytes()).getEnvelope();
    if (prepared === undefined) throw new Error('no envelope');
    prepared.setSignature(user.sign(prepared.getPayload_asU8()));
    const responses = await collect<orderer.BroadcastResponse & { hasBlock(): boolean }>(ordererClient.broadcast(), [
      prepared,
      garbage(),
    ]);
    expect(responses.map((response) => response.getStatus())).toEqual([SUCCESS, BAD_REQUEST]);
  });

  test.each([
    ['/discovery.Discovery/Discover', '/discovery.Discovery/Discover'],
    ['/protos.Snapshot/generate', '/protos.Snapshot/generate'],
  ])('%s is UNIMPLEMENTED by name', async (method, text) => {
    const { gateway: node } = network.devnet.organisation('Org1MSP');
    const Generic = makeGenericClientConstructor({}, 'Generic');
    const client = new Generic(node.address, credentials.createSsl(Buffer.from(node.tlsRootCertPem)));
    const identity = (value: Buffer) => value;
    const error = await new Promise<ServiceError>((resolve) => {
      const call = client.makeBidiStreamRequest(method, identity, identity);
      call.on('error', resolve);
      call.on('data', () => undefined);
      call.end();
    });
    client.close();
    expect(error.code).toBe(status.UNIMPLEMENTED);
    expect(error.details).toContain(text);
  });
});
