import { startChaincode, type RunningChaincode } from './harness/chaincode-process.ts';
import { batchesOf, batchOf } from './harness/batches.ts';
import { createConsortium, parseAnswer, type TestChannel, type TestOrganisation } from './harness/consortium.ts';

describe('evidence:record over the real shim (S5)', () => {
  let chaincode: RunningChaincode;
  let channel: TestChannel;
  let a: TestOrganisation;
  let b: TestOrganisation;

  beforeAll(async () => {
    chaincode = await startChaincode();
  });
  beforeEach(async () => {
    ({ channel, a, b } = await createConsortium(chaincode));
  });
  afterAll(() => chaincode.stop());

  test('a center records a batch of its outlet and everybody reads it back', async () => {
    const batch = batchOf(a.outlet, 1);
    const outcome = await channel.simulate(a.center, 'evidence:record', [batch]);
    expect(outcome.message).toBe('');
    expect(parseAnswer(outcome)).toEqual({ v: 1, results: [{ id: 'Org1MSP/outlet-1/1', repeated: false }] });
    expect(outcome.event?.name).toBe('evidence.recorded');
    expect(Buffer.from(outcome.event?.payload ?? []).toString()).toBe('{"keys":["Org1MSP/outlet-1/1"],"v":1}');
    expect(channel.state.commit(outcome)).toBe('VALID');
    const stored = parseAnswer(await channel.simulate(b.outlet, 'evidence:get', 'Org1MSP/outlet-1/1'));
    expect(stored).toEqual({ v: 1, msp: 'Org1MSP', node: 'center', ...batch });
  });

  test('64 batches go in one transaction, each linked to the one before', async () => {
    const answer = await channel.submit(a.center, 'evidence:record', batchesOf(a.outlet, 1, 64));
    expect(answer['results']).toHaveLength(64);
    await channel.submit(a.center, 'evidence:record', batchesOf(a.outlet, 65, 2));
  });
});
