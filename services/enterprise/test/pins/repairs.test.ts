import { cidOfDagCbor, cidOfRaw, WaymarkError } from '@waymark/protocol';
import type { Logger } from '@waymark/service-kit';
import type { CID } from 'multiformats/cid';
import { createOfferSweeper } from '../../src/pins/offer-sweeper.ts';
import { observedReader } from '../../src/repair/observed-reader.ts';
import { createRepairs, type Repairs } from '../../src/repair/repairs.ts';

const silent = { warn: () => undefined, error: () => undefined, info: () => undefined } as unknown as Logger;
const leaf = cidOfRaw(Uint8Array.of(1));
const root = cidOfDagCbor(Uint8Array.of(2));
const other = cidOfRaw(Uint8Array.of(3));

let repairs: Repairs;
let asked: string[];
let answer: (cid: string) => Promise<void>;
let now: number;

beforeEach(() => {
  asked = [];
  answer = () => Promise.resolve();
  now = 0;
  const ask = (cid: string): Promise<void> => {
    asked.push(cid);
    return answer(cid);
  };
  repairs = createRepairs({
    keeper: { repairBlock: (cid: CID) => ask(cid.toString()) },
    keepUnit: (cid) => (cid === root.toString() ? ask(`batch ${cid}`) : undefined),
    onRepaired: () => undefined,
    mspId: 'NorthMSP',
    logger: silent,
    // Every look at the clock finds all delays over.
    nowMs: () => (now += 100_000),
  });
});

afterEach(() => repairs.stop());

const until = async (condition: () => boolean): Promise<void> => {
  for (let turn = 0; turn < 400 && !condition(); turn += 1) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(condition()).toBe(true);
};

test('S7: a block is repaired once, however often it is read meanwhile; a batch with all it links to', async () => {
  for (let read = 0; read < 5; read += 1) repairs.report(leaf);
  repairs.report(root);
  expect(repairs.counts.waiting).toBe(2);
  await repairs.start();
  await until(() => repairs.counts.done === 2);
  expect(asked.sort()).toEqual([leaf.toString(), `batch ${root.toString()}`].sort());
});

test('a repair that fails is tried again, and given up after six times', async () => {
  answer = () => Promise.reject(new WaymarkError('unavailable', 'nobody has it'));
  repairs.report(leaf);
  await repairs.start();
  await until(() => repairs.counts.failed === 1);
  expect([asked.length, repairs.counts]).toEqual([6, { waiting: 0, done: 0, failed: 1 }]);
});

test('what a store can never write over is not tried again', async () => {
  answer = () => Promise.reject(new WaymarkError('unsupported', 'it keeps the altered copy'));
  repairs.report(leaf);
  await repairs.start();
  await until(() => repairs.counts.failed === 1);
  expect(asked).toHaveLength(1);
});

test('no more wait for repair than there is room for', () => {
  for (let seed = 0; seed < 2_000; seed += 1) repairs.report(cidOfRaw(Buffer.from(String(seed))));
  expect(repairs.counts.waiting).toBe(1_024);
});

test('S7: who reads gets the error; what was altered and what is missing is told apart, other failures are not told', async () => {
  const told: string[] = [];
  let failure: Error = new Error('none');
  const store = {
    get: () => Promise.reject(failure),
    async *getMany(cids: Iterable<CID>) {
      for (const cid of cids) {
        if (cid.equals(leaf)) throw failure;
        yield Promise.resolve({ cid, bytes: new Uint8Array(0) });
      }
    },
  };
  const reader = observedReader(store, (cid, trouble) => told.push(`${trouble} ${String(cid)}`));
  const readAll = async (): Promise<void> => {
    for await (const { cid } of reader.getMany([other, leaf, other])) expect(cid.equals(other)).toBe(true);
  };
  for (const [code, reason] of [
    ['data-abnormal', 'hash-mismatch'],
    ['unavailable', 'missing'],
    ['unavailable', 'timeout'],
  ] as const) {
    failure = new WaymarkError(code, 'no', { details: { reason } });
    await expect(reader.get(leaf)).rejects.toBe(failure);
    await expect(readAll()).rejects.toBe(failure);
  }
  const [altered, missing] = [`altered ${leaf.toString()}`, `missing ${leaf.toString()}`];
  expect(told).toEqual([altered, altered, missing, missing]);
});

test('batches that never came onto the channel are unpinned before they are forgotten', async () => {
  const steps: string[] = [];
  const stale = ['one', 'two'];
  const sweeper = createOfferSweeper({
    store: {
      staleOffers: (beforeMs) => (beforeMs === 400 ? [...stale] : []),
      withdraw: (cid) => {
        stale.splice(stale.indexOf(cid), 1);
        steps.push(`forgotten ${cid}`);
      },
    },
    unpin: (cid) => Promise.resolve(void steps.push(`unpinned ${cid}`)),
    lifetimeMs: 600,
    logger: silent,
    nowMs: () => 1_000,
  });
  await sweeper.start();
  await until(() => stale.length === 0);
  await sweeper.stop();
  expect(steps).toEqual(['unpinned one', 'forgotten one', 'unpinned two', 'forgotten two']);
});
