import { chainComplaint } from './chain.ts';
import { startCampaign, usedBytes, type Campaign } from './attacks/campaign.ts';
import { attackByChaincode } from './attacks/hostile-rounds.ts';
import { attackHttp2 } from './attacks/http2.ts';
import { giveUp, sendLarge } from './attacks/pressure.ts';
import { attackProtobuf } from './attacks/protobuf.ts';
import { attackTls } from './attacks/tls.ts';

/** Always the same inputs; `fuzz.long.test.ts` takes others. */
const SEED = 20_240_607;
const MAX_GROWTH_BYTES = 64 * 1024 * 1024;
/** Behaviours of a chaincode that registers and answers: the others cost a time-out each. */
const QUICK_BEHAVIOURS = ['mutated requests', 'garbage as the answer', 'hostile answers'];

describe(`a devnet under fixed hostile input (seed ${SEED})`, () => {
  let campaign: Campaign;
  let before: number;
  beforeAll(async () => {
    campaign = await startCampaign(SEED);
    before = usedBytes(await campaign.target.measure());
  });
  afterEach(() => campaign.health.expectServing());
  afterAll(() => campaign.stop());

  const nodes = () => [...campaign.target.peers, campaign.target.orderer];

  test('damaged protobuf on every method of every port gets answers that Fabric could give', async () => {
    const { random, target } = campaign;
    const report = await attackProtobuf({
      ...campaign,
      random: random.fork('protobuf'),
      channel: target.channel,
      count: 300,
    });
    expect(report.violations).toEqual([]);
    expect(report.sent).toBe(300);
    // Past the signature checks as well: some damage does no harm.
    expect(report.answers['0']).toBeGreaterThan(30);
    for (const client of campaign.peers) {
      expect(await chainComplaint(client, campaign.seeds.signer, target.channel)).toBeUndefined();
    }
  });

  test('hostile TLS input does no harm, and old TLS is not spoken', async () => {
    const report = await attackTls(campaign.random.fork('tls'), nodes());
    expect(report.violations).toEqual([]);
    expect(report.sent).toBe(57);
  });

  test('hostile HTTP/2 frames do no harm', async () => {
    const report = await attackHttp2(campaign.random.fork('http2'), nodes(), { size: 40, waitMs: 40 });
    expect(report.answers['not connected']).toBeUndefined();
    expect(report.sent).toBe(123);
  });

  test('a chaincode that speaks garbage harms its own transactions only', async () => {
    const { random, seeds, peers, chaincode } = campaign;
    const report = await attackByChaincode({ random, seeds, peers, chaincode, behaviours: QUICK_BEHAVIOURS });
    expect(report.violations).toEqual([]);
    expect(report.sent).toBe(QUICK_BEHAVIOURS.length * 6);
  });

  test('messages over the limit are refused, calls given up are forgotten', async () => {
    const { random, seeds, leader, target } = campaign;
    const [peer] = target.peers;
    if (peer === undefined) throw new Error('no peer');
    expect((await sendLarge(leader, [1024 * 1024, 100 * 1024 * 1024 + 1])).violations).toEqual([]);
    await giveUp({ random, seeds, peer, orderer: target.orderer }, 150);
  });

  test('memory is as it was, connections are gone', async () => {
    const { heapBytes, externalBytes, resources } = await campaign.target.measure();
    expect(heapBytes + externalBytes - before).toBeLessThan(MAX_GROWTH_BYTES);
    expect(resources['TCPSocketWrap']).toBeLessThan(20);
  });
});
