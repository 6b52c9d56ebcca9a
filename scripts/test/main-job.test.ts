import { WaymarkError } from '@waymark/protocol';
import type { TraceOutcome } from '@waymark/sdk';
import { ledgerText } from '../start/closing-text.ts';
import { isProven } from '../start/ledger/failover.ts';
import { type MainJobFigures, toJson } from '../start/main-job.ts';

const figures: MainJobFigures = {
  records: 2,
  payloadBytes: 20,
  onChainBytes: 3,
  coldStartMs: 4,
  trusted: { asked: 2, matched: 2, trust: 'anchored' },
  fast: { trust: 'unverified' },
  external: { opened: 1 },
  tamper: { code: 'data-abnormal' },
  ledger: {
    blocks: 5,
    anchors: 2,
    failover: { acknowledged: 300, lost: 0 },
    rewrite: { code: 'anchor-mismatch', alertFile: '/data/alerts/one.json' },
  },
};
const before = {
  records: 2,
  payloadBytes: 20,
  onChainBytes: 3,
  rawOnChainBytes: 100,
  coldStartMs: 4,
  trusted: figures.trusted,
  fast: figures.fast,
  external: figures.external,
  tamper: figures.tamper,
};

describe("the main job's line", () => {
  test('tells of the private ledger beside the rest (issue 7)', () => {
    expect(toJson(figures, 100)).toEqual({
      ...before,
      blocks: 5,
      anchors: 2,
      failover: { acknowledged: 300, lost: 0 },
      rewrite: { code: 'anchor-mismatch' },
    });
  });

  test('says nothing of a ledger that is not there', () => {
    expect(toJson({ ...figures, ledger: null }, 100)).toEqual(before);
    expect(ledgerText({ ledger: null })).toBe('');
    expect(ledgerText(figures)).toContain('rewritten chain anchor-mismatch');
    expect(ledgerText(figures)).toContain('300 records acknowledged meanwhile, 0 lost');
  });
});

describe('a record that was acknowledged', () => {
  const record = {
    eventId: 'event-1',
    revision: 0,
    consignment: 'consignment-1',
    schema: 'example/v1',
    collectionTime: '2026-05-04T09:30:00.000Z',
    businessIds: [],
    payload: { pallets: 6 },
  };
  const answered = (trust: string, content: object): TraceOutcome =>
    ({ answer: { trust, records: [{ content: { ...record, ...content } }] } }) as unknown as TraceOutcome;

  test('is lost unless the channel vouches for just this record', () => {
    expect(isProven(record, answered('anchored', {}))).toBe(true);
    expect(isProven(record, answered('confirmed', {}))).toBe(false);
    expect(isProven(record, answered('anchored', { payload: { pallets: 7 } }))).toBe(false);
    expect(isProven(record, answered('anchored', { eventId: 'event-2' }))).toBe(false);
    expect(isProven(record, { answer: { trust: 'anchored', records: [] } } as unknown as TraceOutcome)).toBe(false);
    const error = new WaymarkError('refused', 'There is no such record.');
    expect(isProven(record, { error })).toBe(false);
  });
});
