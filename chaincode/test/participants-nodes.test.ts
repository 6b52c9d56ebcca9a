import { startChaincode, type RunningChaincode } from './harness/chaincode-process.ts';
import { createConsortium, type Answer, type TestChannel, type TestOrganisation } from './harness/consortium.ts';

describe('nodes and their certificates (S1, S4)', () => {
  let chaincode: RunningChaincode;
  let channel: TestChannel;
  let a: TestOrganisation;
  let b: TestOrganisation;
  const digest = (digit: string) => digit.repeat(64);

  beforeAll(async () => {
    chaincode = await startChaincode();
  });
  beforeEach(async () => {
    ({ channel, a, b } = await createConsortium(chaincode));
  });
  afterAll(() => chaincode.stop());

  const registration = { enrolmentId: 'depot', kind: 'outlet', certificates: [digest('b'), digest('a')] };
  const change = (name: string, input: object) =>
    channel.submit(a.admin, `participants:${name}`, { enrolmentId: 'depot', ...input });
  const reasonOf = async (name: string, input: object, caller = a.admin) => {
    const { code, details } = await channel.refusal(caller, `participants:${name}`, { enrolmentId: 'depot', ...input });
    return [code, details['reason']];
  };

  test('an admin registers a node of its own organisation, everybody reads it', async () => {
    const outcome = await channel.simulate(a.admin, 'participants:registerNode', registration);
    expect(Buffer.from(outcome.event?.payload ?? []).toString()).toBe('{"keys":["node/Org1MSP/depot"],"v":1}');
    channel.state.commit(outcome);
    expect(await channel.submit(b.outlet, 'participants:getNode', 'Org1MSP', 'depot')).toEqual({
      v: 1,
      mspId: 'Org1MSP',
      enrolmentId: 'depot',
      kind: 'outlet',
      state: 'registered',
      certificates: [
        { digest: digest('a'), state: 'valid', txId: outcome.txId },
        { digest: digest('b'), state: 'valid', txId: outcome.txId },
      ],
      txId: outcome.txId,
    });
    expect((await channel.refusal(a.admin, 'participants:getNode', 'Org2MSP', 'depot')).code).toBe('REFUSED');
  });

  test('the same registration again changes nothing; another under the id is a conflict', async () => {
    await change('registerNode', registration);
    const again = await channel.simulate(a.admin, 'participants:registerNode', registration);
    expect([again.status, again.writes.size, again.event]).toEqual([200, 0, undefined]);
    expect(await reasonOf('registerNode', { ...registration, kind: 'center' })).toEqual(['CONFLICT', 'node-exists']);
    expect(await reasonOf('registerNode', { ...registration, certificates: [digest('c')] })).toEqual([
      'CONFLICT',
      'node-exists',
    ]);
  });

  test('certificates are added, renewed and revoked, and none comes back', async () => {
    await change('registerNode', { ...registration, certificates: [digest('a')] });
    expect((await change('addCertificate', { certificate: digest('b') }))['repeated']).toBe(false);
    expect((await change('addCertificate', { certificate: digest('b') }))['repeated']).toBe(true);
    await change('renewCertificate', { certificate: digest('c'), replaces: digest('a') });
    expect((await change('renewCertificate', { certificate: digest('c'), replaces: digest('a') }))['repeated']).toBe(
      true,
    );
    const { node } = await change('revokeCertificate', { certificate: digest('b'), reason: 'key-compromise' });
    expect(
      (node as { certificates: Answer[] }).certificates.map(({ digest, state, reason }) => [
        String(digest)[0],
        state,
        reason,
      ]),
    ).toEqual([
      ['a', 'revoked', 'superseded'],
      ['b', 'revoked', 'key-compromise'],
      ['c', 'valid', undefined],
    ]);
    const again = await change('revokeCertificate', { certificate: digest('b'), reason: 'ceased' });
    expect([again['repeated'], again['node']]).toEqual([true, node]);
    expect(await reasonOf('addCertificate', { certificate: digest('a') })).toEqual(['CONFLICT', 'certificate-revoked']);
    expect(await reasonOf('renewCertificate', { certificate: digest('d'), replaces: digest('e') })).toEqual([
      'REFUSED',
      'no-such-certificate',
    ]);
    expect(
      (
        await channel.refusal(a.admin, 'participants:renewCertificate', {
          enrolmentId: 'depot',
          certificate: digest('d'),
          replaces: digest('d'),
        })
      ).code,
    ).toBe('INPUT_INVALID');
  });

  test('a revoked node stays revoked', async () => {
    await change('registerNode', registration);
    expect((await change('revokeNode', { reason: 'ceased' }))['node']).toMatchObject({
      state: 'revoked',
      reason: 'ceased',
    });
    expect((await change('revokeNode', { reason: 'ceased' }))['repeated']).toBe(true);
    expect(await reasonOf('registerNode', registration)).toEqual(['CONFLICT', 'node-revoked']);
    expect(await reasonOf('addCertificate', { certificate: digest('d') })).toEqual(['CONFLICT', 'node-revoked']);
  });

  test('only an admin may, and only for its own organisation: the id is looked for under the caller’s MSP', async () => {
    await change('registerNode', registration);
    const calls: readonly (readonly [string, object])[] = [
      ['registerNode', registration],
      ['revokeNode', { reason: 'ceased' }],
      ['addCertificate', { certificate: digest('d') }],
      ['renewCertificate', { certificate: digest('d'), replaces: digest('a') }],
      ['revokeCertificate', { certificate: digest('a'), reason: 'ceased' }],
    ];
    for (const [name, input] of calls) {
      for (const caller of [a.center, a.outlet])
        expect(await reasonOf(name, input, caller)).toEqual(['ROLE_NOT_PERMITTED', 'not-an-admin']);
      if (name !== 'registerNode') expect(await reasonOf(name, input, b.admin)).toEqual(['REFUSED', 'no-such-node']);
    }
  });

  test('an organisational unit that only contains the word admin is not one', async () => {
    for (const unit of ['Admin', 'admins', 'admin ', 'not-admin']) {
      const identity = await a.authority.issueFor([{ OU: [unit] }, { CN: ['admin'] }], 'admin');
      expect(await reasonOf('registerNode', registration, identity)).toEqual(['ROLE_NOT_PERMITTED', 'not-an-admin']);
    }
    const escaped = await a.authority.issueFor([{ OU: ['client'] }, { CN: ['x+OU=admin'] }], 'x');
    expect(await reasonOf('registerNode', registration, escaped)).toEqual(['ROLE_NOT_PERMITTED', 'not-an-admin']);
  });

  test('a node has at most 64 certificates in its life', async () => {
    await change('registerNode', { ...registration, certificates: [digest('a')] });
    for (let index = 1; index < 64; index++)
      await change('addCertificate', { certificate: index.toString(16).padStart(64, '0') });
    expect(
      (
        await channel.refusal(a.admin, 'participants:addCertificate', {
          enrolmentId: 'depot',
          certificate: digest('f'),
        })
      ).code,
    ).toBe('LIMIT_EXCEEDED');
  });

  test('listNodes pages in the order of ids and keeps organisations apart', async () => {
    for (const enrolmentId of ['n3', 'n1', 'n2', 'ñ'])
      await channel.submit(a.admin, 'participants:registerNode', { ...registration, enrolmentId });
    const page = async (from: string, limit: string, mspId = 'Org1MSP') => {
      const { nodes, next } = await channel.submit(b.admin, 'participants:listNodes', mspId, from, limit);
      return [(nodes as Answer[]).map(({ enrolmentId }) => enrolmentId), next];
    };
    expect(await page('', '2')).toEqual([['center', 'n1'], 'n2']);
    expect(await page('n2', '2')).toEqual([['n2', 'n3'], 'outlet-1']);
    expect(await page('outlet-1', '100')).toEqual([['outlet-1', 'ñ'], null]);
    expect(await page('', '100', 'Org2MSP')).toEqual([['center', 'outlet-1'], null]);
    expect(await page('', '100', 'Org')).toEqual([[], null]);
    expect((await channel.refusal(b.admin, 'participants:listNodes', 'Org1MSP', '', '101')).code).toBe('INPUT_INVALID');
  });
});
