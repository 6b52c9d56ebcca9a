import { batchesOf, batchOf, zeroHash, type TestBatch } from './harness/batches.ts';
import { startChaincode, type RunningChaincode } from './harness/chaincode-process.ts';
import {
  createConsortium,
  parseAnswer,
  register,
  type TestChannel,
  type TestOrganisation,
} from './harness/consortium.ts';

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

  const refusalOf = (...batches: readonly TestBatch[]) => channel.refusal(a.center, 'evidence:record', batches);

  test('a center records a batch of its outlet and everybody reads it back', async () => {
    const batch = batchOf(a.outlet, 1);
    const outcome = await channel.simulate(a.center, 'evidence:record', [batch]);
    expect(outcome.message).toBe('');
    expect(Buffer.from(outcome.payload).toString()).toBe(
      '{"results":[{"id":"Org1MSP/outlet-1/1","repeated":false}],"v":1}',
    );
    expect(outcome.event?.name).toBe('evidence.recorded');
    expect(Buffer.from(outcome.event?.payload ?? []).toString()).toBe('{"keys":["Org1MSP/outlet-1/1"],"v":1}');
    expect(channel.state.commit(outcome)).toBe('VALID');
    const stored = parseAnswer(await channel.simulate(b.outlet, 'evidence:get', 'Org1MSP/outlet-1/1'));
    expect(stored).toEqual({ v: 1, msp: 'Org1MSP', node: 'center', ...batch });
  });

  test('what is stored is JSON with sorted keys under the documented composite key', async () => {
    const batch = batchOf(a.outlet, 1);
    await channel.submit(a.center, 'evidence:record', [batch]);
    const stored = channel.state.get('\u0000evidence\u0000Org1MSP\u0000outlet-1\u00000000000000000001\u0000');
    const value = { ...batch, msp: 'Org1MSP', node: 'center', v: 1 };
    expect(Buffer.from(stored?.value ?? []).toString()).toBe(JSON.stringify(value, Object.keys(value).sort()));
  });

  test('the default contract is evidence: record works without its name', async () => {
    await channel.submit(a.center, 'record', [batchOf(a.outlet, 1)]);
  });

  test('64 batches go in one transaction, each linked to the one before, in any order, with one event', async () => {
    const batches = [...batchesOf(a.outlet, 1, 64)].reverse();
    const outcome = await channel.simulate(a.center, 'evidence:record', batches);
    expect((parseAnswer(outcome)['results'] as { id: string }[]).map(({ id }) => id)).toEqual(
      batches.map(({ seq }) => `Org1MSP/outlet-1/${String(seq)}`),
    );
    expect((JSON.parse(Buffer.from(outcome.event?.payload ?? []).toString()) as { keys: string[] }).keys).toHaveLength(
      64,
    );
    expect(outcome.writes.size).toBe(64);
    expect(outcome.ranges).toEqual([]);
    expect(channel.state.commit(outcome)).toBe('VALID');
    await channel.submit(a.center, 'evidence:record', batchesOf(a.outlet, 65, 2));
  });

  test('65 batches, or none, are refused', async () => {
    expect((await refusalOf(...batchesOf(a.outlet, 1, 65))).code).toBe('INPUT_INVALID');
    expect(await refusalOf()).toEqual({
      code: 'INPUT_INVALID',
      details: { place: 'batches', reason: 'has not 1 to 64 items' },
    });
  });

  describe('write-once', () => {
    test('the same content again is repeated: no write, no event, also from another center and after the outlet was revoked', async () => {
      const standby = await a.authority.issue('center-2');
      await register(channel, a, standby, 'center');
      const batch = batchOf(a.outlet, 1);
      await channel.submit(a.center, 'evidence:record', [batch]);
      await channel.submit(a.admin, 'participants:revokeNode', { enrolmentId: 'outlet-1', reason: 'ceased' });
      const outcome = await channel.simulate(standby, 'evidence:record', [batch]);
      expect(parseAnswer(outcome)).toEqual({ v: 1, results: [{ id: 'Org1MSP/outlet-1/1', repeated: true }] });
      expect([outcome.writes.size, outcome.event]).toEqual([0, undefined]);
    });

    test.each<[keyof TestBatch, Partial<TestBatch>]>([
      ['batchHash', { batchHash: 'ab'.repeat(32) }],
      ['root', { root: 'ab'.repeat(32) }],
      ['cid', { cid: batchOf({ enrolmentId: 'x', mspId: 'y' } as TestOrganisation['outlet'], 9).cid }],
      ['count', { count: 4 }],
      ['collectedFrom', { collectedFrom: '2026-01-02T03:04:05.005Z' }],
      ['collectedTo', { collectedTo: '2026-01-02T03:04:07.000Z' }],
      ['certificate', { certificate: 'ab'.repeat(32) }],
    ])('other content (%s) under a recorded id is a conflict', async (_field, changes) => {
      await channel.submit(a.center, 'evidence:record', [batchOf(a.outlet, 1)]);
      expect(await refusalOf(batchOf(a.outlet, 1, changes))).toEqual({
        code: 'CONFLICT',
        details: { id: 'Org1MSP/outlet-1/1' },
      });
    });

    test('two centers that record at once: one is valid, the other conflicts and then repeats', async () => {
      const batch = batchOf(a.outlet, 1);
      const [first, second] = await Promise.all([
        channel.simulate(a.center, 'evidence:record', [batch]),
        channel.simulate(a.center, 'evidence:record', [batch]),
      ]);
      expect([channel.state.commit(first), channel.state.commit(second)]).toEqual(['VALID', 'MVCC_READ_CONFLICT']);
      const again = await channel.submit(a.center, 'evidence:record', [batch]);
      expect(again['results']).toEqual([{ id: 'Org1MSP/outlet-1/1', repeated: true }]);
    });

    test('outlets do not wait for each other: two in one block are both valid', async () => {
      const other = await a.authority.issue('outlet-2');
      await register(channel, a, other, 'outlet');
      const outcomes = await Promise.all([
        channel.simulate(a.center, 'evidence:record', [batchOf(a.outlet, 1)]),
        channel.simulate(a.center, 'evidence:record', [batchOf(other, 1)]),
        channel.simulate(b.center, 'evidence:record', [batchOf(b.outlet, 1)]),
      ]);
      expect(outcomes.map((outcome) => channel.state.commit(outcome))).toEqual(['VALID', 'VALID', 'VALID']);
    });
  });

  describe('order', () => {
    test('a batch whose predecessor is nowhere is a gap', async () => {
      expect(await refusalOf(batchOf(a.outlet, 2))).toEqual({
        code: 'SEQUENCE_GAP',
        details: { id: 'Org1MSP/outlet-1/2', reason: 'missing', seq: 2 },
      });
      expect((await refusalOf(batchOf(a.outlet, 1), batchOf(a.outlet, 3))).code).toBe('SEQUENCE_GAP');
    });

    test('a batch that links to another hash than its predecessor has is a gap, on chain and within a call', async () => {
      const fork = batchOf(a.outlet, 2, { prev: 'cd'.repeat(32) });
      expect((await refusalOf(batchOf(a.outlet, 1), fork)).details).toMatchObject({ reason: 'prev', seq: 2 });
      await channel.submit(a.center, 'evidence:record', [batchOf(a.outlet, 1)]);
      expect(await refusalOf(fork)).toMatchObject({ code: 'SEQUENCE_GAP', details: { reason: 'prev' } });
    });

    test('a predecessor in the call that contradicts the chain does not help: conflict', async () => {
      await channel.submit(a.center, 'evidence:record', [batchOf(a.outlet, 1)]);
      const forged = batchOf(a.outlet, 1, { batchHash: 'cd'.repeat(32) });
      const next = batchOf(a.outlet, 2, { prev: 'cd'.repeat(32) });
      expect((await refusalOf(next, forged)).code).toBe('CONFLICT');
    });

    test('the predecessor of another organisation does not count', async () => {
      await channel.submit(b.center, 'evidence:record', [batchOf(b.outlet, 1)]);
      expect((await refusalOf(batchOf(a.outlet, 2))).code).toBe('SEQUENCE_GAP');
    });

    test('one bad batch and none is recorded', async () => {
      const outcome = await channel.simulate(a.center, 'evidence:record', [batchOf(a.outlet, 1), batchOf(a.outlet, 3)]);
      expect(outcome.status).toBe(500);
      expect(outcome.event).toBeUndefined();
    });

    test('the same id twice in a call is refused', async () => {
      expect(await refusalOf(batchOf(a.outlet, 1), batchOf(a.outlet, 1))).toMatchObject({
        code: 'INPUT_INVALID',
        details: { place: 'batches[1]' },
      });
    });
  });

  const good = 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';
  test.each<[string, object]>([
    ['seq 0', { seq: 0 }],
    ['seq 2^53', { seq: 2 ** 53 }],
    ['seq with a fraction', { seq: 1.5 }],
    ['seq as text', { seq: '1' }],
    ['prev not zero for seq 1', { prev: 'ab'.repeat(32) }],
    ['prev zero for seq 2', { seq: 2, prev: zeroHash }],
    ['upper-case hex', { root: 'AB'.repeat(32) }],
    ['hex too short', { batchHash: 'ab'.repeat(31) }],
    ['hex too long', { batchHash: 'ab'.repeat(33) }],
    ['count 0', { count: 0 }],
    ['count 10,001', { count: 10_001 }],
    ['a CID of a raw block', { cid: 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy' }],
    ['a CIDv0', { cid: 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG' }],
    ['a CID in upper case', { cid: good.toUpperCase() }],
    ['a CID with bits after its end', { cid: `${good.slice(0, -1)}z` }],
    ['a CID with another digest length', { cid: good.slice(0, -2) }],
    ['an identity CID', { cid: 'bafyqabaoafrgcztbmfrq' }],
    ['a time without milliseconds', { collectedFrom: '2026-01-02T03:04:05Z' }],
    ['a time in another zone', { collectedFrom: '2026-01-02T03:04:05.000+00:00' }],
    ['a day that is not', { collectedFrom: '2026-02-30T03:04:05.000Z' }],
    ['an end before the beginning', { collectedTo: '2026-01-01T00:00:00.000Z' }],
    ['a certificate digest that is none', { certificate: 'x' }],
    ['a field that is not known', { msp: 'Org2MSP' }],
    ['another node', { node: 'center' }],
    ['an outlet that is a number', { outlet: 7 }],
  ])('%s is refused as input', async (_name, changes) => {
    const batch = { ...batchOf(a.outlet, 1), ...changes };
    const { code, details } = await channel.refusal(a.center, 'evidence:record', [batch]);
    expect(code).toBe('INPUT_INVALID');
    expect(details['place']).toMatch(/^batches\[0\]/);
  });

  test('a missing field is refused by its name', async () => {
    const batch = { ...batchOf(a.outlet, 1), root: undefined };
    expect((await channel.refusal(a.center, 'evidence:record', [batch])).details).toEqual({
      place: 'batches[0].root',
      reason: 'is missing',
    });
  });

  test('the largest count and the published example CID are taken', async () => {
    await channel.submit(a.center, 'evidence:record', [batchOf(a.outlet, 1, { count: 10_000, cid: good })]);
  });

  test('a transaction whose time is over five minutes off is refused, in either direction', async () => {
    const at = async (offsetMs: number) => {
      const call = { name: 'evidence:record', args: [JSON.stringify([batchOf(a.outlet, 1)])], creator: a.center };
      return (await chaincode.peer.invoke({ ...call, timestampMs: Date.now() + offsetMs }, channel.state)).message;
    };
    const stale = 'WAYMARK_MESSAGE_STALE: {"maximumSkewMs":300000,"reason":"transaction-time"}';
    expect(await at(-6 * 60_000)).toBe(stale);
    expect(await at(6 * 60_000)).toBe(stale);
    expect(await at(73 * 365 * 24 * 3600_000)).toBe(stale);
    expect(await at(-4 * 60_000)).toBe('');
    expect(await at(4 * 60_000)).toBe('');
  });
});
