import { cidOfDagCbor, leafHash, merkleRoot, toHex, WaymarkError } from '@waymark/protocol';
import { anchorLeafStatement, headerBytes, headerHashOf, noBlock, statementBytes } from '@waymark/rsl';
import { type CommittedAnchor, createLogger } from '@waymark/service-kit';
import { until } from '@waymark/testing/consortium';
import { createLedgerFollower, type LedgerFollowerParts } from '../../src/pins/ledger-follower.ts';
import { createLedgerGate } from '../../src/pins/ledger-gate.ts';
import type { AnchoredBlock, LedgerCursor } from '../../src/pins/pin-store.ts';

const logger = createLogger({ service: 'test', level: 'silent' });
const channel = 'c';

/** A chain of headers of one organisation, with anchors over it. */
function chainOf(msp: string, lengths: readonly number[]) {
  const ledger = `${msp}/${channel}`;
  const headers: { readonly bytes: Uint8Array; readonly hash: string; readonly body: string }[] = [];
  const anchors: CommittedAnchor[] = [];
  for (const length of lengths) {
    const first = headers.length + 1;
    const below = headers.at(-1)?.hash ?? null;
    for (let height = first; height < first + length; height += 1) {
      const body = cidOfDagCbor(Buffer.from(`${msp} ${String(height)}`)).toString();
      const bytes = headerBytes({
        version: 1,
        ledger,
        epoch: 1,
        height,
        term: 1,
        prev: headers.at(-1)?.hash ?? noBlock,
        departments: '00'.repeat(32),
        root: '11'.repeat(32),
        accepted: 0,
        rejected: 0,
        timestampMs: 1_000 * height,
        body,
      });
      headers.push({ bytes, hash: headerHashOf(bytes), body });
    }
    const last = headers.length;
    const leaves = headers.slice(first - 1).map(({ hash }, index) => leafHash(statementBytes(anchorLeafStatement(ledger, first + index, hash)))); // prettier-ignore
    anchors.push({
      msp,
      first,
      last,
      hash: headers[last - 1]?.hash ?? '',
      prev: below,
      root: toHex(merkleRoot(leaves)),
      term: 1,
      center: 'center',
      epoch: 1,
      blockTerm: 1,
      timestamp: new Date(1_000 * last).toISOString(),
      node: 'center',
      txId: `tx-${String(last)}`,
      blockNumber: BigInt(last),
    });
  }
  return { headers, anchors };
}

type Chain = ReturnType<typeof chainOf>;

/** What a follower works on, in memory. */
function world(chains: Record<string, Chain>) {
  const cursors = new Map<string, LedgerCursor>();
  const taken: { readonly msp: string; readonly own: boolean; readonly blocks: readonly AnchoredBlock[] }[] = [];
  const listeners = new Set<(anchor: CommittedAnchor) => void>();
  const asked: string[] = [];
  const seen = { asked, taken, held: [] as string[], wanted: [] as string[] };
  const parts: LedgerFollowerParts = {
    channel,
    mspId: 'NorthMSP',
    replica: {
      anchors: (msp, from, limit) => (chains[msp]?.anchors ?? []).filter(({ last }) => last >= from).slice(0, limit),
      onAnchor(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
    store: {
      ledgerCursor: (msp) => cursors.get(msp) ?? { height: 0, hash: '' },
      rewindLedger: (msp) => void cursors.delete(msp),
      anchorBlocks(msp, own, blocks) {
        taken.push({ msp, own, blocks });
        const { height = 0, hash = '' } = blocks.at(-1) ?? {};
        cursors.set(msp, { height, hash });
      },
      ledgers: () => [...cursors.keys()],
    },
    keeper: {
      fetchBlock(cid, from) {
        asked.push(`${from} ${cid.toString()}`);
        const found = chains[from]?.headers.find(({ hash }) => hash === cid.toString());
        return found === undefined
          ? Promise.reject(new WaymarkError('unavailable', 'nobody has it', { details: { reason: 'missing' } }))
          : Promise.resolve(found.bytes);
      },
    },
    members: { current: () => [{ mspId: 'SouthMSP' }] as never, onChange: () => undefined },
    ownLedger: () => undefined,
    isPinned: () => Promise.resolve(true),
    holdOwn: (cid) => void seen.held.push(cid),
    onOwnAnchored: (cids) => void seen.wanted.push(...cids),
    onWaiting: () => undefined,
    logger,
  };
  const tell = (anchor: CommittedAnchor | undefined): void => {
    if (anchor !== undefined) for (const listener of listeners) listener(anchor);
  };
  return { ...seen, cursors, parts, tell };
}

const heights = (taken: readonly { readonly msp: string; readonly blocks: readonly AnchoredBlock[] }[]) =>
  taken.map(({ msp, blocks }) => [msp, ...blocks.map(({ height }) => height)]);

test('S5: what was anchored while nobody looked is taken in from where the cursor stands, then each anchor as it comes', async () => {
  const south = chainOf('SouthMSP', [2, 3, 1]);
  const last = south.anchors.pop();
  const { parts, taken, cursors, tell } = world({ SouthMSP: south });
  cursors.set('SouthMSP', { height: 2, hash: south.headers[1]?.hash ?? '' });
  const follower = createLedgerFollower(parts);
  await follower.start();
  await until(() => taken.length === 1);
  if (last !== undefined) south.anchors.push(last);
  tell(last);
  await until(() => taken.length === 2);
  await follower.stop();
  expect(heights(taken)).toEqual([
    ['SouthMSP', 3, 4, 5],
    ['SouthMSP', 6],
  ]);
  expect(taken[0]?.blocks.map(({ cid, hash, pinned }) => [cid, hash, pinned])).toEqual(
    south.headers.slice(2, 5).map(({ body, hash }) => [body, hash, false]),
  );
});

test('an anchor whose Merkle root is not that of its blocks brings nothing in, and others of other ledgers go on', async () => {
  const [west, south] = [chainOf('WestMSP', [2]), chainOf('SouthMSP', [2])];
  const [anchor] = west.anchors;
  if (anchor !== undefined) west.anchors[0] = { ...anchor, root: '22'.repeat(32) };
  const { parts, taken, asked, tell } = world({ WestMSP: west, SouthMSP: south });
  const follower = createLedgerFollower(parts);
  await follower.start();
  tell(west.anchors[0]);
  await until(() => taken.length === 1 && asked.some((text) => text.startsWith('WestMSP')));
  await follower.stop();
  expect(heights(taken)).toEqual([['SouthMSP', 1, 2]]);
});

test('own blocks come from the own chain, are counted as held where they are pinned, and receipts are asked for', async () => {
  const north = chainOf('NorthMSP', [2]);
  const { parts, taken, asked, held, wanted } = world({ NorthMSP: north });
  const bytes = north.headers.map((header) => header.bytes);
  const follower = createLedgerFollower({
    ...parts,
    ownLedger: () => ({ headers: () => bytes, publish: () => Promise.resolve() }),
    isPinned: (cid) => Promise.resolve(cid === north.headers[0]?.body),
  });
  await follower.start();
  await until(() => taken.length === 1);
  await follower.stop();
  expect(taken[0]).toMatchObject({ own: true, blocks: [{ pinned: true }, { pinned: false }] });
  expect([asked, held, wanted]).toEqual([[], [north.headers[0]?.body], north.headers.map(({ body }) => body)]);
});

test('a ledger with other anchors than it had is followed from its beginning', async () => {
  const south = chainOf('SouthMSP', [2, 1]);
  const { parts, taken, cursors } = world({ SouthMSP: south });
  cursors.set('SouthMSP', { height: 2, hash: 'another' });
  const follower = createLedgerFollower(parts);
  await follower.start();
  await until(() => taken.length === 2);
  await follower.stop();
  expect(heights(taken)).toEqual([
    ['SouthMSP', 1, 2],
    ['SouthMSP', 3],
  ]);
});

test('S5: blocks may be anchored up to the first whose body too few have given receipts for; those behind it are published and asked for', async () => {
  const { headers } = chainOf('NorthMSP', [4]);
  const receipts = new Map(headers.map(({ body }, index) => [body, [2, 2, 1, 2][index] ?? 0]));
  const published: number[][] = [];
  const asked: string[] = [];
  let woken = 0;
  const gate = createLedgerGate({
    mspId: 'NorthMSP',
    replicas: 2,
    store: {
      replicas: (cid) =>
        ((receipts.get(cid) ?? 0) > 0 && cid !== headers[2]?.body ? [{ msp: 'NorthMSP' }] : []) as never,
      receiptCount: (cid) => receipts.get(cid) ?? 0,
      anchored: () => undefined,
    },
    ownLedger: () => ({
      headers: (first, last) => headers.slice(first - 1, last).map(({ bytes }) => bytes),
      publish(first, last) {
        published.push([first, last]);
        return Promise.resolve();
      },
    }),
    holdOwn: (cid) => void receipts.set(cid, 2),
    ask: (cids) => void asked.push(...cids),
    onPublished: () => (woken += 1),
    logger,
  });
  expect([gate.mayAnchor(1, 4), gate.lacking]).toEqual([2, 1]);
  await until(() => woken === 1);
  expect([published, asked]).toEqual([[[3, 4]], []]);
  expect([gate.mayAnchor(3, 4), gate.lacking]).toEqual([4, 0]);
  expect(published).toHaveLength(1);
});
