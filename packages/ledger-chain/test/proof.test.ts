import fc from 'fast-check';
import { join } from 'node:path';
import { isWaymarkError } from '@waymark/protocol';
import {
  type AnchorOnChannel,
  anchorProblem,
  createCheckingCrypto,
  decodeRecordProof,
  encodeRecordProof,
  type LedgerChain,
  openLedgerChain,
  type ProvenRecord,
  type RecordProof,
  verifyRecordProof,
} from '../src/index.ts';
import { newFolder } from './support/folders.ts';
import { channel, createTestLedger, ledgerName, storedAnchor, type TestLedger } from './support/test-ledger.ts';
import { withCode } from './support/with-code.ts';

let ledger: TestLedger;
let chain: LedgerChain;
let own: readonly string[];
let anchor: ReturnType<typeof storedAnchor>;

beforeAll(async () => {
  ledger = await createTestLedger();
  own = ledger.submit('outlet-1', 5, [2]);
  ledger.submit('outlet-2', 3);
  ledger.submit('outlet-1', 2);
  chain = await openLedgerChain({
    folder: join(await newFolder(), 'chain'),
    ledger: ledgerName,
    bodyCipher: ledger.bodyCipher,
  });
  await chain.apply(ledger.blocks);
  anchor = storedAnchor(ledger.anchorOf(1, 5), ledger.blocks);
});
afterAll(() => chain.close());

const members = () => ({ crypto: ledger.crypto, configurations: [ledger.first] });
const check = (proof: RecordProof, on: AnchorOnChannel | null, oid: string): ProvenRecord =>
  verifyRecordProof(proof, on, { channel, ledger: ledgerName, oid: Buffer.from(oid, 'hex'), members: members() });
const bySeals = (oid: string) => chain.proveRecord(oid, { confirmation: ledger.confirmation });

/** Every altered byte must be refused; a proof that is read and accepted all the same is a hole. */
function accepted(bytes: Uint8Array, on: AnchorOnChannel | null, oid: string): boolean {
  try {
    check(decodeRecordProof(bytes), on, oid);
    return true;
  } catch (error) {
    if (isWaymarkError(error, 'data-abnormal') || isWaymarkError(error, 'input-invalid')) return false;
    if (isWaymarkError(error, 'limit-exceeded')) return false;
    throw error;
  }
}

test('a record that is not anchored yet is proven by seals as confirmed, a rejected one with its reason', async () => {
  const [first, , third] = own as [string, string, string];
  expect(check(await bySeals(first), null, first)).toMatchObject({ state: 'confirmed', rejected: null });
  expect(check(await bySeals(third), null, third)).toMatchObject({ state: 'confirmed', rejected: 'schema-invalid' });
});

test('seals count only for whoever knows the members, and the right ones', async () => {
  const [oid] = own as [string];
  const proof = await bySeals(oid);
  const checks = { channel, ledger: ledgerName, oid: Buffer.from(oid, 'hex') };
  expect(() => verifyRecordProof(proof, null, checks)).toThrow(withCode('data-abnormal'));
  const strangers = createCheckingCrypto({ channel, publicKeyOf: () => null });
  expect(() => verifyRecordProof(proof, null, { ...checks, members: { ...members(), crypto: strangers } })).toThrow(
    withCode('data-abnormal'),
  );
});

test('a proof of one record is none of another, of another ledger or another channel', async () => {
  const [oid, other] = own as [string, string];
  const proof = await bySeals(oid);
  expect(() => check(proof, null, other)).toThrow(withCode('data-abnormal'));
  for (const change of [{ channel: 'other' }, { ledger: `OtherMSP/${channel}` }])
    expect(() =>
      verifyRecordProof(proof, null, {
        channel,
        ledger: ledgerName,
        oid: Buffer.from(oid, 'hex'),
        members: members(),
        ...change,
      }),
    ).toThrow(withCode('data-abnormal'));
});

test('a proof by seals with any byte altered is refused', async () => {
  const [oid] = own as [string];
  const bytes = encodeRecordProof(await bySeals(oid));
  expect(accepted(bytes, null, oid)).toBe(true);
  fc.assert(
    fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const altered = Uint8Array.from(bytes);
      altered[at] = (altered[at] as number) ^ flip;
      expect(accepted(altered, null, oid)).toBe(false);
    }),
    { numRuns: 300 },
  );
});

describe('once the channel holds the block', () => {
  beforeAll(() => chain.markAnchored(anchor));

  test('a record is anchored, wherever in the range its block lies', async () => {
    for (const oid of own) {
      const proof = decodeRecordProof(encodeRecordProof(await chain.proveRecord(oid)));
      expect(check(proof, anchor, oid).state).toBe('anchored');
    }
    expect(chain.anchorOf(3)).toMatchObject({ first: 1, last: 5 });
    expect(chain.anchorOf(6)).toBeNull();
    expect(chain.anchoredUpTo).toBe(5);
  });

  test('a proof by anchor with any byte altered is refused', async () => {
    const [oid] = own as [string];
    const bytes = encodeRecordProof(await chain.proveRecord(oid));
    for (let at = 0; at < bytes.length; at += 1) {
      const altered = Uint8Array.from(bytes);
      altered[at] = (altered[at] as number) ^ (1 << (at % 8));
      if (accepted(altered, anchor, oid)) throw new Error(`byte ${at} can be altered`);
    }
  });

  test('a proof with any part in the place of another record is refused', async () => {
    const [oid, , rejected] = own as [string, string, string];
    const proof = await chain.proveRecord(oid);
    const others = await Promise.all(
      [rejected, ...ledger.oids.slice(5)]
        .filter((o) => o !== oid)
        .map((o) => chain.proveRecord(o).catch(() => bySeals(o))),
    );
    for (const other of others) {
      for (const key of Object.keys(proof) as (keyof RecordProof)[]) {
        const mixed = { ...proof, [key]: other[key] };
        if (Buffer.compare(encodeRecordProof(mixed), encodeRecordProof(proof)) === 0) continue;
        expect(() => check(mixed, anchor, oid)).toThrow(withCode('data-abnormal'));
      }
    }
  });

  test('a proof under another anchor than the channel holds is refused', async () => {
    const [oid] = own as [string];
    const proof = await chain.proveRecord(oid);
    for (const change of [{ first: 2 }, { last: 4 }, { last: 6 }, { root: 'ab'.repeat(32) }])
      expect(() => check(proof, { ...anchor, ...change }, oid)).toThrow(withCode('data-abnormal'));
    expect(() => check(proof, null, oid)).toThrow(withCode('data-abnormal'));
  });

  test('what the channel keeps of an anchor is compared with the headers, field by field', () => {
    const headers = chain.headers(1, 5);
    expect(anchorProblem(ledgerName, anchor, headers)).toBeNull();
    for (const change of [
      { last: 6 },
      { hash: ledger.blocks[0]?.seal.hash ?? '' },
      { root: 'ab'.repeat(32) },
      { prev: anchor.hash },
      { epoch: 2 },
      { blockTerm: 9 },
      { timestamp: '2026-01-01T00:00:00.001Z' },
    ])
      expect(anchorProblem(ledgerName, { ...anchor, ...change }, headers)).not.toBeNull();
    expect(anchorProblem(ledgerName, anchor, headers.slice(1))).not.toBeNull();
    expect(anchorProblem('other', anchor, headers)).not.toBeNull();
  });
});

test('a record that no block holds is refused, one whose block is not confirmed here yet is unavailable', async () => {
  await expect(chain.proveRecord('00'.repeat(32))).rejects.toMatchObject({ code: 'refused' });
  const last = ledger.oids.at(-1) as string;
  const height = chain.findRecord(last)?.height ?? 0;
  if (height > chain.height - 2) await expect(chain.proveRecord(last)).rejects.toMatchObject({ code: 'unavailable' });
});
