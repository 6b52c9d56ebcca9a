import { writeSync } from 'node:fs';
import { status } from '@grpc/grpc-js';
import { changeBatchSize, startDevnet, type Devnet } from '../../src/index.ts';
import { codeOf } from '../../src/errors.ts';
import { connectClient, type TestClient } from '../harness/client.ts';
import { CrashPoints } from './crash-points.ts';
import type { ChildEvent, ChildPlan } from './child-protocol.ts';
import { networkOptions } from './network-options.ts';
import { reportOf } from './network-report.ts';

/**
 * A whole network under load in a process of its own, which kills itself where its plan says: `network-child.ts PLAN`. What
 * happens it tells line by line on stdout, without a buffer between.
 */
const plan = JSON.parse(process.argv[2] ?? '{}') as ChildPlan;
const tell = (event: ChildEvent) => writeSync(1, `${JSON.stringify(event)}\n`);
const WORKERS = 6;
/** A network that is put back is away for a moment: the clients are not to make more of it. */
const QUICK_RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 30, 'grpc.max_reconnect_backoff_ms': 60 };
const READY_TIMEOUT_MS = 10_000;
/** Should whoever waits for it be gone. */
const LIFE_LIMIT_MS = 90_000;
setTimeout(() => process.exit(4), LIFE_LIMIT_MS).unref();

const points = new CrashPoints('orderer.example.com');
points.install();
if (plan.crash !== undefined && plan.action === 'start') points.arm(plan.crash);

let devnet: Devnet;
try {
  devnet = await startDevnet(networkOptions(plan.dir, plan.chaincodeAddress));
} catch (error) {
  tell({ event: 'refused', code: String(codeOf(error)), message: String(error) });
  process.exit(3);
}
await devnet.chaincodesReady(READY_TIMEOUT_MS);
const report = await reportOf(devnet);
tell({ event: 'started', report });

const issued = { ...plan.issued };
let pausing: Promise<void> | undefined;
let acknowledged = 0;
const enough: (() => void)[] = [];
const acknowledgedUpTo = (count: number) =>
  new Promise<void>((resolve) => {
    enough.push(() => {
      if (acknowledged >= count) resolve();
    });
  });

const clients = devnet.organisations.map(({ gateway, user }) => connectClient(gateway, user, QUICK_RECONNECT));

async function submitOne(client: TestClient, worker: string): Promise<void> {
  const counter = (issued[worker] ?? 0) + 1;
  issued[worker] = counter;
  const value = JSON.stringify({ id: worker, owner: 'load', value: counter });
  const contract = client.gateway.getNetwork(devnet.channel).getContract('assets');
  const submitted = await contract.submitAsync('raw', { arguments: [worker, value] });
  const { successful, code, transactionId, blockNumber } = await submitted.getStatus({ deadline: Date.now() + 2_000 });
  if (!successful) throw new Error(`validation code ${code}`);
  tell({ event: 'acked', worker, counter, txId: transactionId, blockNumber: Number(blockNumber) });
  acknowledged++;
  for (const check of enough) check();
}

const idle = new Set<Promise<void>>();
async function work(index: number): Promise<never> {
  const client = clients[index % clients.length];
  if (client === undefined) throw new Error('no client');
  for (;;) {
    await pausing;
    const one = submitOne(client, `w${index}`).catch((error: unknown) => {
      // While the network is started anew, clients are refused, and calls end; anything else is a defect.
      const code = codeOf(error);
      if (!REFUSALS.includes(code as status)) tell({ event: 'unexpected', message: String(error) });
      return new Promise<void>((resolve) => setTimeout(resolve, 10));
    });
    idle.add(one);
    await one;
    idle.delete(one);
  }
}
const REFUSALS = [
  status.UNAVAILABLE,
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.FAILED_PRECONDITION,
];

for (let worker = 0; worker < WORKERS; worker++) void work(worker);
await acknowledgedUpTo(4);
if (plan.crash !== undefined && plan.action !== 'start') points.arm(plan.crash);
await act();
await acknowledgedUpTo(acknowledged + plan.acksAfter);
tell({ event: 'crash', point: 'any moment', when: 'after' });
process.kill(process.pid, 'SIGKILL');

async function act(): Promise<void> {
  const { action, snapshotDir } = plan;
  if (action === 'load' || action === 'start') return;
  const quiet = action === 'reset' || action === 'restore';
  let go: () => void = () => undefined;
  if (quiet) {
    pausing = new Promise((resolve) => (go = resolve));
    await Promise.all(idle);
  }
  tell({ event: 'begin', action, issued: { ...issued } });
  if (action === 'config') {
    // Another one than any configuration before it has, whatever came of those: none may be the same.
    const sequence = Math.max(...Object.values(report).map(({ configSequence }) => configSequence));
    for (let next = sequence + 1; next <= sequence + 3; next++) {
      const number = await devnet.updateConfig(changeBatchSize({ maxMessageCount: 5 + (next % 4) }));
      tell({ event: 'configured', blockNumber: Number(number) });
    }
  } else if (action === 'reset') await devnet.reset();
  else if (action === 'snapshot') await devnet.snapshot(snapshotDir);
  else await devnet.restore(snapshotDir);
  tell({ event: 'end', action, issued: { ...issued } });
  pausing = undefined;
  go();
}
