import { ackStatement, type Anchor, anchorStatement, type Profile, type Seal } from '@waymark/rsl';
import { startChaincode, type RunningChaincode } from './harness/chaincode-process.ts';
import { createConsortium, type TestChannel, type TestOrganisation } from './harness/consortium.ts';
import {
  anchorArgument,
  configurationArgument,
  createTestLedger,
  derOf,
  digestOf,
  encoded,
  registerTestLedger,
  registrationOf,
  type TestLedger,
} from './harness/private-ledger.ts';

const profiles: readonly [string, Profile][] = [
  ['lying', { center: 'lying', colluding: 0 }],
  ['trusted', { center: 'trusted' }],
];

let chaincode: RunningChaincode;
beforeAll(async () => {
  chaincode = await startChaincode();
});
afterAll(async () => {
  await chaincode.stop();
});

describe.each(profiles)('a ledger whose center is %s', (_name, profile) => {
  let channel: TestChannel;
  let a: TestOrganisation;
  let b: TestOrganisation;
  let ledger: TestLedger;
  let sender: TestOrganisation['center'];

  beforeAll(async () => {
    ({ channel, a, b } = await createConsortium(chaincode));
    ledger = await createTestLedger(a, { profile, extra: ['department-3'] });
    await registerTestLedger(channel, a, ledger);
    sender = a.center;
    ledger.elect('center-1');
    for (let round = 0; round < 4; round += 1) ledger.submit(`department-${String((round % 2) + 1)}`);
  });

  const send = (anchor: Anchor) => channel.submit(sender, 'anchors:anchor', anchorArgument(anchor));
  const refused = (anchor: Anchor) => channel.refusal(sender, 'anchors:anchor', anchorArgument(anchor));
  /** The anchor signed again by its center, as changed. */
  const resigned = (anchor: Anchor, change: Partial<Anchor>): Anchor => {
    const changed = { ...anchor, ...change };
    const [top] = changed.seals;
    if (top === undefined) throw new Error('no seal');
    const { epoch } = top.header;
    const statement = anchorStatement({ ...changed, epoch, hash: top.hash });
    return { ...changed, signature: ledger.cryptoOf(changed.center).sign(statement) };
  };
  const sealOf = (anchor: Anchor, index: number): Seal => {
    const seal = anchor.seals[index];
    if (seal === undefined) throw new Error('no seal');
    return seal;
  };

  test('before its first anchor a term needs its election, and a range begins at block 1', async () => {
    expect(await refused(ledger.anchorOf(1, 2))).toMatchObject({
      code: 'ROLE_NOT_PERMITTED',
      details: { reason: 'not-elected' },
    });
    expect(await refused(ledger.anchorOf(2, 3, { withElection: true }))).toMatchObject({
      code: 'SEQUENCE_GAP',
      details: { expected: 1, first: 2, reason: 'missing' },
    });
  });

  test('an election by too few, by votes of another term, or under a made-up signature is none', async () => {
    const anchor = ledger.anchorOf(1, 3, { withElection: true });
    const { election } = anchor;
    if (election === null) throw new Error('no election');
    const [one, two] = election.votes;
    if (one === undefined || two === undefined) throw new Error('two votes are expected');
    expect(await refused({ ...anchor, election: { ...election, votes: [one] } })).toMatchObject({
      code: 'ROLE_NOT_PERMITTED',
      details: { reason: 'not-elected', why: 'no-quorum' },
    });
    expect(await refused({ ...anchor, election: { ...election, votes: [one, one] } })).toMatchObject({
      code: 'INPUT_INVALID',
      details: { reason: 'have one twice' },
    });
    const jumped = { ...election, term: 2 ** 53 - 1, votes: election.votes.map((v) => ({ ...v, term: 2 ** 53 - 1 })) };
    expect(await refused(resigned(anchor, { term: 2 ** 53 - 1, election: jumped }))).toMatchObject({
      code: 'SIGNATURE_INVALID',
      details: { kind: 'vote', reason: 'bytes' },
    });
    const elsewhere = election.votes.map((vote) => ({ ...vote, voter: 'department-3' })).slice(0, 1);
    expect(await refused({ ...anchor, election: { ...election, votes: elsewhere } })).toMatchObject({
      code: 'CERTIFICATE_UNTRUSTED',
      details: { member: 'department-3', reason: 'not-of-this-member' },
    });
  });

  test('confirmed blocks are anchored, once; the same again is repeated, whoever sends it', async () => {
    const anchor = ledger.anchorOf(1, 3, { withElection: true });
    const outcome = await channel.simulate(sender, 'anchors:anchor', anchorArgument(anchor));
    expect(outcome.event?.name).toBe('anchors.anchored');
    expect(JSON.parse(Buffer.from(outcome.event?.payload ?? '').toString())).toEqual({ v: 1, keys: ['Org1MSP/3'] });
    expect(outcome.writes.size).toBe(2);
    const answer = await send(anchor);
    expect(answer).toMatchObject({
      repeated: false,
      anchor: { first: 1, last: 3, prev: null, root: anchor.root, term: 1, center: 'center-1', epoch: 1, v: 1 },
    });
    const member = ledger.identities.get('department-1');
    if (member === undefined) throw new Error('no member');
    const again = await channel.simulate(member, 'anchors:anchor', anchorArgument(anchor));
    expect([again.status, again.writes.size, again.event]).toEqual([200, 0, undefined]);
    expect(JSON.parse(Buffer.from(again.payload).toString())).toEqual({ ...answer, repeated: true });
  });

  test('what overlaps an anchor, or is other content for its end, is a conflict', async () => {
    const anchored = resigned(ledger.anchorOf(1, 3), { root: digestOf('other') });
    expect(await refused(anchored)).toMatchObject({ code: 'CONFLICT', details: { last: 3, reason: 'anchored' } });
    expect(await refused(ledger.anchorOf(2, 3))).toMatchObject({ code: 'CONFLICT', details: { last: 3 } });
    expect(await refused(ledger.anchorOf(3, 4))).toMatchObject({ code: 'CONFLICT', details: { expected: 4 } });
  });

  test('a range follows by hash: of another first block, another root or another path it is refused', async () => {
    const anchor = ledger.anchorOf(4, 6);
    const { opening } = anchor;
    if (opening === null) throw new Error('no opening');
    const other = { ...opening, header: { ...opening.header, prev: ledger.block(1).seal.hash } };
    expect(await refused(resigned(anchor, { opening: other }))).toMatchObject({
      code: 'SEQUENCE_GAP',
      details: { first: 4, reason: 'prev' },
    });
    const reason = { code: 'INPUT_INVALID', details: { place: 'anchor.root' } };
    expect(await refused(resigned(anchor, { root: digestOf('other') }))).toMatchObject(reason);
    const twin = { ...opening, header: { ...opening.header, timestampMs: 1 } };
    expect(await refused(resigned(anchor, { opening: twin }))).toMatchObject(reason);
    const moved = { ...opening, lastPath: opening.firstPath };
    expect(await refused(resigned(anchor, { opening: moved }))).toMatchObject(reason);
    expect(await refused(resigned(anchor, { opening: null }))).toMatchObject({
      details: { place: 'anchor.opening' },
    });
    const five = { ...opening, header: ledger.block(5).seal.header };
    expect(await refused(resigned(anchor, { opening: five }))).toMatchObject({
      details: { place: 'anchor.opening.header' },
    });
  });

  test('only confirmed blocks are anchored, with neither too few seals nor too many', async () => {
    const anchor = ledger.anchorOf(4, 6);
    for (let count = 1; count < anchor.seals.length; count += 1) {
      expect(await refused({ ...anchor, seals: anchor.seals.slice(0, count) })).toMatchObject({
        code: 'SIGNATURE_INVALID',
        details: { height: 6, reason: 'not-confirmed' },
      });
    }
    const more = ledger.block(6 + anchor.seals.length).seal;
    expect(await refused({ ...anchor, seals: [...anchor.seals, more] })).toMatchObject({
      code: 'INPUT_INVALID',
      details: { reason: 'is more than is needed' },
    });
    const torn = [
      sealOf(anchor, 0),
      ...anchor.seals.slice(1).map(({ header }) => ledger.block(header.height - 1).seal),
    ];
    expect(await refused({ ...anchor, seals: torn })).toMatchObject({
      code: 'INPUT_INVALID',
      details: { place: 'anchor.seals[1]' },
    });
  });

  test('a certificate by too few, by others, of another block, or with the center in it where it may lie, is none', async () => {
    const anchor = ledger.anchorOf(4, 6);
    const withTop = (change: Partial<Seal>) => ({
      ...anchor,
      seals: [{ ...sealOf(anchor, 0), ...change }, ...anchor.seals.slice(1)],
    });
    const { certificate } = sealOf(anchor, 0);
    const departments = certificate.filter(({ member }) => member !== 'center-1');
    expect(await refused(withTop({ certificate: departments.slice(0, 1) }))).toMatchObject({
      code: 'SIGNATURE_INVALID',
      details: { height: 6, reason: 'no-quorum' },
    });
    expect(await refused(withTop({ certificate: [...certificate].reverse() }))).toMatchObject({
      code: 'INPUT_INVALID',
      details: { reason: 'are not in order' },
    });
    expect(await refused(withTop({ certificate: sealOf(ledger.anchorOf(4, 5), 0).certificate }))).toMatchObject({
      code: 'SIGNATURE_INVALID',
      details: { kind: 'ack', reason: 'bytes' },
    });
    const [first] = departments;
    if (first === undefined) throw new Error('no acknowledgement');
    const borrowed = [{ ...first, member: 'department-3' }];
    expect(await refused(withTop({ certificate: borrowed }))).toMatchObject({
      code: 'CERTIFICATE_UNTRUSTED',
      details: { member: 'department-3' },
    });
    expect(await refused(withTop({ center: 'center-2' }))).toMatchObject({
      code: 'CERTIFICATE_UNTRUSTED',
      details: { kind: 'seal', member: 'center-2' },
    });
    const { header } = sealOf(anchor, 0);
    const ackOf = (member: string) => {
      const count = header.accepted + header.rejected;
      const statement = ackStatement({ ...header, count, ackTimeMs: 1 });
      return { member, ackTimeMs: 1, signature: ledger.cryptoOf(member).sign(statement) };
    };
    // Rightly signed, but by one who is no member, and by the center, whose own word makes no quorum where it may lie.
    for (const member of ['department-3', 'center-1']) {
      const acks = [first, ackOf(member)].sort((x, y) => (x.member < y.member ? -1 : 1));
      expect(await refused(withTop({ certificate: acks }))).toMatchObject({ details: { reason: 'no-quorum' } });
    }
  });

  test('an anchor of another center, an older term, or under another signature is refused', async () => {
    const anchor = ledger.anchorOf(4, 6);
    expect(await refused(resigned(anchor, { center: 'center-2' }))).toMatchObject({
      code: 'ROLE_NOT_PERMITTED',
      details: { center: 'center-2', reason: 'not-the-center' },
    });
    expect(await refused({ ...anchor, signature: ledger.anchorOf(4, 5).signature })).toMatchObject({
      code: 'SIGNATURE_INVALID',
      details: { kind: 'anchor', reason: 'bytes' },
    });
    expect(await refused({ ...anchor, election: ledger.election('center-1') })).toMatchObject({
      code: 'INPUT_INVALID',
      details: { place: 'anchor.election' },
    });
    expect(await refused({ ...anchor, ledger: 'Org1MSP/other' })).toEqual({
      code: 'RECIPIENT_MISMATCH',
      details: { reason: 'ledger' },
    });
  });

  test('nobody of another organisation anchors it, and no node of another kind', async () => {
    const argument = anchorArgument(ledger.anchorOf(4, 6));
    expect(await channel.refusal(b.center, 'anchors:anchor', argument)).toEqual({
      code: 'RECIPIENT_MISMATCH',
      details: { reason: 'ledger' },
    });
    const reader = await a.authority.issue('reader-9');
    await channel.submit(a.admin, 'participants:registerNode', {
      enrolmentId: 'reader-9',
      kind: 'reader',
      certificates: [reader.digest],
    });
    expect(await channel.refusal(reader, 'anchors:anchor', argument)).toMatchObject({
      code: 'ROLE_NOT_PERMITTED',
      details: { reason: 'node-kind' },
    });
    expect(await channel.refusal(a.admin, 'anchors:anchor', argument)).toMatchObject({
      details: { reason: 'node-not-registered' },
    });
  });

  test('the next range follows, of one block too; a new center anchors with its election and fences the old one', async () => {
    await send(ledger.anchorOf(4, 6));
    await send(ledger.anchorOf(7, 7));
    ledger.submit('department-1');
    const old = ledger.anchorOf(8, ledger.confirmed());
    ledger.elect('center-2');
    ledger.submit('department-2');
    const anchor = ledger.anchorOf(8, ledger.confirmed(), { withElection: true });
    expect(anchor.term).toBeGreaterThan(1);
    expect(await refused({ ...anchor, election: null })).toMatchObject({
      code: 'ROLE_NOT_PERMITTED',
      details: { reason: 'not-elected' },
    });
    await send(anchor);
    const stale = resigned(old, { first: anchor.last + 1, last: anchor.last + 1 });
    expect(await refused(stale)).toMatchObject({ code: 'INPUT_INVALID', details: { place: 'anchor.last' } });
    ledger.submit('department-2');
    const next = ledger.anchorOf(anchor.last + 1, ledger.confirmed());
    expect(await refused(resigned(next, { term: 1, center: 'center-1' }))).toMatchObject({
      code: 'CONFLICT',
      details: { expected: anchor.term, reason: 'term-stale', term: 1 },
    });
    await send(next);
  });

  test('members change by the members’ own proof; until it is registered nothing of the new epoch is anchored', async () => {
    const before = ledger.confirmed();
    ledger.change({ type: 'add-learner', member: 'department-3' });
    const change = heightOfEpoch(ledger, before, 2);
    ledger.submit('department-1');
    const last = ledger.confirmed();
    const { head } = (await channel.submit(a.outlet, 'anchors:ledger', 'Org1MSP')) as { head: { last: number } };
    const anchor = ledger.anchorOf(head.last + 1, last);
    expect(await refused(anchor)).toMatchObject({
      code: 'SEQUENCE_GAP',
      details: { epoch: 2, reason: 'configuration' },
    });
    const proof = configurationArgument(ledger, change);
    expect(await channel.refusal(a.admin, 'anchors:configure', proof)).toMatchObject({ code: 'ROLE_NOT_PERMITTED' });
    const answer = await channel.submit(sender, 'anchors:configure', proof);
    expect(answer).toMatchObject({
      repeated: false,
      configuration: { epoch: 2, height: change, learners: ['department-3'], hash: ledger.block(change).seal.hash },
    });
    expect(await channel.submit(sender, 'anchors:configure', proof)).toEqual({ ...answer, repeated: true });
    await send(anchor);
  });

  test('a learner is promoted and then counts; a proof of other members than the block has is refused', async () => {
    const before = ledger.confirmed();
    ledger.change({ type: 'promote', member: 'department-3' });
    const change = heightOfEpoch(ledger, before, 3);
    const proof = configurationArgument(ledger, change);
    await channel.submit(sender, 'anchors:configure', proof);
    ledger.submit('department-3');
    const { head } = (await channel.submit(a.outlet, 'anchors:ledger', 'Org1MSP')) as { head: { last: number } };
    await send(ledger.anchorOf(head.last + 1, ledger.confirmed()));
    expect(await channel.submit(a.outlet, 'anchors:configuration', 'Org1MSP', '3')).toMatchObject({
      epoch: 3,
      members: ['center-1', 'center-2', 'department-1', 'department-2', 'department-3'],
      learners: [],
      profile,
    });
    expect(await channel.refusal(a.outlet, 'anchors:configuration', 'Org1MSP', '4')).toMatchObject({ code: 'REFUSED' });
  });

  test('queries: an anchor by its end, anchors from the one that covers a height, the ledger', async () => {
    expect(await channel.submit(a.outlet, 'anchors:get', 'Org1MSP', '6')).toMatchObject({ first: 4, last: 6 });
    expect(await channel.refusal(a.outlet, 'anchors:get', 'Org1MSP', '5')).toMatchObject({ code: 'REFUSED' });
    const page = await channel.submit(b.outlet, 'anchors:list', 'Org1MSP', '5', '2');
    expect(page).toMatchObject({
      items: [
        { first: 4, last: 6 },
        { first: 7, last: 7 },
      ],
    });
    const rest = await channel.submit(b.outlet, 'anchors:list', 'Org1MSP', String(page['next']), '100');
    const items = rest['items'] as { first: number; last: number; hash: string; prev: string }[];
    expect(items[0]?.first).toBe(8);
    expect(rest['next']).toBeNull();
    for (const [index, item] of items.slice(1).entries()) {
      expect(item.first).toBe((items[index]?.last ?? 0) + 1);
      expect(item.prev).toBe(items[index]?.hash);
    }
    expect(await channel.submit(b.outlet, 'anchors:ledger', 'Org1MSP')).toMatchObject({
      ledger: { ledger: 'Org1MSP/waymark', epoch: 3, inclusionBlocks: 4 },
      head: { last: items.at(-1)?.last, hash: items.at(-1)?.hash, epoch: 3 },
    });
    expect(await channel.refusal(b.outlet, 'anchors:ledger', 'Org2MSP')).toMatchObject({ code: 'REFUSED' });
    const digest = ledger.identities.get('center-1')?.digest ?? '';
    expect(await channel.submit(b.outlet, 'anchors:certificate', 'Org1MSP', digest)).toMatchObject({
      member: 'center-1',
      digest,
    });
    expect(await channel.refusal(b.outlet, 'anchors:certificate', 'Org2MSP', digest)).toMatchObject({
      code: 'REFUSED',
    });
    expect(await channel.submit(b.outlet, 'anchors:list', 'Org2MSP', '1', '1')).toMatchObject({
      items: [],
      next: null,
    });
  });

  test('a revoked member’s signatures do not count for what is not anchored yet', async () => {
    ledger.submit('department-1');
    const { head } = (await channel.submit(a.outlet, 'anchors:ledger', 'Org1MSP')) as { head: { last: number } };
    const anchor = ledger.anchorOf(head.last + 1, ledger.confirmed());
    const [ack] = sealOf(anchor, 0).certificate;
    await channel.submit(a.admin, 'participants:revokeNode', { enrolmentId: ack?.member, reason: 'key-compromise' });
    expect(await refused(anchor)).toMatchObject({ code: 'CERTIFICATE_REVOKED', details: { enrolmentId: ack?.member } });
  });
});

describe('registering a ledger', () => {
  let channel: TestChannel;
  let a: TestOrganisation;
  let ledger: TestLedger;

  beforeAll(async () => {
    ({ channel, a } = await createConsortium(chaincode));
    ledger = await createTestLedger(a);
  });

  const refused = (registration: object, by = a.admin) => channel.refusal(by, 'anchors:registerLedger', registration);

  test('takes members and certificates that the register of nodes knows, and an admin', async () => {
    expect(await refused(registrationOf(ledger))).toMatchObject({
      code: 'ROLE_NOT_PERMITTED',
      details: { reason: 'node-not-registered' },
    });
    await registerTestLedger(channel, a, ledger);
    expect(await refused(registrationOf(ledger), a.center)).toMatchObject({ details: { reason: 'not-an-admin' } });
    expect(await channel.submit(a.admin, 'anchors:registerLedger', registrationOf(ledger))).toMatchObject({
      repeated: true,
      configuration: { epoch: 1, height: 0, hash: null },
    });
    expect(await refused(registrationOf(ledger, { inclusionBlocks: 5 }))).toMatchObject({
      code: 'CONFLICT',
      details: { reason: 'already-registered' },
    });
  });

  test.each<[string, object, string]>([
    ['an epoch other than 1', { epoch: 2 }, 'is not 1'],
    ['members out of order', { members: ['center-2', 'center-1'] }, 'are not in order'],
    ['a member twice', { members: ['center-1', 'center-1'] }, 'name one twice, or too many'],
    ['a learner that is a member', { learners: ['center-1'] }, 'name one twice, or too many'],
    ['an eligible stranger', { eligible: ['stranger'] }, 'are not members, each once'],
    ['nobody eligible', { eligible: [] }, 'has not 1 to 32 items'],
    ['no members', { members: [] }, 'has not 1 to 32 items'],
    ['more in league than a quorum bears', { colluding: 2 }, 'is too many for so few members'],
    ['a name that is no id', { members: ['a/b'], eligible: ['a/b'] }, 'contains a slash or a control character'],
    ['a field that is not known', { leader: 'center-1' }, 'has a field that is not known'],
  ])('refuses %s', async (_name, configuration, reason) => {
    expect(await refused(registrationOf(ledger, { configuration }))).toMatchObject({
      code: 'INPUT_INVALID',
      details: { reason },
    });
  });

  test('more certificates of members are registered later, once each; what is no certificate of one is refused', async () => {
    const call = (...certificates: string[]) => channel.submit(a.admin, 'anchors:registerCertificates', certificates);
    const member = ledger.identities.get('department-1');
    const renewed = await a.authority.issue('department-1');
    if (member === undefined) throw new Error('no member');
    const refusedCall = (certificate: string, by = a.admin) =>
      channel.refusal(by, 'anchors:registerCertificates', [certificate]);
    expect(await refusedCall(encoded(derOf(renewed)))).toMatchObject({
      code: 'CERTIFICATE_UNTRUSTED',
      details: { reason: 'certificate-not-registered' },
    });
    await channel.submit(a.admin, 'participants:addCertificate', {
      enrolmentId: 'department-1',
      certificate: renewed.digest,
    });
    expect(await call(encoded(derOf(renewed)), encoded(derOf(member)))).toEqual({ v: 1, added: 1, repeated: false });
    expect(await call(encoded(derOf(renewed)))).toEqual({ v: 1, added: 0, repeated: true });
    expect(await call(encoded(derOf(a.outlet)))).toEqual({ v: 1, added: 1, repeated: false });
    const client = await a.authority.issue('client-9');
    await channel.submit(a.admin, 'participants:registerNode', {
      enrolmentId: 'client-9',
      kind: 'client',
      certificates: [client.digest],
    });
    expect(await refusedCall(encoded(derOf(client)))).toMatchObject({ details: { reason: 'node-kind' } });
    expect(await refusedCall(encoded(Buffer.from('no certificate')))).toMatchObject({
      code: 'CERTIFICATE_UNTRUSTED',
      details: { reason: 'encoding' },
    });
    expect(await refusedCall(encoded(derOf(member)), a.center)).toMatchObject({ details: { reason: 'not-an-admin' } });
  });

  test('is needed before anything is anchored or reported', async () => {
    const fresh = await createConsortium(chaincode);
    const member = ledger.identities.get('center-1');
    if (member === undefined) throw new Error('no member');
    ledger.elect('center-1');
    ledger.submit('department-1');
    const argument = anchorArgument(ledger.anchorOf(1, 1, { withElection: true }));
    expect(await fresh.channel.refusal(fresh.a.center, 'anchors:anchor', argument)).toMatchObject({
      code: 'REFUSED',
      details: { reason: 'not-registered' },
    });
  });
});

/** Where the configuration of an epoch is, above a height. */
function heightOfEpoch(ledger: TestLedger, above: number, epoch: number): number {
  for (let height = above + 1; ; height += 1) {
    const { content } = ledger.block(height).candidate;
    if (content.kind === 'configuration' && content.configuration.epoch === epoch) return height;
  }
}
