import { common } from '@hyperledger/fabric-protos';
import { checkpointers, type ChaincodeEvent, type CloseableAsyncIterable } from '@hyperledger/fabric-gateway';
import { CHAINCODE, CHANNEL, startTestNetwork, type TestNetwork } from '../harness/network.ts';

describe('events through the unmodified gateway client', () => {
  let network: TestNetwork;
  beforeAll(async () => {
    network = await startTestNetwork();
  });
  afterAll(() => network.stop());

  const channel = () => network.client.gateway.getNetwork(CHANNEL);
  const contract = () => channel().getContract(CHAINCODE);
  const take = async <T>(stream: CloseableAsyncIterable<T>, count: number): Promise<T[]> => {
    const taken: T[] = [];
    try {
      for await (const item of stream) {
        taken.push(item);
        if (taken.length === count) break;
      }
    } finally {
      stream.close();
    }
    return taken;
  };
  const idOf = (event: ChaincodeEvent) => (JSON.parse(Buffer.from(event.payload).toString()) as { id: string }).id;

  test('blocks are replayed from any block and followed', async () => {
    await contract().submitTransaction('createAsset', 'b1', 'Ann', '1');
    const stream = await channel().getBlockEvents({ startBlock: 0n });
    const replayed = take(stream, 4);
    await contract().submitTransaction('createAsset', 'b2', 'Ann', '1');
    const numbers = (await replayed).map((block) => block.getHeader()?.getNumber());
    expect(numbers).toEqual([0, 1, 2, 3]);
  });

  test('a checkpointed reader goes on where it stopped, gap-free and without repeats', async () => {
    const checkpointer = checkpointers.inMemory();
    const seen: number[] = [];
    for (let round = 0; round < 3; round++) {
      await contract().submitTransaction('createAsset', `c${round}`, 'Ann', '1');
      const stream = await channel().getBlockEvents({ startBlock: 0n, checkpoint: checkpointer });
      const blocks = await take(stream, 2);
      for (const block of blocks) {
        const number = block.getHeader()?.getNumber() ?? -1;
        seen.push(number);
        await checkpointer.checkpointBlock(BigInt(number));
      }
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('filtered blocks and blocks agree', async () => {
    const [filtered] = await take(await channel().getFilteredBlockEvents({ startBlock: 2n }), 1);
    expect(filtered?.getNumber()).toBe(2);
    expect(filtered?.getChannelId()).toBe(CHANNEL);
  });

  test('chaincode events of valid transactions come in order, from any block on', async () => {
    const events = channel().getChaincodeEvents(CHAINCODE, { startBlock: 0n });
    const [first, second] = await take(await events, 2);
    expect([first?.eventName, second?.eventName]).toEqual(['AssetCreated', 'AssetCreated']);
    expect([first, second].map((event) => event && idOf(event))).toEqual(['b1', 'b2']);
    expect(first?.chaincodeName).toBe(CHAINCODE);
  });

  test('events of a conflicting transaction are not delivered', async () => {
    await contract().submitTransaction('createAsset', 'e1', 'Ann', '1');
    const start = network.devnet.heights()['peer0.org1.example.com'] ?? 0n;
    const transactions = await Promise.all(
      ['2', '3'].map((value) =>
        contract()
          .newProposal('updateAsset', { arguments: ['e1', value] })
          .endorse(),
      ),
    );
    for (const transaction of transactions) await (await transaction.submit()).getStatus();
    await contract().submitTransaction('announce', 'Last', '{"id":"last"}');
    const events = await take(await channel().getChaincodeEvents(CHAINCODE, { startBlock: start }), 2);
    expect(events.map(({ eventName }) => eventName)).toEqual(['AssetUpdated', 'Last']);
  });

  test('after a transaction, only what came later', async () => {
    const all = await take(await channel().getChaincodeEvents(CHAINCODE, { startBlock: 0n }), 4);
    const checkpointer = checkpointers.inMemory();
    const second = all[1];
    if (second === undefined) throw new Error('events expected');
    await checkpointer.checkpointChaincodeEvent(second);
    const later = await take(await channel().getChaincodeEvents(CHAINCODE, { checkpoint: checkpointer }), 2);
    expect(later.map((event) => event.transactionId)).toEqual(all.slice(2, 4).map((event) => event.transactionId));
  });

  test('several transactions of one block arrive with their events in the order of the block', async () => {
    const start = network.devnet.heights()['peer0.org1.example.com'] ?? 0n;
    const stream = await channel().getChaincodeEvents(CHAINCODE, { startBlock: start });
    const reading = take(stream, 20);
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => contract().submitTransaction('createAsset', `o${index}`, 'Ann', '1')),
    );
    const events = await reading;
    expect(new Set(events.map(idOf)).size).toBe(20);
    const blocks = events.map(({ blockNumber }) => blockNumber);
    expect([...blocks].sort((a, b) => (a < b ? -1 : 1))).toEqual(blocks);
  });

  test('block 0 is the configuration of the channel', async () => {
    const [block] = await take(await channel().getBlockEvents({ startBlock: 0n }), 1);
    const [envelope] = block?.getData()?.getDataList_asU8() ?? [];
    const payload = common.Payload.deserializeBinary(
      common.Envelope.deserializeBinary(envelope ?? new Uint8Array()).getPayload_asU8(),
    );
    const header = common.ChannelHeader.deserializeBinary(
      payload.getHeader()?.getChannelHeader_asU8() ?? new Uint8Array(),
    );
    expect(header.getType()).toBe(common.HeaderType.CONFIG);
    expect(header.getChannelId()).toBe(CHANNEL);
  });
});
