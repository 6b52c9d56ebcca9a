import {
  type CenterStatement,
  departmentsDigest,
  encodeEquivocation,
  encodeFork,
  encodeHeldBackClaim,
  type Equivocation,
  type HeldBackClaim,
  receiptStatement,
  type Seal,
  sealStatement,
  type SequenceOpening,
} from '@waymark/rsl';
import { startChaincode, type RunningChaincode } from './harness/chaincode-process.ts';
import { createConsortium, type TestChannel, type TestOrganisation } from './harness/consortium.ts';
import {
  anchorArgument,
  createTestLedger,
  encoded,
  registerTestLedger,
  type TestLedger,
} from './harness/private-ledger.ts';

const evidenceOf = ({ header, hash, center, signature }: Seal): CenterStatement => ({
  kind: 'seal',
  seal: { header, hash, center, signature },
});

/** Another header of the same place, sealed by the same center. */
function twinOf(ledger: TestLedger, seal: Seal, change: Partial<Seal['header']>): Seal {
  const liar = ledger.cryptoOf(seal.center);
  const header = { ...seal.header, ...change };
  const twin = { header, hash: liar.headerHash(header), center: seal.center };
  return { ...twin, certificate: [], signature: liar.sign(sealStatement(twin)) };
}

let chaincode: RunningChaincode;
beforeAll(async () => {
  chaincode = await startChaincode();
});
afterAll(async () => {
  await chaincode.stop();
});

describe('reports against a ledger', () => {
  let channel: TestChannel;
  let a: TestOrganisation;
  let b: TestOrganisation;
  let ledger: TestLedger;
  /** A ledger of the same members and keys: what they could write in secret. */
  let rewritten: TestLedger;

  beforeAll(async () => {
    ({ channel, a, b } = await createConsortium(chaincode));
    ledger = await createTestLedger(a);
    rewritten = await createTestLedger(a, { identities: ledger.identities });
    await registerTestLedger(channel, a, ledger);
    ledger.elect('center-1');
    for (let round = 0; round < 4; round += 1) ledger.submit('department-1');
    rewritten.elect('center-1');
    for (let round = 0; round < 4; round += 1) rewritten.submit('department-2');
    await channel.submit(a.center, 'anchors:anchor', anchorArgument(ledger.anchorOf(1, 3, { withElection: true })));
    await channel.submit(a.center, 'anchors:anchor', anchorArgument(ledger.anchorOf(4, ledger.confirmed())));
  });

  const equivocation = (change: Partial<Equivocation> = {}): Equivocation => {
    const { seal } = ledger.block(2);
    return {
      center: 'center-1',
      first: evidenceOf(seal),
      second: evidenceOf(twinOf(ledger, seal, { timestampMs: seal.header.timestampMs + 1 })),
      ...change,
    };
  };
  const argument = (evidence: Equivocation) => encoded(encodeEquivocation(evidence));
  const refused = (evidence: Equivocation) =>
    channel.refusal(b.center, 'anchors:reportEquivocation', 'Org1MSP', argument(evidence));

  test('two headers that a center signed for one height and term are taken from any member of the channel, once', async () => {
    const proof = argument(equivocation());
    const outcome = await channel.simulate(b.outlet, 'anchors:reportEquivocation', 'Org1MSP', proof);
    expect(outcome.event?.name).toBe('anchors.reported');
    const answer = await channel.submit(b.outlet, 'anchors:reportEquivocation', 'Org1MSP', proof);
    const report = answer['report'] as { id: string };
    expect(answer).toMatchObject({
      repeated: false,
      report: {
        kind: 'equivocation',
        msp: 'Org1MSP',
        height: 2,
        term: 1,
        center: 'center-1',
        proven: true,
        by: { msp: 'Org2MSP', node: 'outlet-1' },
      },
    });
    const { first, second } = equivocation();
    const mirrored = argument(equivocation({ first: second, second: first }));
    expect(await channel.submit(a.center, 'anchors:reportEquivocation', 'Org1MSP', mirrored)).toEqual({
      ...answer,
      repeated: true,
    });
    expect(await channel.submit(b.outlet, 'anchors:getReport', 'Org1MSP', report.id)).toMatchObject({
      evidence: proof,
    });
    expect(await channel.submit(b.outlet, 'anchors:listReports', 'Org1MSP', '', '10')).toEqual({
      v: 1,
      items: [report],
      next: null,
    });
  });

  test('a candidate and a header of other content are such a proof too', async () => {
    const { candidate, seal } = ledger.block(3);
    const evidence = equivocation({
      first: { kind: 'candidate', candidate },
      second: evidenceOf(twinOf(ledger, seal, { root: '00'.repeat(32) })),
    });
    expect(await channel.submit(b.center, 'anchors:reportEquivocation', 'Org1MSP', argument(evidence))).toMatchObject({
      report: { height: 3 },
    });
  });

  test('nothing less is: one header twice, a candidate and its own header, two heights, two terms', async () => {
    const { candidate, seal } = ledger.block(2);
    const same = [
      equivocation({ second: evidenceOf(seal) }),
      equivocation({ first: { kind: 'candidate', candidate }, second: evidenceOf(seal) }),
      equivocation({ second: evidenceOf(ledger.block(3).seal) }),
      equivocation({ second: evidenceOf(twinOf(ledger, seal, { term: 2 })) }),
    ];
    for (const evidence of same)
      expect(await refused(evidence)).toEqual({
        code: 'INPUT_INVALID',
        details: { place: 'evidence', reason: 'proves nothing' },
      });
  });

  test('what another signed, or nobody, accuses nobody', async () => {
    const { seal } = ledger.block(2);
    const forged = twinOf(ledger, { ...seal, center: 'department-1' }, { timestampMs: 1 });
    expect(await refused(equivocation({ second: evidenceOf({ ...forged, center: 'center-1' }) }))).toMatchObject({
      code: 'CERTIFICATE_UNTRUSTED',
      details: { kind: 'seal', member: 'center-1', reason: 'not-of-this-member' },
    });
    const unsigned = twinOf(ledger, seal, { timestampMs: 1 });
    expect(
      await refused(equivocation({ second: evidenceOf({ ...unsigned, signature: seal.signature }) })),
    ).toMatchObject({
      code: 'SIGNATURE_INVALID',
      details: { reason: 'bytes' },
    });
    const other = twinOf(ledger, seal, { ledger: 'Org2MSP/waymark' });
    const mixed = Buffer.from(
      argument(equivocation({ first: evidenceOf(other), second: evidenceOf(other) })),
      'base64url',
    );
    expect(await channel.refusal(b.center, 'anchors:reportEquivocation', 'Org1MSP', encoded(mixed))).toMatchObject({
      code: 'RECIPIENT_MISMATCH',
    });
    expect(
      await channel.refusal(b.center, 'anchors:reportEquivocation', 'Org2MSP', argument(equivocation())),
    ).toMatchObject({
      code: 'REFUSED',
    });
  });

  test('a rewritten ledger, though confirmed by its members, is found out: against the anchor, and against the seals', async () => {
    const first = rewritten.confirmation(3);
    const against = (second: readonly Seal[] | null) => encoded(encodeFork({ ledger: ledger.name, first, second }));
    for (const second of [null, ledger.confirmation(3)]) {
      expect(await channel.submit(b.center, 'anchors:reportFork', 'Org1MSP', against(second))).toMatchObject({
        repeated: second !== null,
        report: { kind: 'fork', height: 3, center: null, proven: true },
      });
    }
    const refusedFork = (proof: string) => channel.refusal(b.center, 'anchors:reportFork', 'Org1MSP', proof);
    expect(await refusedFork(against(first))).toMatchObject({ details: { reason: 'proves nothing' } });
    expect(await refusedFork(against(ledger.confirmation(2)))).toMatchObject({ details: { reason: 'proves nothing' } });
    expect(await refusedFork(against(ledger.confirmation(3).slice(0, 2)))).toMatchObject({
      code: 'SIGNATURE_INVALID',
      details: { reason: 'not-confirmed' },
    });
    const own = encodeFork({ ledger: ledger.name, first: ledger.confirmation(3), second: null });
    expect(await refusedFork(encoded(own))).toMatchObject({ details: { reason: 'proves nothing' } });
    const between = encodeFork({ ledger: ledger.name, first: rewritten.confirmation(2), second: null });
    expect(await refusedFork(encoded(between))).toMatchObject({ code: 'REFUSED', details: { height: 2 } });
    const anchor = anchorArgument(rewritten.anchorOf(1, 4, { withElection: true }));
    expect(await channel.refusal(a.center, 'anchors:anchor', anchor)).toMatchObject({ code: 'CONFLICT' });
  });

  describe('a submission that is held back', () => {
    /** A receipt of the center for what never came into the ledger. */
    const claim = (height: number, opening: SequenceOpening | null = null, seq = 1): HeldBackClaim => {
      const center = ledger.cryptoOf('center-1');
      const body = {
        ledger: ledger.name,
        department: 'department-2',
        seq,
        hash: center.digest(['x']),
        center: 'center-1',
        term: 1,
        height,
        acceptedMs: 1,
      };
      return { receipt: { ...body, signature: center.sign(receiptStatement(body)) }, opening };
    };
    const call = (made: HeldBackClaim) => encoded(encodeHeldBackClaim(made));
    const openingAt = (height: number): SequenceOpening => {
      const { candidate, seal } = ledger.block(height);
      const cursors = new Map<string, { seq: number; hash: string }>();
      for (let at = 1; at <= height; at += 1) {
        const { content } = ledger.block(at).candidate;
        if (content.kind !== 'records') continue;
        for (const { submission } of content.audited)
          cursors.set(submission.department, { seq: submission.seq, hash: submission.hash });
      }
      expect(departmentsDigest(ledger.cryptoOf('center-1'), candidate.salt, cursors)).toBe(seal.header.departments);
      const list = [...cursors].map(([department, cursor]) => ({ department, ...cursor }));
      return { header: seal.header, salt: candidate.salt, cursors: list };
    };

    test('is a claim once the ledger is anchored far enough above the receipt', async () => {
      expect(await channel.submit(b.center, 'anchors:reportHeldBack', 'Org1MSP', call(claim(1)))).toMatchObject({
        report: { kind: 'held-back', center: 'center-1', department: 'department-2', seq: 1, proven: false },
      });
      const early = claim(ledger.confirmed() - 4);
      expect(await channel.refusal(b.center, 'anchors:reportHeldBack', 'Org1MSP', call(early))).toMatchObject({
        code: 'SEQUENCE_GAP',
        details: { expected: ledger.confirmed() + 1, reason: 'too-early' },
      });
    });

    test('is proven by an anchored header that does not cover it', async () => {
      const opening = openingAt(ledger.confirmed());
      expect(
        await channel.submit(b.center, 'anchors:reportHeldBack', 'Org1MSP', call(claim(1, opening))),
      ).toMatchObject({
        repeated: false,
        report: { proven: true },
      });
      const covered = claim(1, opening);
      const receipt = { ...covered.receipt, department: 'department-1', seq: 4 };
      const signature = ledger.cryptoOf('center-1').sign(receiptStatement(receipt));
      const refusedClaim = (made: HeldBackClaim) =>
        channel.refusal(b.center, 'anchors:reportHeldBack', 'Org1MSP', call(made));
      expect(await refusedClaim({ opening, receipt: { ...receipt, signature } })).toMatchObject({
        details: { reason: 'proves nothing' },
      });
      expect(await refusedClaim(claim(1, { ...opening, salt: 'other' }))).toMatchObject({
        details: { reason: 'is not what the header covers' },
      });
      expect(await refusedClaim(claim(1, { ...opening, cursors: [] }))).toMatchObject({
        details: { reason: 'is not what the header covers' },
      });
      const header = { ...opening.header, departments: '00'.repeat(32) };
      expect(await refusedClaim(claim(1, { ...opening, header }))).toMatchObject({
        details: { reason: 'is not the anchored one' },
      });
      expect(await refusedClaim({ ...claim(1), receipt: { ...claim(1).receipt, seq: 2 } })).toMatchObject({
        code: 'SIGNATURE_INVALID',
        details: { kind: 'receipt' },
      });
    });
  });

  test('somebody of no admitted organisation reports nothing', async () => {
    const stranger = { ...b.center, mspId: 'Org3MSP' };
    expect(
      await channel.refusal(stranger, 'anchors:reportEquivocation', 'Org1MSP', argument(equivocation())),
    ).toMatchObject({
      code: 'ROLE_NOT_PERMITTED',
    });
  });

  test('a lie stays one when its certificate has been revoked since', async () => {
    await channel.submit(a.admin, 'participants:revokeNode', { enrolmentId: 'center-1', reason: 'key-compromise' });
    const { seal } = ledger.block(4);
    const evidence = equivocation({
      first: evidenceOf(seal),
      second: evidenceOf(twinOf(ledger, seal, { accepted: 9 })),
    });
    expect(await channel.submit(b.center, 'anchors:reportEquivocation', 'Org1MSP', argument(evidence))).toMatchObject({
      report: { height: 4 },
    });
    expect((await channel.submit(b.outlet, 'anchors:listReports', 'Org1MSP', '', '2'))['next']).not.toBeNull();
  });
});
