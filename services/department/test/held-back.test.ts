import { encodeHeldBackClaim, type SubmissionReceipt } from '@waymark/rsl';
import type { LedgerAlert } from '@waymark/service-kit';
import { createHeldBackWatch, type HeldBackSource } from '../src/private-ledger/held-back.ts';

const receipt = (seq: number, height: number): SubmissionReceipt => ({
  ledger: 'NorthMSP/waymark',
  department: 'depot',
  seq,
  hash: 'ab'.repeat(32),
  center: 'center',
  term: 1,
  height,
  acceptedMs: 1,
  signature: 'AAAA',
});
const claimOf = (seq: number, height: number): Uint8Array =>
  encodeHeldBackClaim({ receipt: receipt(seq, height), opening: null });

function watch() {
  const state = { height: 10, last: 0, center: 'center' };
  const raised: LedgerAlert[] = [];
  const expected: number[] = [];
  const source = {
    member: { receipted: ({ seq }: SubmissionReceipt) => void expected.push(seq) },
    chain: {
      get height() {
        return state.height;
      },
      seal: () => ({ center: state.center, header: { term: 1 } }),
      lastSubmission: () => (state.last === 0 ? null : { seq: state.last, hash: 'ab' }),
    },
    alerts: {
      raise: (alert: LedgerAlert) => {
        raised.push(alert);
        return Promise.resolve(true);
      },
    },
  } as unknown as HeldBackSource;
  const logger = { error: () => undefined } as never;
  return { made: createHeldBackWatch(source, logger, 4), state, raised, expected };
}

test('a batch that is in the ledger in time is no case', () => {
  const { made, state, raised, expected } = watch();
  made.expect(claimOf(1, 10));
  expect(expected).toEqual([1]);
  state.last = 1;
  state.height = 50;
  made.check();
  expect([raised, made.waiting]).toEqual([[], 0]);
});

test('a batch that stays out in spite of its receipt is claimed once, and not before its time', () => {
  const { made, state, raised } = watch();
  made.expect(claimOf(1, 10));
  state.height = 14;
  made.check();
  expect(raised).toEqual([]);
  state.height = 15;
  made.check();
  made.check();
  expect(raised).toMatchObject([{ kind: 'held-back', claim: { receipt: { seq: 1, center: 'center' } } }]);
});

test('a center that lost its office is not blamed for what the next one lacks', () => {
  const { made, state, raised } = watch();
  made.expect(claimOf(1, 10));
  state.center = 'standby';
  state.height = 99;
  made.check();
  expect([raised, made.waiting]).toEqual([[], 0]);
});
