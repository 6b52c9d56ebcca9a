import { batchesOf, batchOf } from './harness/batches.ts';
import { startChaincode, type RunningChaincode } from './harness/chaincode-process.ts';
import { createConsortium, register, type TestChannel, type TestOrganisation } from './harness/consortium.ts';

interface Item {
  readonly seq: number;
}

describe('reading evidence (S7)', () => {
  let chaincode: RunningChaincode;
  let channel: TestChannel;
  let a: TestOrganisation;

  beforeAll(async () => {
    chaincode = await startChaincode();
    ({ channel, a } = await createConsortium(chaincode));
    for (let seq = 1; seq < 250; seq += 50)
      await channel.submit(a.center, 'evidence:record', batchesOf(a.outlet, seq, 50));
    // Neighbours in key order: an id that begins like the outlet's, and one that ends where it begins.
    const neighbour = await a.authority.issue('outlet-10');
    await register(channel, a, neighbour, 'outlet');
    await channel.submit(a.center, 'evidence:record', [batchOf(neighbour, 1)]);
  });
  afterAll(() => chaincode.stop());

  const list = async (fromSeq: string, limit: string, outlet = 'outlet-1') => {
    const { items, next } = await channel.submit(a.outlet, 'evidence:list', 'Org1MSP', outlet, fromSeq, limit);
    return { seqs: (items as Item[]).map(({ seq }) => seq), next };
  };

  test('list pages through an outlet in order and stops at its end', async () => {
    expect(await list('1', '3')).toEqual({ seqs: [1, 2, 3], next: 4 });
    expect((await list('100', '100')).seqs).toEqual(Array.from({ length: 100 }, (_, index) => 100 + index));
    expect(await list('249', '100')).toEqual({ seqs: [249, 250], next: null });
    expect(await list('251', '1')).toEqual({ seqs: [], next: null });
    expect(await list('9007199254740991', '1')).toEqual({ seqs: [], next: null });
    expect(await list('1', '100', 'outlet-10')).toEqual({ seqs: [1], next: null });
    expect(await list('1', '100', 'outlet-')).toEqual({ seqs: [], next: null });
  });

  test.each([
    ['0', '1'],
    ['1', '0'],
    ['1', '101'],
    ['01', '1'],
    ['1e1', '1'],
    ['-1', '1'],
    ['9007199254740992', '1'],
    ['', '1'],
    ['1', ' 1'],
  ])('list from %j with limit %j is refused', async (fromSeq, limit) => {
    expect((await channel.refusal(a.outlet, 'evidence:list', 'Org1MSP', 'outlet-1', fromSeq, limit)).code).toBe(
      'INPUT_INVALID',
    );
  });

  test('getMany answers in the order asked, with null for what is not there', async () => {
    const ids = ['Org1MSP/outlet-1/7', 'Org1MSP/outlet-1/251', 'Org2MSP/outlet-1/1', 'Org1MSP/outlet-1/7'];
    const { items } = await channel.submit(a.outlet, 'evidence:getMany', ids);
    expect((items as (Item | null)[]).map((item) => item?.seq)).toEqual([7, undefined, undefined, 7]);
  });

  test('getMany takes 100 ids and refuses 101 and none', async () => {
    const ids = Array.from({ length: 101 }, (_, index) => `Org1MSP/outlet-1/${String(index + 1)}`);
    expect((await channel.submit(a.outlet, 'evidence:getMany', ids.slice(0, 100)))['items']).toHaveLength(100);
    expect((await channel.refusal(a.outlet, 'evidence:getMany', ids)).code).toBe('INPUT_INVALID');
    expect((await channel.refusal(a.outlet, 'evidence:getMany', [])).code).toBe('INPUT_INVALID');
  });

  test('get of what is not there is refused', async () => {
    expect(await channel.refusal(a.outlet, 'evidence:get', 'Org1MSP/outlet-1/9999')).toEqual({
      code: 'REFUSED',
      details: { id: 'Org1MSP/outlet-1/9999', reason: 'not-there' },
    });
  });

  test.each([
    '',
    'Org1MSP',
    'Org1MSP/outlet-1',
    'Org1MSP/outlet-1/0',
    'Org1MSP/outlet-1/01',
    'Org1MSP/outlet-1/1/1',
    'Org1MSP//1',
    '/outlet-1/1',
    'Org1MSP/outlet-1/9007199254740992',
    'Org1MSP/outlet-1/1\u0000',
    'Org1MSP/outlet\u0000-1/1',
    'Org1MSP/outlet\u{10ffff}/1',
    'Org1MSP/cafe\u0301/1',
    `Org1MSP/${'x'.repeat(257)}/1`,
  ])('%j is not an evidence id', async (id) => {
    expect((await channel.refusal(a.outlet, 'evidence:get', id)).code).toBe('INPUT_INVALID');
    expect((await channel.refusal(a.outlet, 'evidence:history', id)).code).toBe('INPUT_INVALID');
  });

  test('history shows the one transaction that wrote the evidence', async () => {
    const { items } = await channel.submit(a.outlet, 'evidence:history', 'Org1MSP/outlet-1/3');
    expect(items).toEqual([
      {
        claimedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
        isDelete: false,
        txId: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        value: { v: 1, msp: 'Org1MSP', node: 'center', ...batchOf(a.outlet, 3) },
      },
    ]);
    expect((await channel.submit(a.outlet, 'evidence:history', 'Org1MSP/outlet-1/9999'))['items']).toEqual([]);
  });

  test('no reading function writes, and every range it reads is a page', async () => {
    for (const [name, ...args] of [
      ['evidence:get', 'Org1MSP/outlet-1/1'],
      ['evidence:getMany', '["Org1MSP/outlet-1/1"]'],
      ['evidence:history', 'Org1MSP/outlet-1/1'],
      ['evidence:list', 'Org1MSP', 'outlet-1', '1', '100'],
      ['participants:listNodes', 'Org1MSP', '', '100'],
      ['participants:listOrganisations'],
    ] as const) {
      const outcome = await channel.simulate(a.outlet, name, ...args);
      expect([name, outcome.status, outcome.writes.size, outcome.event, outcome.ranges]).toEqual([
        name,
        200,
        0,
        undefined,
        [],
      ]);
    }
  });
});
