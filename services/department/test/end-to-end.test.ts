import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  startTestConsortium,
  submitClient,
  type SubmitClient,
  type TestConsortium,
  type TestIdentity,
  type TestService,
} from '@waymark/testing/consortium';

let consortium: TestConsortium;
let center: Awaited<ReturnType<TestConsortium['firms'][0]['center']>>;
let outlet: Awaited<ReturnType<TestConsortium['firms'][0]['outlet']>>;
let client: SubmitClient;
let person: TestIdentity;

beforeAll(async () => {
  consortium = await startTestConsortium();
  const [north] = consortium.firms;
  center = await north.center('center');
  await center.start();
  outlet = await north.outlet('depot', center);
  await outlet.start();
  person = await north.enrol('client-1', 'client');
  client = submitClient(north, outlet.ports.grpc, person);
}, 60_000);

afterAll(async () => {
  client.close();
  for (const service of [outlet, center] as TestService<unknown>[]) await service.stop();
  await consortium.stop();
});

describe('S3, S5: a record on its way', () => {
  test('a submitted record is accepted, then anchored', async () => {
    const [outcome] = await client.submit([{ eventId: 'e-1' }]);
    expect(outcome).toMatchObject({
      accepted: { evidenceId: 'NorthMSP/depot/1', state: 'accepted' },
      anchored: { evidenceId: 'NorthMSP/depot/1', state: 'anchored' },
    });
  });
});
