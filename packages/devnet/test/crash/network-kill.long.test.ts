import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startDevnet } from '@waymark/devnet';
import { startAssetContract, type ChaincodeProcess } from '../harness/chaincode-process.ts';
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary-folder.ts';
import { chainOf } from './chain-check.ts';
import { buildChild } from './build-child.ts';
import { CrashLane } from './crash-lane.ts';
import { createRandom, firstLife, nextLife, writingLife } from './crash-schedule.ts';
import { networkOptions } from './network-options.ts';
import { reportOf } from './network-report.ts';

const SEED = Number(process.env['DEVNET_CRASH_SEED'] ?? '20261121');
const LANES = 2;
const LIVES = 84;
const FIRST_STARTS = 14;
const LIVES_BETWEEN_CHECKS = 42;

let chaincode: ChaincodeProcess;
let program: string;
beforeAll(async () => {
  program = await buildChild();
  chaincode = await startAssetContract();
});
afterAll(async () => {
  await chaincode.stop();
  await rm(program, { force: true });
  await removeTemporaryFolders();
});

/** Reads the whole chain from every peer: all that was told is in it, once and valid, and the state is what it amounts to. */
async function checkChains(lane: CrashLane): Promise<void> {
  const devnet = await startDevnet(networkOptions(lane.dataDir, chaincode.address));
  try {
    await devnet.chaincodesReady(10_000);
    const report = await reportOf(devnet);
    expect(lane.expected.contradiction(report)).toBeUndefined();
    const chains = await Promise.all(
      devnet.organisations.flatMap((organisation) =>
        organisation.peers.map((node) => chainOf(devnet, organisation, node)),
      ),
    );
    expect(new Set(chains.map(({ fingerprint }) => fingerprint)).size).toBe(1);
    const told = new Set(lane.expected.acknowledged.map(({ txId }) => txId));
    for (const { codes, state } of chains) {
      expect([...told].filter((txId) => codes.get(txId) !== 0)).toEqual([]);
      for (const peer of Object.values(report)) expect(peer.state).toEqual(state);
    }
  } finally {
    await devnet.stop();
  }
}

/** What a snapshot that was cut short left is no network, and says so; an empty folder is what it was before. */
async function checkHalfSnapshot(lane: CrashLane): Promise<boolean> {
  if (lane.hasSnapshot || !existsSync(lane.snapshotDir)) return false;
  const entries = await readdir(lane.snapshotDir);
  if (entries.length === 0 || entries.includes('devnet.json')) return false;
  await expect(startDevnet(networkOptions(lane.snapshotDir, chaincode.address))).rejects.toMatchObject({
    code: 'DATA_INVALID',
  });
  return true;
}

test(`killed in ${LANES * (LIVES + 2 * FIRST_STARTS)} lives, at 200 seeded points and more, a whole network loses nothing that a client was told`, async () => {
  const started = performance.now();
  const lanes: CrashLane[] = [];
  let halfSnapshots = 0;
  const newLane = async () => {
    const lane = new CrashLane(program, join(await temporaryFolder(), 'lane'), chaincode.address);
    lanes.push(lane);
    return lane;
  };
  await Promise.all(
    Array.from({ length: LANES }, async (_, index) => {
      const random = createRandom(SEED + index);
      for (let start = 0; start < FIRST_STARTS; start++) {
        const lane = await newLane();
        await lane.live(firstLife(random));
        await lane.live(writingLife(random));
      }
      const lane = await newLane();
      for (let life = 0; life < LIVES; life++) {
        const next = nextLife(random, lane.hasSnapshot);
        await lane.live(next);
        if (next.action === 'snapshot' && (await checkHalfSnapshot(lane))) halfSnapshots++;
        if (life % LIVES_BETWEEN_CHECKS === LIVES_BETWEEN_CHECKS - 1) await checkChains(lane);
      }
    }),
  );
  const deaths = new Map<string, number>();
  for (const lane of lanes) {
    for (const [point, count] of lane.deaths) deaths.set(point, (deaths.get(point) ?? 0) + count);
  }
  const total = [...deaths.values()].reduce((sum, count) => sum + count, 0);
  const atPoints = total - (deaths.get('any moment') ?? 0);
  const acknowledged = lanes.reduce((sum, lane) => sum + lane.acknowledged, 0);
  const summary = {
    seed: SEED,
    deaths: total,
    atPoints,
    acknowledged,
    halfSnapshots,
    seconds: Math.round((performance.now() - started) / 1000),
  };
  process.stdout.write(`${JSON.stringify({ ...summary, points: Object.fromEntries([...deaths].sort()) })}\n`);
  expect(atPoints).toBeGreaterThanOrEqual(200);
  expect(new Set([...deaths.keys()].map((name) => name.split(',')[0])).size).toBeGreaterThanOrEqual(14);
}, 600_000);
