import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCampaign, usedBytes, type Campaign } from './attacks/campaign.ts';
import { attackByChaincode } from './attacks/hostile-rounds.ts';
import { attackHttp2, connectHttp2 } from './attacks/http2.ts';
import { crowd, giveUp, holdBack, openIdle, openUnread, sendLarge, type PressureAttack } from './attacks/pressure.ts';
import { attackProtobuf } from './attacks/protobuf.ts';
import { attackTls } from './attacks/tls.ts';
import { chainComplaint } from './chain.ts';
import { CHAINCODE_EVENTS, DELIVER, ORDERER_DELIVER, PEER_METHODS } from './inputs/services.ts';

/** `DEVNET_FUZZ_SEED=n` takes the inputs of an earlier run; it is in the names of the tests. */
const SEED = Number(process.env['DEVNET_FUZZ_SEED'] ?? randomInt(2 ** 31));
const MEBIBYTE = 1024 * 1024;
/** Blocks, identities and verdicts that are remembered on purpose reach about 180 MiB, and stay there. */
const MAX_USED_BYTES = 320 * MEBIBYTE;
/** Rounds that put nothing into blocks leave nothing behind but a few remembered verdicts. */
const MAX_GROWTH_BYTES = 12 * MEBIBYTE;
const MAX_RSS_BYTES = 1536 * MEBIBYTE;
const ROUNDS = 3;

describe(`a devnet under hostile input, DEVNET_FUZZ_SEED=${SEED}`, () => {
  let campaign: Campaign;
  beforeAll(async () => {
    campaign = await startCampaign(SEED);
  });
  afterAll(() => campaign.stop());

  const nodes = () => [...campaign.target.peers, campaign.target.orderer];
  const pressure = (): PressureAttack => {
    const [peer] = campaign.target.peers;
    if (peer === undefined) throw new Error('no peer');
    return { random: campaign.random, seeds: campaign.seeds, peer, orderer: campaign.target.orderer };
  };
  const measure = async () => {
    const measurement = await campaign.target.measure();
    expect(usedBytes(measurement)).toBeLessThan(MAX_USED_BYTES);
    expect(measurement.rssBytes).toBeLessThan(MAX_RSS_BYTES);
    return measurement;
  };

  /** Buffers are given back some time after the collection that finds them unused. */
  const settledBytes = async () => {
    const measurements: number[] = [];
    for (let i = 0; i < 4; i++) measurements.push(usedBytes(await measure()));
    return Math.min(...measurements);
  };

  test('damaged protobuf, round after round', async () => {
    const { random, target, health } = campaign;
    for (let round = 0; round < ROUNDS; round++) {
      const attack = { ...campaign, random: random.fork(`protobuf ${round}`), channel: target.channel, count: 1_500 };
      expect((await attackProtobuf(attack)).violations).toEqual([]);
      await health.expectServing();
      await measure();
    }
    for (const client of campaign.peers) {
      expect(await chainComplaint(client, campaign.seeds.signer, target.channel)).toBeUndefined();
    }
  }, 120_000);

  test('what puts nothing into blocks leaves nothing behind', async () => {
    const { random, target, health, seeds, leader } = campaign;
    const used: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const source = random.fork(`transport ${round}`);
      expect((await attackTls(source, nodes())).violations).toEqual([]);
      await attackHttp2(source, nodes(), { size: 200, waitMs: 80 });
      const refused = PEER_METHODS.filter(({ path }) => !path.endsWith('Submit'));
      const attack = { ...campaign, random: source, channel: target.channel, count: 400, methods: refused };
      expect((await attackProtobuf(attack)).violations).toEqual([]);
      await giveUp({ ...pressure(), random: source, seeds }, 200);
      expect((await sendLarge(leader, [30 * MEBIBYTE, 100 * MEBIBYTE + 1])).violations).toEqual([]);
      await health.expectServing();
      used.push(await settledBytes());
    }
    expect(Math.max(...used) - (used[0] ?? 0)).toBeLessThan(MAX_GROWTH_BYTES);
    expect((await measure()).resources['TCPSocketWrap']).toBeLessThan(20);
  }, 120_000);

  test('a chaincode in all its bad ways', async () => {
    const { random, seeds, peers, chaincode, health } = campaign;
    const before = usedBytes(await measure());
    const report = await attackByChaincode({ random, seeds, peers, chaincode });
    expect(report.violations).toEqual([]);
    await health.expectServing();
    expect(usedBytes(await measure()) - before).toBeLessThan(2 * MAX_GROWTH_BYTES);
    expect(chaincode.open()).toBeLessThan(20);
  }, 120_000);

  describe('with large events in twelve blocks', () => {
    beforeAll(async () => {
      campaign.chaincode.behave('large events');
      for (let i = 0; i < 12; i++) await campaign.health.submitHostile();
    }, 60_000);

    test.each([DELIVER, ORDERER_DELIVER, CHAINCODE_EVENTS])(
      '200 unread streams of $path keep one message each',
      async (method) => {
        const before = await settledBytes();
        const end = await openUnread(pressure(), method, 200);
        await sleep(1_000);
        const { heapBytes, externalBytes } = await campaign.target.measure();
        end();
        // One is 40 MiB for all of them, all twelve are 470 MiB.
        expect(heapBytes + externalBytes - before).toBeLessThan(128 * MEBIBYTE);
        await campaign.health.expectServing();
      },
      30_000,
    );
  });

  test('2,500 streams of blocks are served at once, more are refused with Fabric’s words', async () => {
    const texts = await crowd(pressure(), DELIVER, 2_700, 20);
    expect(new Set(texts)).toEqual(
      new Set(['2 too many requests for /protos.Deliver, exceeding concurrency limit (2500)']),
    );
    await campaign.health.expectServing();
  }, 60_000);

  test('large messages that never become whole are cut off when there are too many', async () => {
    const end = await holdBack(pressure(), 7, 90 * MEBIBYTE);
    const { externalBytes } = await campaign.target.measure();
    expect(externalBytes).toBeLessThan(900 * MEBIBYTE);
    await campaign.health.expectServing();
    end();
    await sleep(300);
    await measure();
  }, 60_000);

  test('of too many connections the idle ones go, and honest clients are served', async () => {
    const idle = await openIdle(campaign.target.orderer, 1_100);
    await campaign.health.expectServing();
    const open = idle.open();
    idle.end();
    expect(open).toBeLessThanOrEqual(1_000);
  }, 60_000);

  test('a connection without HTTP/2 on it is ended after five seconds', async () => {
    const socket = connectHttp2(campaign.target.orderer);
    const started = performance.now();
    await new Promise<void>((resolve) => {
      socket.on('error', () => undefined);
      socket.on('close', () => resolve());
      socket.resume();
    });
    expect(performance.now() - started).toBeGreaterThan(4_500);
    expect(performance.now() - started).toBeLessThan(9_000);
  }, 20_000);
});

describe('a run sees that something is wrong', () => {
  test.each(['throw', 'reject'] as const)(
    'an uncaught %s in the process',
    async (defect) => {
      const campaign = await startCampaign(1);
      await campaign.target.plant(defect);
      await sleep(300);
      await expect(campaign.health.expectServing()).rejects.toThrow('planted');
      await campaign.stop();
    },
    30_000,
  );

  test('a leak', async () => {
    const campaign = await startCampaign(1);
    const before = usedBytes(await campaign.target.measure());
    await campaign.target.plant('leak');
    await sleep(1_500);
    const growth = usedBytes(await campaign.target.measure()) - before;
    await campaign.stop();
    expect(growth).toBeGreaterThan(MAX_GROWTH_BYTES);
  }, 30_000);
});
