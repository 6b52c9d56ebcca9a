import {
  caughtUp,
  metric,
  startTestConsortium,
  submitClient,
  type SubmitClient,
  type TestConsortium,
  type TestFirm,
  until,
} from '@waymark/testing/consortium';

type Center = Awaited<ReturnType<TestFirm['center']>>;
type Outlet = Awaited<ReturnType<TestFirm['outlet']>>;

describe('S5, P: a center whose configuration names the client fabric-network', () => {
  let consortium: TestConsortium;
  let north: TestFirm;
  let center: Center;
  let outlet: Outlet;
  let client: SubmitClient;

  beforeAll(async () => {
    consortium = await startTestConsortium();
    [north] = consortium.firms;
    const person = await north.enrol('client-1', 'client');
    const { gateway } = north.organisation;
    const ledger = { client: 'fabric-network', endpoint: gateway.address, tlsRootFile: gateway.tlsRootCertPath };
    center = await north.center('center', { ledger });
    await center.start();
    outlet = await north.outlet('depot', center);
    await outlet.start();
    await caughtUp(consortium, center, outlet);
    client = submitClient(north, outlet.ports.grpc, person);
  }, 60_000);
  afterAll(async () => {
    client.close();
    await outlet.stop();
    await center.stop();
    await consortium.stop();
  });

  test('anchors what outlets bring, each batch once, and reads its evidence back from the channel', async () => {
    const records = Array.from({ length: 100 }, (_, index) => ({ eventId: `event-${String(index)}` }));
    const outcomes = await client.submit(records);
    const anchored = outcomes.map((outcome) => outcome.anchored);
    expect(new Set(anchored.map((receipt) => receipt?.state))).toEqual(new Set(['anchored']));
    for (const evidenceId of new Set(anchored.map((receipt) => receipt?.evidenceId ?? ''))) {
      const evidence = JSON.parse(
        Buffer.from(await north.admin.evaluate('evidence', 'get', [evidenceId])).toString(),
      ) as Record<string, unknown>;
      const receipt = anchored.find((candidate) => candidate?.evidenceId === evidenceId);
      expect(evidence).toMatchObject({ batchHash: receipt?.batchHash, node: 'center' });
    }
  }, 60_000);

  test('a conflict stays a conflict, and a record that comes again gets its receipt again', async () => {
    const [first] = await client.submit([{ eventId: 'twice', payload: { n: 1 } }]);
    const [again] = await client.submit([{ eventId: 'twice', payload: { n: 1 } }]);
    expect(again?.anchored).toEqual({ ...first?.anchored, repeated: true });
    const [other] = await client.submit([{ eventId: 'twice', payload: { n: 2 } }]);
    expect(other?.failure?.code).toBe('conflict');
  }, 60_000);

  test('when its peer is away for a while, nothing is refused for it and everything is anchored after', async () => {
    const { devnet } = consortium;
    const [peer] = north.organisation.peers;
    const fault = await devnet.faults.failPeer(peer?.hostName ?? '');
    const submitted = client.submit([{ eventId: 'meanwhile' }]);
    await until(async () => (await metric(center, 'waymark_batches_pending')) > 0);
    await fault.heal();
    expect((await submitted)[0]?.anchored?.state).toBe('anchored');
    expect(await metric(center, 'waymark_batches_refused')).toBe(0);
  }, 90_000);
});
