import fc from 'fast-check';
import { cidOfDagCbor, cidOfRaw } from '@waymark/protocol';
import {
  type Anchor,
  type CenterStatement,
  type Configuration,
  createCrypto,
  type Equivocation,
  type Fork,
  type HeldBackClaim,
  type Header,
  type LedgerConfiguration,
  type Seal,
  type VoteCertificate,
} from '../../src/index.ts';

const crypto = createCrypto({ bodyId: () => '', signBytes: () => '', verifyBytes: () => true });
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const ledger = fc.constantFrom('FirmMSP/trade', 'OtherMSP/trade');
const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const positive = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const blockHash = fc.uint8Array({ maxLength: 4 }).map((bytes) => cidOfDagCbor(bytes).toString());
const body = fc.uint8Array({ maxLength: 4 }).map((bytes) => cidOfRaw(bytes).toString());
const signature = fc
  .uint8Array({ minLength: 1, maxLength: 120 })
  .map((bytes) => Buffer.from(bytes).toString('base64url'));
const prev = fc.oneof(fc.constant(''), blockHash);

export const headers: fc.Arbitrary<Header> = fc.record({
  version: fc.constant(1 as const),
  ledger,
  epoch: positive,
  height: positive,
  term: positive,
  prev,
  departments: digest,
  root: digest,
  accepted: whole,
  rejected: whole,
  timestampMs: whole,
  body,
});

export const seals: fc.Arbitrary<Seal> = fc
  .record({
    header: headers,
    center: name,
    certificate: fc.array(fc.record({ member: name, ackTimeMs: whole, signature }), { maxLength: 4 }),
    signature,
  })
  .map((seal) => ({ ...seal, hash: crypto.headerHash(seal.header) }));

const elections = (of: string): fc.Arbitrary<VoteCertificate> =>
  fc
    .record({
      epoch: positive,
      term: positive,
      center: name,
      base: fc.option(seals),
      votes: fc.array(
        fc.record({
          voter: name,
          logEnd: fc.record({
            sealed: fc.record({ height: whole, term: whole, hash: prev }),
            candidate: fc.option(fc.record({ height: whole, term: whole, prev, root: digest, count: whole })),
          }),
          signature,
        }),
        { maxLength: 4 },
      ),
    })
    .map(({ votes, ...shared }) => ({
      ...shared,
      votes: votes.map((vote) => ({
        ledger: of,
        epoch: shared.epoch,
        term: shared.term,
        candidate: shared.center,
        ...vote,
      })),
    }));

export const anchors: fc.Arbitrary<Anchor> = ledger.chain((of) =>
  fc.record({
    ledger: fc.constant(of),
    first: positive,
    last: positive,
    root: digest,
    term: positive,
    center: name,
    seals: fc.array(seals, { minLength: 1, maxLength: 3 }),
    opening: fc.option(
      fc.record({
        header: headers,
        firstPath: fc.array(digest, { maxLength: 5 }),
        lastPath: fc.array(digest, { maxLength: 5 }),
      }),
    ),
    election: fc.option(elections(of)),
    signature,
  }),
);

const configurations: fc.Arbitrary<Configuration> = fc
  .record({ epoch: positive, names: fc.uniqueArray(name, { minLength: 2, maxLength: 8 }), lying: fc.boolean() })
  .map(({ epoch, names, lying }) => {
    const [learner = 'x', ...members] = names.sort();
    return {
      epoch,
      members,
      learners: [learner],
      eligible: members.slice(0, 2),
      profile: lying && members.length > 2 ? { center: 'lying', colluding: 0 } : { center: 'trusted' },
    };
  });

export const configurationProofs: fc.Arbitrary<LedgerConfiguration> = fc.record({
  ledger,
  configuration: configurations,
  seals: fc.array(seals, { minLength: 1, maxLength: 3 }),
});

const statements = (of: string, center: string): fc.Arbitrary<CenterStatement> =>
  fc.oneof(
    seals.map(({ header, hash, signature: signed }) => ({
      kind: 'seal' as const,
      seal: { header, hash, center, signature: signed },
    })),
    fc
      .record({ epoch: positive, height: positive, term: positive, prev, root: digest, count: whole, signature })
      .map((candidate) => ({ kind: 'candidate' as const, candidate: { ...candidate, ledger: of, center } })),
  );

export const equivocations: fc.Arbitrary<Equivocation> = fc.tuple(ledger, name).chain(([of, center]) =>
  fc
    .record({
      center: fc.constant(center),
      first: statements(of, center),
      second: statements(of, center),
    })
    .map((evidence) => ({ ...evidence, first: inLedger(evidence.first, of), second: inLedger(evidence.second, of) })),
);

function inLedger(statement: CenterStatement, of: string): CenterStatement {
  if (statement.kind === 'candidate') return statement;
  const header = { ...statement.seal.header, ledger: of };
  return { kind: 'seal', seal: { ...statement.seal, header, hash: crypto.headerHash(header) } };
}

export const forks: fc.Arbitrary<Fork> = fc.record({
  ledger,
  first: fc.array(seals, { minLength: 1, maxLength: 3 }),
  second: fc.option(fc.array(seals, { minLength: 1, maxLength: 3 })),
});

export const claims: fc.Arbitrary<HeldBackClaim> = fc.record({
  receipt: fc.record({
    ledger,
    department: name,
    seq: positive,
    hash: digest,
    center: name,
    term: positive,
    height: whole,
    acceptedMs: whole,
    signature,
  }),
  opening: fc.option(
    fc.record({
      header: headers,
      salt: fc.string({ maxLength: 64 }).map((text) => text.replaceAll(/[\ud800-\udfff]/gu, '')),
      cursors: fc.array(fc.record({ department: name, seq: whole, hash: digest }), { maxLength: 4 }),
    }),
  ),
});
