import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  caughtUp,
  startServiceProcess,
  type ServiceProcess,
  type TestConsortium,
  until,
} from '@waymark/testing/consortium';
import { type PinningFirm, twoCenters } from '../harness/two-centers.ts';

const rounds = 6;
const batchesPerRound = 6;

let consortium: TestConsortium;
let north: PinningFirm;
let south: PinningFirm;
const processes = new Map<PinningFirm, ServiceProcess>();

async function start(firm: PinningFirm): Promise<void> {
  const logFile = join(consortium.folder, `${firm.firm.mspId}.log`);
  processes.set(firm, await startServiceProcess('enterprise', firm.center.file, { logFile }));
}

async function kill(firm: PinningFirm): Promise<void> {
  await processes.get(firm)?.end('SIGKILL');
  processes.delete(firm);
}

beforeAll(async () => {
  const pins = { replicas: 2, anchorAfterReceipts: true, watchIntervalMs: 60_000 };
  ({ consortium, north, south } = await twoCenters([pins, pins]));
  // The outlet is registered while the center runs in this process, which tells when it knows.
  await north.center.start();
  await north.outlet();
  await caughtUp(consortium, north.center);
  await north.center.stop();
  await start(north);
  await start(south);
}, 150_000);

afterAll(async () => {
  (await north.outlet()).close();
  for (const firm of [...processes.keys()]) await kill(firm);
  await consortium.stop();
});

test('S5: centers that are killed at any moment lose no batch, no pin and no receipt, and nothing stays undone', async () => {
  const accepted: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const victim = round % 2 === 0 ? south : north;
    const sending = (async () => {
      for (let count = 0; count < batchesPerRound; count += 1) {
        try {
          const { code, cid } = await north.send({ count: 20 });
          if (code === 'accepted') accepted.push(cid);
        } catch {
          // The center was killed under it: what it has accepted, it says when it is asked for the position.
          return;
        }
      }
    })();
    await sleep(Math.random() * 500);
    await kill(victim);
    await sending;
    await start(victim);
  }
  await until(async () => {
    const status = await north.status();
    const { anchored, replicated, missing } = status.pins;
    return status.batches['accepted'] === 0 && anchored === status.batches['anchored'] && replicated === anchored && missing === 0; // prettier-ignore
  }, 60_000);
  const { body } = await south.call('POST', '/v1/pins/check', { cids: accepted }, north.asCenter);
  expect(accepted.length).toBeGreaterThanOrEqual(batchesPerRound);
  expect(body?.['results']).toEqual(accepted.map((cid) => ({ cid, held: true })));
  expect((await south.status()).pins.waiting).toBe(0);
  for (const cid of accepted) {
    expect((await north.call('GET', `/v1/pins/${cid}`)).body).toMatchObject({ anchored: true, replicated: 2 });
  }
}, 170_000);
