import { startChaincode, type RunningChaincode } from './harness/chaincode-process.ts';
import {
  createChannel,
  createOrganisation,
  found,
  type Answer,
  type TestChannel,
  type TestOrganisation,
} from './harness/consortium.ts';

let chaincode: RunningChaincode;
let channel: TestChannel;
let a: TestOrganisation;
let b: TestOrganisation;
let c: TestOrganisation;
let d: TestOrganisation;

beforeAll(async () => {
  chaincode = await startChaincode();
  [a, b, c, d] = (await Promise.all(['Org1MSP', 'Org2MSP', 'Org3MSP', 'Org4MSP'].map(createOrganisation))) as [
    TestOrganisation,
    TestOrganisation,
    TestOrganisation,
    TestOrganisation,
  ];
});
beforeEach(() => {
  channel = createChannel(chaincode);
});
afterAll(() => chaincode.stop());

const reasonOf = async (...call: Parameters<TestChannel['refusal']>) => {
  const { code, details } = await channel.refusal(...call);
  return [code, details['reason']];
};

describe('founding', () => {
  const list = {
    organisations: [
      { mspId: 'Org2MSP', role: 'regulator', field: 'customs' },
      { mspId: 'Org1MSP', role: 'carrier' },
    ],
  };

  test('the consortium is founded when an admin of every listed organisation approved the same list', async () => {
    const first = await channel.submit(a.admin, 'participants:found', list);
    expect(first).toMatchObject({ state: 'open', approvals: ['Org1MSP'], needed: 2, repeated: false });
    expect(await reasonOf(a.admin, 'participants:listOrganisations')).toEqual(['REFUSED', 'not-founded']);
    const reversed = { organisations: [...list.organisations].reverse() };
    const second = await channel.submit(b.admin, 'participants:found', reversed);
    expect(second).toMatchObject({ hash: first['hash'], state: 'applied', approvals: ['Org1MSP', 'Org2MSP'] });
    expect(await channel.submit(a.outlet, 'participants:listOrganisations')).toEqual({
      v: 1,
      epoch: 1,
      foundedBy: first['hash'],
      organisations: [
        { mspId: 'Org1MSP', role: 'carrier' },
        { mspId: 'Org2MSP', role: 'regulator', field: 'customs' },
      ],
    });
    expect(await channel.submit(a.outlet, 'participants:getOrganisation', 'Org2MSP')).toEqual({
      v: 1,
      mspId: 'Org2MSP',
      role: 'regulator',
      field: 'customs',
      by: first['hash'],
    });
  });

  test('approval by hash does as well, and each approval is one organisation under its own key', async () => {
    const { hash } = await channel.submit(a.admin, 'participants:found', list);
    const outcome = await channel.simulate(b.admin, 'participants:approve', String(hash));
    expect([...outcome.writes.keys()]).toContain(`\u0000approval\u0000${String(hash)}\u0000Org2MSP\u0000`);
    expect(channel.state.commit(outcome)).toBe('VALID');
    expect((await channel.submit(a.admin, 'participants:listOrganisations'))['epoch']).toBe(1);
  });

  test('an approval again changes nothing, also after the founding', async () => {
    await channel.submit(a.admin, 'participants:found', list);
    const again = await channel.simulate(a.admin, 'participants:found', list);
    expect([again.writes.size, again.event]).toEqual([0, undefined]);
    await channel.submit(b.admin, 'participants:found', list);
    expect(await channel.submit(a.admin, 'participants:found', list)).toMatchObject({
      state: 'applied',
      repeated: true,
    });
  });

  test('a wrong list does not stand in the way of the right one, and dies with the founding', async () => {
    const wrong = { organisations: [...list.organisations, { mspId: 'Org3MSP', role: 'seller' }] };
    const { hash } = await channel.submit(a.admin, 'participants:found', wrong);
    await channel.submit(a.admin, 'participants:found', list);
    await channel.submit(b.admin, 'participants:found', list);
    expect(await reasonOf(c.admin, 'participants:approve', String(hash))).toEqual(['CONFLICT', 'proposal-dead']);
    expect(await channel.submit(a.admin, 'participants:getProposal', String(hash))).toMatchObject({
      state: { state: 'dead', approvals: ['Org1MSP'], needed: 3 },
    });
  });

  test('a second founding is a conflict', async () => {
    await found(channel, [a, b]);
    const other = { organisations: [...list.organisations, { mspId: 'Org3MSP', role: 'seller' }] };
    expect(await reasonOf(c.admin, 'participants:found', other)).toEqual(['CONFLICT', 'already-founded']);
  });

  test('two last approvals in one block conflict, and the later succeeds when sent again', async () => {
    const three = { organisations: [a, b, c].map(({ admin }) => ({ mspId: admin.mspId, role: 'carrier' })) };
    await channel.submit(a.admin, 'participants:found', three);
    const [second, third] = await Promise.all([
      channel.simulate(b.admin, 'participants:found', three),
      channel.simulate(c.admin, 'participants:found', three),
    ]);
    expect([channel.state.commit(second), channel.state.commit(third)]).toEqual(['VALID', 'MVCC_READ_CONFLICT']);
    expect(await channel.submit(c.admin, 'participants:found', three)).toMatchObject({ state: 'applied' });
  });

  test('only an admin of a listed organisation may propose or approve', async () => {
    expect(await reasonOf(a.center, 'participants:found', list)).toEqual(['ROLE_NOT_PERMITTED', 'not-an-admin']);
    expect(await reasonOf(c.admin, 'participants:found', list)).toEqual(['ROLE_NOT_PERMITTED', 'not-in-the-list']);
    const { hash } = await channel.submit(a.admin, 'participants:found', list);
    expect(await reasonOf(c.admin, 'participants:approve', String(hash))).toEqual(['ROLE_NOT_PERMITTED', 'no-vote']);
    expect(await reasonOf(b.outlet, 'participants:approve', String(hash))).toEqual([
      'ROLE_NOT_PERMITTED',
      'not-an-admin',
    ]);
    expect(await reasonOf(b.admin, 'participants:approve', 'ab'.repeat(32))).toEqual(['REFUSED', 'no-such-proposal']);
    expect((await channel.refusal(b.admin, 'participants:approve', 'AB')).code).toBe('INPUT_INVALID');
  });

  test.each<[string, object]>([
    ['one organisation', { organisations: [{ mspId: 'Org1MSP', role: 'carrier' }] }],
    ['an organisation twice', { organisations: [0, 1].map(() => ({ mspId: 'Org1MSP', role: 'carrier' })) }],
    ['a role that is none', { organisations: [{ mspId: 'Org1MSP', role: 'king' }, list.organisations[0]] }],
    [
      'a regulator without a field',
      { organisations: [{ mspId: 'Org1MSP', role: 'regulator' }, list.organisations[0]] },
    ],
    [
      'a carrier with a field',
      { organisations: [{ mspId: 'Org1MSP', role: 'carrier', field: 'tax' }, list.organisations[0]] },
    ],
    ['an MSP id with a slash', { organisations: [{ mspId: 'Org1/MSP', role: 'carrier' }, list.organisations[0]] }],
    [
      '65 organisations',
      { organisations: Array.from({ length: 65 }, (_, i) => ({ mspId: `M${String(i)}`, role: 'carrier' })) },
    ],
  ])('%s is refused as input', async (_name, input) => {
    expect((await channel.refusal(a.admin, 'participants:found', input)).code).toBe('INPUT_INVALID');
  });
});

describe('admission and change of role', () => {
  const admit = { kind: 'admit', mspId: 'Org4MSP', role: 'seller' };
  beforeEach(() => found(channel, [a, b, c]));

  test('a majority of the admitted organisations admits', async () => {
    const first = await channel.submit(a.admin, 'participants:propose', admit);
    expect(first).toMatchObject({ state: 'open', needed: 2, approvals: ['Org1MSP'] });
    expect(
      await reasonOf(d.admin, 'participants:registerNode', {
        enrolmentId: 'x',
        kind: 'center',
        certificates: ['ab'.repeat(32)],
      }),
    ).toEqual(['ROLE_NOT_PERMITTED', 'organisation-not-admitted']);
    const second = await channel.submit(c.admin, 'participants:approve', String(first['hash']));
    expect(second).toMatchObject({ state: 'applied', approvals: ['Org1MSP', 'Org3MSP'] });
    const members = await channel.submit(d.admin, 'participants:listOrganisations');
    expect(members['epoch']).toBe(2);
    expect((members['organisations'] as Answer[]).map(({ mspId }) => mspId)).toEqual([
      'Org1MSP',
      'Org2MSP',
      'Org3MSP',
      'Org4MSP',
    ]);
    await channel.submit(d.admin, 'participants:registerNode', {
      enrolmentId: 'x',
      kind: 'center',
      certificates: ['ab'.repeat(32)],
    });
  });

  test('the same proposal by a second organisation is its approval', async () => {
    const first = await channel.submit(a.admin, 'participants:propose', admit);
    const second = await channel.submit(b.admin, 'participants:propose', admit);
    expect(second).toMatchObject({ hash: first['hash'], state: 'applied' });
  });

  test('a lost answer is no harm: the same call again says what came of it', async () => {
    const first = await channel.submit(a.admin, 'participants:propose', admit);
    await channel.submit(b.admin, 'participants:approve', String(first['hash']));
    const applied = {
      hash: first['hash'],
      state: 'applied',
      approvals: ['Org1MSP', 'Org2MSP'],
      needed: 2,
      repeated: true,
    };
    expect(await channel.submit(a.admin, 'participants:propose', admit)).toMatchObject(applied);
    expect(await channel.submit(b.admin, 'participants:approve', String(first['hash']))).toMatchObject(applied);
  });

  test('a vote too many is refused, as is a vote for a proposal that another change has overtaken', async () => {
    const { hash } = await channel.submit(a.admin, 'participants:propose', admit);
    const overtaken = await channel.submit(a.admin, 'participants:propose', {
      kind: 'change-role',
      mspId: 'Org1MSP',
      role: 'seller',
    });
    await channel.submit(b.admin, 'participants:approve', String(hash));
    expect(await reasonOf(c.admin, 'participants:approve', String(hash))).toEqual(['CONFLICT', 'proposal-applied']);
    expect(await reasonOf(b.admin, 'participants:approve', String(overtaken['hash']))).toEqual([
      'CONFLICT',
      'proposal-dead',
    ]);
  });

  test('votes bind content: another role is another proposal and its votes do not add up', async () => {
    await channel.submit(a.admin, 'participants:propose', admit);
    expect(await channel.submit(b.admin, 'participants:propose', { ...admit, role: 'producer' })).toMatchObject({
      state: 'open',
      approvals: ['Org2MSP'],
    });
  });

  test('a role changes by majority, and a regulator is given its field', async () => {
    const change = { kind: 'change-role', mspId: 'Org2MSP', role: 'regulator', field: 'quarantine' };
    await channel.submit(a.admin, 'participants:propose', change);
    await channel.submit(c.admin, 'participants:propose', change);
    expect(await channel.submit(a.admin, 'participants:getOrganisation', 'Org2MSP')).toMatchObject({
      role: 'regulator',
      field: 'quarantine',
    });
    await channel.submit(a.admin, 'participants:propose', { kind: 'change-role', mspId: 'Org2MSP', role: 'carrier' });
    await channel.submit(b.admin, 'participants:propose', { kind: 'change-role', mspId: 'Org2MSP', role: 'carrier' });
    expect(await channel.submit(a.admin, 'participants:getOrganisation', 'Org2MSP')).not.toHaveProperty('field');
  });

  test('what is so already cannot be proposed', async () => {
    expect(await reasonOf(a.admin, 'participants:propose', { ...admit, mspId: 'Org2MSP' })).toEqual([
      'CONFLICT',
      'already-admitted',
    ]);
    expect(await reasonOf(a.admin, 'participants:propose', { ...admit, kind: 'change-role' })).toEqual([
      'CONFLICT',
      'not-admitted',
    ]);
    expect(
      await reasonOf(a.admin, 'participants:propose', { kind: 'change-role', mspId: 'Org2MSP', role: 'carrier' }),
    ).toEqual(['CONFLICT', 'same-role']);
  });

  test('who has no vote may not propose or approve', async () => {
    expect(await reasonOf(d.admin, 'participants:propose', admit)).toEqual([
      'ROLE_NOT_PERMITTED',
      'organisation-not-admitted',
    ]);
    expect(await reasonOf(a.center, 'participants:propose', admit)).toEqual(['ROLE_NOT_PERMITTED', 'not-an-admin']);
    const { hash } = await channel.submit(a.admin, 'participants:propose', admit);
    expect(await reasonOf(d.admin, 'participants:approve', String(hash))).toEqual(['ROLE_NOT_PERMITTED', 'no-vote']);
  });

  test('before the founding nothing can be proposed', async () => {
    channel = createChannel(chaincode);
    expect(await reasonOf(a.admin, 'participants:propose', admit)).toEqual(['ROLE_NOT_PERMITTED', 'not-founded']);
  });
});
