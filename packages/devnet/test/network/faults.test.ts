import { once } from 'node:events';
import { status } from '@grpc/grpc-js';
import type { DevnetFaults, Fault } from '@waymark/devnet';
import { connectClient, type TestClient } from '../harness/client.ts';
import { CHAINCODE, CHANNEL, sameHeight, startTestNetwork, type TestNetwork } from '../harness/network.ts';

const LEADER = 'peer0.org1.example.com';
const OTHER = 'peer1.org1.example.com';
const HOUR_MS = 60 * 60 * 1000;

describe('faults, clock and configuration of a running network', () => {
  let network: TestNetwork;
  let faults: DevnetFaults;
  let next = 0;

  beforeAll(async () => {
    network = await startTestNetwork();
    ({ faults } = network.devnet);
  });
  afterEach(async () => {
    network.devnet.clock.reset();
    await faults.healAll();
    await sameHeight(network.devnet);
  });
  afterAll(() => network.stop());

  const contract = (client = network.client) => client.gateway.getNetwork(CHANNEL).getContract(CHAINCODE);
  const create = async (): Promise<string> => {
    const id = `f${next++}`;
    await contract().submitTransaction('createAsset', id, 'Ann', '1');
    return id;
  };
  /** Clients wait longer and longer between attempts to connect again. */
  const connected = ({ grpc }: TestClient): Promise<void> =>
    new Promise((resolve, reject) => {
      grpc.waitForReady(Date.now() + 20_000, (error) => (error === undefined ? resolve() : reject(error)));
    });
  const heightOf = (peer: string) => network.devnet.heights()[peer] ?? 0n;
  const committed = async (peer: string, height: bigint) => {
    while (heightOf(peer) < height) await once(network.devnet.events, 'block');
  };

  test('a peer whose commits are held falls behind, and catches up when healed', async () => {
    const fault = faults.holdCommits(OTHER);
    const before = heightOf(OTHER);
    await create();
    expect(heightOf(LEADER)).toBe(before + 1n);
    expect(heightOf(OTHER)).toBe(before);
    await fault.heal();
    await committed(OTHER, before + 1n);
  });

  test('commits that are delayed come later, by no less than the delay', async () => {
    const delayMs = 150;
    faults.delayCommits(LEADER, delayMs);
    const started = performance.now();
    await create();
    expect(performance.now() - started).toBeGreaterThanOrEqual(delayMs);
  });

  test('dropped event streams end with UNAVAILABLE while transactions go on; a new one resumes without a gap', async () => {
    const start = heightOf(LEADER);
    const open = () => network.client.gateway.getNetwork(CHANNEL).getChaincodeEvents(CHAINCODE, { startBlock: start });
    const first = await open();
    const reading = (async () => {
      for await (const event of first) if (event.eventName === '') break;
    })();
    const failure = reading.catch((error: unknown) => error);
    await create();
    const fault = faults.dropEvents(LEADER);
    expect(await failure).toMatchObject({ code: status.UNAVAILABLE });
    await create();
    const refused = await open();
    await expect(refused[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: status.UNAVAILABLE });
    await fault.heal();
    const resumed = await open();
    const blocks: bigint[] = [];
    for await (const { blockNumber } of resumed) {
      blocks.push(blockNumber);
      if (blocks.length === 2) break;
    }
    resumed.close();
    expect(blocks).toEqual([start, start + 1n]);
  });

  test('a peer that is down is done without, and comes back with what it missed', async () => {
    const fault = await faults.failPeer('peer0.org2.example.com');
    await expect(contract(network.otherClient).evaluateTransaction('listAssets', '', '')).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
    await create();
    await fault.heal();
    await network.devnet.chaincodesReady(20_000);
    await committed('peer0.org2.example.com', heightOf(LEADER));
    await connected(network.otherClient);
    await contract(network.otherClient).evaluateTransaction('listAssets', '', '');
  });

  test('without any peer of an organisation its policy cannot be satisfied', async () => {
    await faults.failPeer('peer0.org2.example.com');
    await faults.failPeer('peer1.org2.example.com');
    await expect(contract().submitTransaction('createAsset', 'never', 'Ann', '1')).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      message: expect.stringContaining('no combination of peers can be derived') as string,
    });
    await faults.healAll();
    await network.devnet.chaincodesReady(20_000);
  });

  test('a peer with a full disk stops, says so, and goes on from its ledger when there is room again', async () => {
    const failed = once(network.devnet.events, 'failed');
    const fault = faults.fillDisk(OTHER);
    await create();
    const [{ peer, error }] = (await failed) as [{ peer: string; error: Error }];
    expect(peer).toBe(OTHER);
    expect((error.cause as NodeJS.ErrnoException).code).toBe('ENOSPC');
    const stuck = heightOf(OTHER);
    await create();
    expect(heightOf(OTHER)).toBe(stuck);
    await fault.heal();
    await committed(OTHER, heightOf(LEADER));
    await network.devnet.chaincodesReady(20_000);
  });

  test('a fault heals once, and a peer that is not there is refused', async () => {
    const fault: Fault = faults.holdCommits(OTHER);
    await fault.heal();
    await fault.heal();
    expect(() => faults.holdCommits('peer9.org1.example.com')).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID' }) as Error,
    );
  });

  test('a clock that is moved away from the clients refuses them, and takes them again when it is set back', async () => {
    network.devnet.clock.advance(HOUR_MS);
    await expect(contract().evaluateTransaction('listAssets', '', '')).rejects.toMatchObject({
      message: expect.stringContaining('failed to evaluate transaction') as string,
      details: expect.arrayContaining([
        expect.objectContaining({ message: expect.stringContaining('incorrect timestamp') as string }),
      ]) as unknown,
    });
    network.devnet.clock.reset();
    await create();
  });

  test('a revoked identity is refused by every peer from the configuration block on; others go on', async () => {
    const organisation = network.devnet.organisation('Org1MSP');
    const outlet = await organisation.enrol({ enrolmentId: 'outlet7', role: 'client' });
    const client = connectClient(organisation.gateway, outlet);
    try {
      await contract(client).submitTransaction('createAsset', 'before', 'Ann', '1');
      const number = await organisation.revoke(outlet.certificatePem);
      expect(heightOf(LEADER)).toBe(number + 1n);
      await expect(contract(client).evaluateTransaction('listAssets', '', '')).rejects.toMatchObject({
        code: status.FAILED_PRECONDITION,
      });
      await create();
    } finally {
      client.close();
    }
  });
});
