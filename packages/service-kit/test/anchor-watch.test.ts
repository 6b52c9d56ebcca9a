import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WaymarkError } from '@waymark/protocol';
import { decodeFork, decodeHeader, isConfirmedBySeals, type Header } from '@waymark/rsl';
import {
  createMetrics,
  createAnchorWatch,
  openAlertBook,
  type AlertBook,
  type AlertFile,
  type AnchorWatch,
  type ReportedProof,
} from '../src/index.ts';
import type { TestLedger } from '../../../chaincode/test/harness/private-ledger.ts';
import { committed, createAnchorFeed, createForkedLedgers, headersOf } from './anchor-fixture.ts';
import { captureLog, removeFolders, temporaryFolder } from './fixture.ts';

let ledger: TestLedger;
let rewritten: TestLedger;
beforeAll(async () => {
  ({ ledger, rewritten } = await createForkedLedgers());
});

let feed: ReturnType<typeof createAnchorFeed>;
let headers: Header[];
let height: number;
let told: [number, string][];
let folder: string;
let book: AlertBook;
let watch: AnchorWatch;
let held: TestLedger;
beforeEach(async () => {
  feed = createAnchorFeed();
  headers = headersOf(ledger);
  height = headers.length;
  [told, held] = [[], ledger];
  folder = join(temporaryFolder(), 'alerts');
  book = await openBook();
  watch = build();
});
afterEach(async () => {
  await watch.stop();
  await book.stop();
});
afterAll(removeFolders);

const openBook = (report?: (proof: ReportedProof) => Promise<never>, registry = createMetrics('test')) =>
  openAlertBook({
    folder,
    ledger: ledger.name,
    member: 'department-1',
    logger: captureLog().logger,
    registry,
    retry: { baseMs: 1, maxMs: 1 },
    ...(report === undefined ? {} : { report }),
  });

function build(sweep = { pauseMs: 1, intervalMs: 5 }): AnchorWatch {
  return createAnchorWatch({
    mspId: 'Org1MSP',
    ledger: ledger.name,
    replica: feed.replica,
    chain: { height: () => height, header: (at) => headers[at - 1] ?? null },
    hashing: ledger.cryptoOf('department-1'),
    member: {
      anchored: (at, hash) => void told.push([at, hash]),
      confirmation: (at) => held.confirmation(at),
    },
    alerts: { raise: (alert) => book.raise(alert) },
    logger: captureLog().logger,
    sweep,
    retryMs: 1,
  });
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2_000; turn += 1) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error('it does not come to pass');
}

function files(): AlertFile[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as AlertFile);
}

test('anchors that agree raise nothing; the core hears of each', async () => {
  feed.add(committed(ledger.anchorOf(1, 3)));
  await watch.start();
  feed.add(committed(ledger.anchorOf(4, 5)));
  await until(() => watch.state.checkedHeight === 5 && watch.state.sweeps > 1);
  expect(told.map(([at]) => at)).toEqual([3, 5]);
  expect(files()).toEqual([]);
  expect(watch.state.mismatches).toBe(0);
});

test('an anchor above the own chain is compared once the chain has reached it', async () => {
  height = 2;
  await watch.start();
  feed.add(committed(ledger.anchorOf(1, 4)));
  await until(() => told.length > 0);
  expect(watch.state.checkedHeight).toBe(0);
  height = 6;
  watch.applied();
  await until(() => watch.state.checkedHeight === 4);
});

test('a block that is rewritten on disk after it was anchored is found by the sweep, with the headers that show which', async () => {
  feed.add(committed(ledger.anchorOf(1, 3)));
  feed.add(committed(ledger.anchorOf(4, 6)));
  await watch.start();
  await until(() => watch.state.sweeps > 0);
  const [, second] = headers;
  if (second === undefined) throw new Error('there are six blocks');
  headers[1] = { ...second, accepted: 2 };
  await until(() => files().length > 0);
  expect(watch.state.mismatches).toBe(1);
  const [file] = files();
  expect(file).toMatchObject({ kind: 'anchor-mismatch', ledger: ledger.name, facts: { height: 2 }, proof: null });
  const shown = (file?.headers ?? []).map((text) => decodeHeader(Buffer.from(text, 'base64url')));
  const crypto = ledger.cryptoOf('department-1');
  // The anchor names the last one, its links lead to the place, and what is held there is something else.
  expect(crypto.headerHash(shown.at(-1) ?? second)).toBe(file?.anchor?.hash);
  expect(shown[1]?.prev).toBe(file?.facts['anchored']);
  expect(crypto.headerHash(shown[0] ?? second)).toBe(file?.facts['held']);
  expect(file?.facts['held']).not.toBe(file?.facts['anchored']);
});

test('a block that is rewritten between two sweeps is found out with one of the next anchors', async () => {
  watch = build({ pauseMs: 1, intervalMs: 3_600_000 });
  feed.add(committed(ledger.anchorOf(1, 3)));
  await watch.start();
  await until(() => watch.state.checkedHeight === 3 && watch.state.sweeps === 1);
  const third = headers[2];
  if (third === undefined) throw new Error('there are six blocks');
  headers[2] = { ...third, accepted: 2 };
  feed.add(committed(ledger.anchorOf(4, 5)));
  await until(() => files().length > 0);
  expect(files()).toMatchObject([{ kind: 'anchor-mismatch', facts: { height: 3 } }]);
  expect(watch.state).toMatchObject({ sweeps: 1, mismatches: 1 });
});

test('a whole chain that was rewritten by its members is an alert with a proof for the channel', async () => {
  headers = headersOf(rewritten);
  held = rewritten;
  feed.add(committed(ledger.anchorOf(1, 3)));
  await watch.start();
  await until(() => files().length > 0);
  const proof = files()[0]?.proof;
  expect(proof?.type).toBe('ledger-fork');
  const fork = decodeFork(Buffer.from(proof?.bytes ?? '', 'base64url'));
  expect(fork.second).toBeNull();
  expect(isConfirmedBySeals(ledger.cryptoOf('center-1'), ledger.name, [ledger.first], fork.first)).toBe(true);
  expect(fork.first[0]?.hash).not.toBe(ledger.block(3).seal.hash);
});

test('an anchor whose root is over something else than its blocks is found out', async () => {
  feed.add({ ...committed(ledger.anchorOf(1, 4)), root: '00'.repeat(32) });
  expect(await watch.sweepNow()).toMatchObject([{ what: 'root', height: 4 }]);
});

test('a block that cannot be read as what it was stored as is an alert; one that cannot be read now is not', async () => {
  feed.add(committed(ledger.anchorOf(1, 4)));
  let code: 'unavailable' | 'data-abnormal' = 'unavailable';
  watch = createAnchorWatch({
    mspId: 'Org1MSP',
    ledger: ledger.name,
    replica: feed.replica,
    chain: { height: () => height, header: () => Promise.reject(new WaymarkError(code, 'no')) },
    hashing: ledger.cryptoOf('department-1'),
    member: { anchored: () => undefined, confirmation: () => null },
    alerts: { raise: (alert) => book.raise(alert) },
    logger: captureLog().logger,
  });
  await expect(watch.sweepNow()).rejects.toMatchObject({ code: 'unavailable' });
  expect(files()).toEqual([]);
  code = 'data-abnormal';
  expect(await watch.sweepNow()).toHaveLength(1);
  expect(files()).toMatchObject([{ kind: 'chain-damaged', facts: { height: 1 } }]);
});

test('the service hears of each anchor that agrees once, from where it asks on, and of blocks that were filled in later', async () => {
  feed.add(committed(ledger.anchorOf(1, 2)));
  feed.add(committed(ledger.anchorOf(3, 4)));
  feed.add(committed(ledger.anchorOf(5, 6)));
  const agreed: number[] = [];
  let isFilledIn = false;
  watch = createAnchorWatch({
    mspId: 'Org1MSP',
    ledger: ledger.name,
    replica: feed.replica,
    chain: {
      height: () => height,
      header(at) {
        if (at <= 4 && !isFilledIn) throw new WaymarkError('gone', 'not here yet');
        return headers[at - 1] ?? null;
      },
    },
    hashing: ledger.cryptoOf('department-1'),
    member: { anchored: () => undefined, confirmation: () => null },
    alerts: { raise: (alert) => book.raise(alert) },
    onAgreed: ({ last }) => void agreed.push(last),
    fromHeight: 3,
    logger: captureLog().logger,
    sweep: { pauseMs: 1, intervalMs: 1 },
  });
  await watch.start();
  await until(() => agreed.length === 1 && watch.state.sweeps > 0);
  isFilledIn = true;
  await until(() => agreed.length === 2);
  const sweeps = watch.state.sweeps + 2;
  await until(() => watch.state.sweeps >= sweeps);
  expect(agreed).toEqual([6, 4]);
  expect(files()).toEqual([]);
});

describe('the alert book', () => {
  const mismatch = () => {
    const seals = rewritten.confirmation(3);
    const anchored = ledger.block(3).seal.hash;
    const anchor = committed(ledger.anchorOf(1, 3));
    const { hash = '' } = seals[0] ?? {};
    return { kind: 'anchor-mismatch', height: 3, anchored, held: hash, anchor, seals, headers: [] } as const;
  };

  test('keeps the same alert once, also over a restart, and counts it', async () => {
    expect(await Promise.all([book.raise(mismatch()), book.raise(mismatch())])).toEqual([true, false]);
    const registry = createMetrics('again');
    book = await openBook(undefined, registry);
    expect(await book.raise(mismatch())).toBe(false);
    expect(await book.raise({ kind: 'refused', height: 4, term: 2, center: 'center-1', reason: 'root' })).toBe(true);
    expect(book.entries().map(({ kind, report }) => [kind, report])).toEqual([
      ['anchor-mismatch', 'waiting'],
      ['refused', 'none'],
    ]);
    expect(await registry.metrics()).toContain('waymark_ledger_alerts_total{kind="refused",service="again"} 1');
  });

  test('an alert without its proof gives way to the same one with it, whoever was first, and not the other way round', async () => {
    const bare = { ...mismatch(), seals: null };
    expect(await Promise.all([book.raise(bare), book.raise(bare), book.raise(mismatch())])).toEqual([
      true,
      false,
      true,
    ]);
    expect(await book.raise(bare)).toBe(false);
    expect(files()).toMatchObject([{ kind: 'anchor-mismatch', proof: { type: 'ledger-fork' } }]);
    expect(book.entries()).toMatchObject([{ report: 'waiting' }]);
  });

  test('reports what can be shown until the channel has answered, also after a restart, and once', async () => {
    await book.raise(mismatch());
    const sent: ReportedProof[] = [];
    const answers = [new WaymarkError('unavailable', 'away'), new WaymarkError('input-invalid', 'proves nothing')];
    const send = (proof: ReportedProof): Promise<never> => {
      sent.push(proof);
      return Promise.reject(answers[sent.length - 1] ?? new Error('a third time'));
    };
    book = await openBook(send);
    await book.start();
    await until(() => book.entries()[0]?.report === 'refused');
    await book.stop();
    book = await openBook(send);
    await book.start();
    expect(book.entries()).toMatchObject([{ report: 'refused' }]);
    expect(sent).toHaveLength(2);
    expect(sent[0]?.type).toBe('ledger-fork');
  });

  test('a file that is not one of its own is passed over', async () => {
    writeFileSync(join(folder, `refused-${'ab'.repeat(16)}.json`), '{"kind": ');
    writeFileSync(join(folder, 'notes.txt'), 'x');
    book = await openBook();
    expect(book.entries()).toEqual([]);
  });
});
