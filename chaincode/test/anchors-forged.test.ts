import { createWorldState, type WorldState } from '@waymark/testing/shim-peer';
import { type Anchor, type Configuration, encodeConfiguration, type Seal, type VoteCertificate } from '@waymark/rsl';
import { startChaincode, type RunningChaincode } from './harness/chaincode-process.ts';
import { createChannel, createConsortium, type TestChannel, type TestOrganisation } from './harness/consortium.ts';
import { createForger, type Forger } from './harness/forged-blocks.ts';
import {
  anchorArgument,
  createTestLedger,
  encoded,
  registerTestLedger,
  type TestLedger,
} from './harness/private-ledger.ts';

function copyOf(state: WorldState): WorldState {
  const copy = createWorldState();
  const writes = new Map(state.range('', '').map(([key, { value }]) => [key, value]));
  const none = { status: 200, message: '', payload: new Uint8Array(), reads: new Map<string, undefined>(), ranges: [] };
  copy.commit({ txId: '0', timestampMs: 0, writes, ...none });
  return copy;
}

/** With a lying center and four members it takes two departments to acknowledge and three to elect; with five members three and three. */
const pair = ['center-2', 'department-1'];
const three = ['center-2', 'department-1', 'department-2'];

describe('what members in league could hand in', () => {
  let chaincode: RunningChaincode;
  let channel: TestChannel;
  let a: TestOrganisation;
  let ledger: TestLedger;
  let forger: Forger;
  /** Blocks 1 to 6 of term 1, in order. */
  let blocks: readonly Seal[];

  /** The state with the ledger registered: each test begins there. */
  let registered: WorldState;

  beforeAll(async () => {
    chaincode = await startChaincode();
    ({ channel, a } = await createConsortium(chaincode));
    ledger = await createTestLedger(a, { extra: ['department-3', 'department-4'] });
    await registerTestLedger(channel, a, ledger);
    registered = channel.state;
    forger = createForger(ledger);
    blocks = forger.chain(null, [1, 1, 1, 1, 1, 1], 'center-1', pair);
  });
  afterAll(async () => {
    await chaincode.stop();
  });
  beforeEach(() => {
    channel = createChannel(chaincode, copyOf(registered));
  });

  const block = (height: number): Seal => {
    const seal = blocks[height - 1];
    if (seal === undefined) throw new Error('no block');
    return seal;
  };
  const headersOf = (seals: readonly Seal[]) => seals.map(({ header }) => header);
  const first = () => forger.election(1, 'center-1', null, three);
  const send = (anchor: Anchor) => channel.submit(a.center, 'anchors:anchor', anchorArgument(anchor));
  const refused = (anchor: Anchor) => channel.refusal(a.center, 'anchors:anchor', anchorArgument(anchor));
  const anchorOne = (seals: readonly Seal[], election: VoteCertificate | null, term = 1, center = 'center-1') =>
    forger.anchor(headersOf(seals.slice(0, 1)), seals, { center, term, election });

  test('two more certificates of two terms confirm nothing, two of one term do', async () => {
    const top = block(1).header;
    const mixed = [block(1), ...forger.chain(top, [1, 2, 3, 3], 'center-1', pair)];
    const election = forger.election(3, 'center-1', block(1), three);
    for (const count of [3, 4]) {
      expect(await refused(anchorOne(mixed.slice(0, count), election, 3))).toMatchObject({
        code: 'SIGNATURE_INVALID',
        details: { height: 1, reason: 'not-confirmed' },
      });
    }
    await send(anchorOne(mixed, election, 3));
  });

  test('seals that go back in term, or do not link, or are of a later term than the anchor, confirm nothing', async () => {
    const back = [block(1), ...forger.chain(block(1).header, [2, 1, 1], 'center-1', pair)];
    expect(await refused(anchorOne(back, forger.election(2, 'center-1', block(1), three), 2))).toMatchObject({
      code: 'INPUT_INVALID',
      details: { place: 'anchor.seals[2]', reason: 'goes back in term or epoch' },
    });
    const twin = forger.seal(forger.header(block(1).header, { timestampMs: 1 }), 'center-1', pair);
    expect(await refused(anchorOne([block(1), twin, block(3)], first()))).toMatchObject({
      details: { place: 'anchor.seals[2]', reason: 'does not follow the one before' },
    });
    const later = [block(1), ...forger.chain(block(1).header, [2, 2], 'center-1', pair)];
    expect(await refused(anchorOne(later, first()))).toMatchObject({ details: { place: 'anchor.term' } });
  });

  test('a block of an epoch nobody registered, or not above the block that made it, is not judged', async () => {
    const ahead = forger.seal(forger.header(null, { epoch: 2 }), 'center-1', pair);
    expect(await refused(anchorOne([ahead], first()))).toMatchObject({
      code: 'SEQUENCE_GAP',
      details: { epoch: 2, reason: 'configuration' },
    });
  });

  describe('elections', () => {
    beforeEach(async () => {
      await send(
        forger.anchor(headersOf(blocks.slice(0, 4)), blocks.slice(3), {
          center: 'center-1',
          term: 1,
          election: first(),
        }),
      );
    });

    const next = (election: VoteCertificate, center = 'center-2'): Anchor => {
      const by = three.concat('center-1').filter((member) => member !== center);
      const above = forger.chain(block(4).header, [2, 2, 2], center, by);
      return forger.anchor(headersOf(above.slice(0, 1)), above, { center, term: 2, election });
    };

    test('one over the last anchored block is taken', async () => {
      await send(next(forger.election(2, 'center-2', block(4), three)));
    });

    test.each<[string, () => VoteCertificate, string]>([
      ['below what is anchored', () => forger.election(2, 'center-2', block(3), three), 'base-below-anchor'],
      ['over no block at all', () => forger.election(2, 'center-2', null, three), 'base-below-anchor'],
      [
        'over another block than the anchored one',
        () => {
          const twin = forger.header(block(3).header, { timestampMs: 1 });
          return forger.election(2, 'center-2', forger.seal(twin, 'center-1', pair), three);
        },
        'base-below-anchor',
      ],
      [
        'with a voter who had sealed more',
        () => forger.election(2, 'center-2', block(4), three, { at: block(5).header }),
        'base-too-low',
      ],
      ['by too few', () => forger.election(2, 'center-2', block(4), pair), 'no-quorum'],
      [
        'by strangers',
        () => forger.election(2, 'center-2', block(4), ['center-2', 'department-3', 'department-4']),
        'no-quorum',
      ],
    ])('one %s is none', async (_name, election, why) => {
      expect(await refused(next(election()))).toMatchObject({
        code: 'ROLE_NOT_PERMITTED',
        details: { center: 'center-2', reason: 'not-elected', why },
      });
    });

    test('one of a member that may not become center is none', async () => {
      const election = forger.election(2, 'department-1', block(4), three);
      expect(await refused(next(election, 'department-1'))).toMatchObject({ details: { why: 'not-eligible' } });
    });

    test('one whose base has no certificate, or is of its own term, is none', async () => {
      const bare = { ...block(4), certificate: block(4).certificate.slice(0, 1) };
      expect(await refused(next(forger.election(2, 'center-2', bare, three)))).toMatchObject({
        code: 'SIGNATURE_INVALID',
        details: { height: 4, reason: 'no-quorum' },
      });
      const own = forger.seal(forger.header(block(4).header, { term: 2 }), 'center-2', [
        'department-1',
        'department-2',
      ]);
      expect(await refused(next(forger.election(2, 'center-2', own, three)))).toMatchObject({
        details: { why: 'base-not-before' },
      });
    });

    test('one for another term or center than the anchor’s is none', async () => {
      for (const election of [
        forger.election(3, 'center-2', block(4), three),
        forger.election(2, 'center-1', block(4), three),
      ])
        expect(await refused(next(election))).toMatchObject({
          code: 'INPUT_INVALID',
          details: { place: 'anchor.election' },
        });
    });
  });

  describe('changes of the members', () => {
    const second = (change: Partial<Configuration> = {}): Configuration => ({
      ...ledger.first,
      epoch: 2,
      members: [...ledger.first.members, 'department-3'],
      ...change,
    });
    /** The block that makes a configuration, and those that confirm it. */
    const proofOf = (configuration: Configuration, by: readonly string[], held = configuration): string => {
      const header = forger.header(block(2).header, { root: forger.rootOf(held), accepted: 0 });
      const seals = [forger.seal(header, 'center-1', by), ...forger.chain(header, [1, 1], 'center-1', by)];
      return encoded(encodeConfiguration({ ledger: ledger.name, configuration, seals }));
    };
    const configure = (proof: string) => channel.submit(a.center, 'anchors:configure', proof);
    const refusedProof = (proof: string) => channel.refusal(a.center, 'anchors:configure', proof);

    test('take quorums of the members before and of the new ones', async () => {
      expect(await refusedProof(proofOf(second(), pair))).toMatchObject({
        code: 'SIGNATURE_INVALID',
        details: { height: 3, reason: 'no-quorum' },
      });
      expect(await refusedProof(proofOf(second(), ['department-3', 'department-4']))).toMatchObject({
        details: { reason: 'no-quorum' },
      });
      await configure(proofOf(second(), three));
    });

    test('are one at a time, of one profile, the next epoch, and what the block holds', async () => {
      const more = second({ members: [...second().members, 'department-4'] });
      expect(await refusedProof(proofOf(more, three))).toMatchObject({
        details: { place: 'configuration.configuration.members', reason: 'change by more than one' },
      });
      expect(await refusedProof(proofOf(second({ profile: { center: 'trusted' } }), three))).toMatchObject({
        details: { place: 'configuration.configuration.colluding' },
      });
      expect(await refusedProof(proofOf(second({ epoch: 3 }), three))).toMatchObject({
        code: 'SEQUENCE_GAP',
        details: { epoch: 3, expected: 2, reason: 'epoch' },
      });
      expect(await refusedProof(proofOf(second(), three, second({ learners: ['department-4'] })))).toMatchObject({
        details: { place: 'configuration.configuration', reason: 'is not what the block holds' },
      });
      await configure(proofOf(second(), three));
      expect(await refusedProof(proofOf(second({ learners: ['department-4'] }), three))).toMatchObject({
        code: 'CONFLICT',
        details: { epoch: 2, reason: 'epoch-used' },
      });
    });

    test('bind blocks of the epoch before as well: from the change on they need the new quorum too', async () => {
      await configure(proofOf(second(), three));
      await send(
        forger.anchor(
          headersOf(blocks.slice(0, 2)),
          [block(2), block(3), block(4)].map((seal, index) =>
            index === 0 ? seal : forger.seal(seal.header, 'center-1', three),
          ),
          { center: 'center-1', term: 1, election: first() },
        ),
      );
      expect(await refused(anchorOne(blocks.slice(2, 5), null))).toMatchObject({
        code: 'SIGNATURE_INVALID',
        details: { height: 3, reason: 'no-quorum' },
      });
      const early = forger.chain(block(2).header, [1, 1, 1], 'center-1', three).map(({ header }) => header);
      const [lowest] = early;
      if (lowest === undefined) throw new Error('no block');
      const misplaced = forger.seal({ ...lowest, epoch: 2 }, 'center-1', three);
      expect(await refused(anchorOne([misplaced], null))).toMatchObject({
        code: 'SIGNATURE_INVALID',
        details: { epoch: 2, height: 3, reason: 'epoch' },
      });
    });
  });
});
