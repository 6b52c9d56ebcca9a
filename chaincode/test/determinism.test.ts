import { createHash } from 'node:crypto';
import { createWorldState, type ShimCall, type ShimOutcome, type WorldState } from '@waymark/testing/shim-peer';
import { batchesOf } from './harness/batches.ts';
import { startChaincode, type RunningChaincode } from './harness/chaincode-process.ts';
import { createConsortium, type TestChannel, type TestOrganisation } from './harness/consortium.ts';
import { anchorArgument, createTestLedger, registerTestLedger, type TestLedger } from './harness/private-ledger.ts';

/** Everything two endorsers must agree on, as bytes. */
function proposalResponse(outcome: ShimOutcome): string {
  return JSON.stringify({
    status: outcome.status,
    message: outcome.message,
    payload: Buffer.from(outcome.payload).toString('hex'),
    event: outcome.event && [outcome.event.name, Buffer.from(outcome.event.payload).toString('hex')],
    reads: [...outcome.reads.keys()].sort(),
    writes: [...outcome.writes].map(([key, value]) => [key, value && Buffer.from(value).toString('hex')]).sort(),
    ranges: outcome.ranges,
  });
}

/** The same values, put in in the opposite order. */
function reversed(state: WorldState): WorldState {
  const copy = createWorldState();
  const writes = new Map([...state.range('', '')].reverse().map(([key, { value }]) => [key, value]));
  const none = { status: 200, message: '', payload: new Uint8Array(), reads: new Map<string, undefined>(), ranges: [] };
  copy.commit({ txId: '0', timestampMs: 0, writes, ...none });
  return copy;
}

describe('two endorsers agree', () => {
  let used: RunningChaincode;
  let fresh: RunningChaincode;
  let channel: TestChannel;
  let a: TestOrganisation;
  let b: TestOrganisation;
  let ledger: TestLedger;

  beforeAll(async () => {
    // Another time zone and locale, and a process that has done nothing yet.
    [used, fresh] = await Promise.all([
      startChaincode(),
      startChaincode({ env: { TZ: 'Asia/Tokyo', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' } }),
    ]);
    ({ channel, a, b } = await createConsortium(used));
    await channel.submit(a.center, 'evidence:record', batchesOf(a.outlet, 1, 10));
    ledger = await createTestLedger(a);
    await registerTestLedger(channel, a, ledger);
    ledger.elect('center-1');
    ledger.submit('department-1');
    ledger.submit('department-2');
  });
  afterAll(async () => {
    await Promise.all([used.stop(), fresh.stop()]);
  });

  test.each<[string, () => ShimCall]>([
    [
      'record',
      () => ({
        name: 'evidence:record',
        args: [JSON.stringify([...batchesOf(a.outlet, 5, 40)].reverse())],
        creator: a.center,
      }),
    ],
    [
      'a refusal',
      () => ({ name: 'evidence:record', args: [JSON.stringify(batchesOf(b.outlet, 3, 1))], creator: b.center }),
    ],
    [
      'propose',
      () => ({
        name: 'participants:propose',
        args: ['{"kind":"admit","mspId":"İMSP","role":"seller"}'],
        creator: a.admin,
      }),
    ],
    [
      'registerNode',
      () => ({
        name: 'participants:registerNode',
        args: [
          JSON.stringify({
            enrolmentId: 'ı',
            kind: 'outlet',
            certificates: ['b', 'a', 'c'].map((digit) => digit.repeat(64)),
          }),
        ],
        creator: a.admin,
      }),
    ],
    ['list', () => ({ name: 'evidence:list', args: ['Org1MSP', 'outlet-1', '2', '5'], creator: a.outlet })],
    ['history', () => ({ name: 'evidence:history', args: ['Org1MSP/outlet-1/99'], creator: a.outlet })],
    [
      'anchor',
      () => ({
        name: 'anchors:anchor',
        args: [anchorArgument(ledger.anchorOf(1, 2, { withElection: true }))],
        creator: a.center,
      }),
    ],
    [
      'an anchor that is refused',
      () => ({ name: 'anchors:anchor', args: [anchorArgument(ledger.anchorOf(1, 2))], creator: a.center }),
    ],
    ['the ledger', () => ({ name: 'anchors:ledger', args: ['Org1MSP'], creator: a.outlet })],
    ['metadata', () => ({ name: 'org.hyperledger.fabric:GetMetadata', args: [], creator: a.outlet })],
  ])(
    '%s: a used process and a fresh one, over states filled in another order, answer the same bytes',
    async (name, call) => {
      const fixed = { ...call(), nonce: createHash('sha256').update(name).digest(), timestampMs: Date.now() };
      const [one, two] = await Promise.all([
        used.peer.invoke(fixed, channel.state),
        fresh.peer.invoke(fixed, reversed(channel.state)),
      ]);
      const again = await used.peer.invoke({ ...fixed, timestampMs: fixed.timestampMs + 1000 }, channel.state);
      expect(proposalResponse(two)).toBe(proposalResponse(one));
      expect(proposalResponse(again)).toBe(proposalResponse(one));
    },
  );

  test('invocations that run at once do not see each other', async () => {
    const calls = Array.from({ length: 20 }, (_, index) => ({
      name: 'evidence:record',
      args: [JSON.stringify(batchesOf(a.outlet, 11, index + 1))],
      creator: a.center,
      nonce: createHash('sha256').update(String(index)).digest(),
    }));
    const together = await Promise.all(calls.map((call) => used.peer.invoke(call, channel.state)));
    for (const [index, call] of calls.entries()) {
      const alone = await fresh.peer.invoke(call, channel.state);
      expect(proposalResponse(together[index] ?? alone)).toBe(proposalResponse(alone));
      expect(alone.writes.size).toBe(index + 1);
    }
  });

  test('the contract metadata names waymark and its contracts, and which functions write', async () => {
    const { payload } = await used.peer.invoke(
      { name: 'org.hyperledger.fabric:GetMetadata', args: [], creator: a.outlet },
      channel.state,
    );
    const metadata = JSON.parse(Buffer.from(payload).toString()) as {
      contracts: Record<string, { info: object; transactions: { name: string; tag: string[] }[] }>;
    };
    const evaluated = (contract: string) =>
      metadata.contracts[contract]?.transactions
        .filter(({ tag }) => tag.includes('EVALUATE'))
        .map(({ name }) => name)
        .sort();
    expect(metadata.contracts['evidence']?.info).toMatchObject({ title: 'waymark', version: '0.1.0' });
    expect(evaluated('evidence')).toEqual(['get', 'getMany', 'history', 'list']);
    expect(evaluated('anchors')).toEqual([
      'certificate',
      'configuration',
      'get',
      'getReport',
      'ledger',
      'list',
      'listReports',
    ]);
    expect(evaluated('participants')).toEqual([
      'getKey',
      'getKeyHistory',
      'getNode',
      'getOrganisation',
      'getProposal',
      'listNodes',
      'listOrganisations',
    ]);
  });
});
