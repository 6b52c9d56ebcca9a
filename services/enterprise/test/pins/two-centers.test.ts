import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { readPinReceipt } from '@waymark/protocol';
import { caughtUp, metric, type TestConsortium, until } from '@waymark/testing/consortium';
import { flipByte, type PinningFirm, twoCenters } from '../harness/two-centers.ts';

let consortium: TestConsortium;
let north: PinningFirm;
let south: PinningFirm;

beforeAll(async () => {
  const pins = { replicas: 2, watchIntervalMs: 60_000 };
  ({ consortium, north, south } = await twoCenters([pins, pins]));
  await north.center.start();
  await south.center.start();
  await caughtUp(consortium, north.center, south.center);
}, 60_000);

afterAll(async () => {
  (await north.outlet()).close();
  await north.center.stop();
  await south.center.stop();
  await consortium.stop();
});

const replicated = (count: number) => async (): Promise<boolean> => (await north.status()).pins.replicated >= count;

async function held(by: PinningFirm, asked: PinningFirm, cids: readonly string[]): Promise<unknown> {
  const { body } = await by.call('POST', '/v1/pins/check', { cids }, asked.asCenter);
  return (body?.['results'] as { held: boolean }[]).map((result) => result.held);
}

describe('S5: every center pins what the channel anchors', () => {
  test('a batch of one firm is pinned by the other, which gives a receipt for it', async () => {
    const { code, cid, leaves } = await north.send({ count: 3 });
    expect(code).toBe('accepted');
    await until(replicated(1));
    const { body } = await north.call('GET', `/v1/pins/${cid}`);
    const receipts = body?.['receipts'] as { mspId: string; state: string; receipt: string }[];
    expect(body).toMatchObject({ cid, anchored: true, replicated: 2 });
    expect(receipts.map(({ mspId, state }) => [mspId, state])).toEqual([
      ['NorthMSP', 'held'],
      ['SouthMSP', 'held'],
    ]);
    const signed = readPinReceipt(Buffer.from(receipts[1]?.receipt ?? '', 'base64'), consortium.channel);
    expect(signed.receipt).toMatchObject({ cid, msp: 'SouthMSP', node: 'center' });
    expect(await held(south, north, [cid])).toEqual([true]);
    for (const leaf of leaves) expect((await south.call('GET', `/ipfs/${leaf}?format=raw`)).status).toBe(200);
    const { pins } = await north.status();
    expect(pins).toMatchObject({ anchored: 1, replicated: 1, missing: 0 });
    expect(pins.members).toEqual([{ mspId: 'SouthMSP', reachable: true, code: null, awaited: 0 }]);
    expect(await metric(north.center, 'waymark_pins_replicated')).toBe(1);
  });

  test('a byte flipped in a stored envelope is data-abnormal for who reads it, and repaired behind the read', async () => {
    const { leaves } = await north.send({ count: 2 });
    await until(replicated(2));
    const [leaf = ''] = leaves;
    flipByte(north.center, leaf);
    const first = await north.call('GET', `/ipfs/${leaf}?format=raw`);
    expect([first.status, first.body?.['code']]).toEqual([500, 'data-abnormal']);
    await until(async () => (await north.call('GET', `/ipfs/${leaf}?format=raw`)).status === 200);
    expect((await north.status()).pins.repairs).toEqual({ waiting: 0, done: 1, failed: 0 });
    expect(await metric(north.center, 'waymark_repairs_done')).toBe(1);
  });

  test('an altered batch block of the other firm is repaired from that firm', async () => {
    const { cid } = await north.send();
    await until(replicated(3));
    flipByte(south.center, cid);
    const first = await south.call('GET', `/ipfs/${cid}?format=raw`);
    expect([first.status, first.body?.['code']]).toEqual([500, 'data-abnormal']);
    await until(async () => ((await held(south, north, [cid])) as boolean[])[0] === true);
  });
});

describe('S5: the watcher', () => {
  test("a center whose store was wiped gets everything back: its own batches and the other firm's", async () => {
    const before = (await north.status()).pins.anchored;
    await north.center.stop();
    rmSync(join(north.center.config.dataFolder, 'content'), { recursive: true });
    await north.center.start();
    await until(async () => {
      const { pins } = await north.status();
      return pins.replicated === before && pins.waiting === 0 && pins.missing === 0;
    }, 20_000);
    await south.center.stop();
    rmSync(join(south.center.config.dataFolder, 'content'), { recursive: true });
    await south.center.start();
    await until(async () => (await south.status()).pins.waiting === 0);
    const { cid } = await north.send();
    await until(replicated(before + 1), 20_000);
    expect(await held(south, north, [cid])).toEqual([true]);
  }, 60_000);
});
