/**
 * Prints how many records a second go from an outlet to accepted and to anchored, each service in its own process.
 * Run: node services/department/test/harness/throughput.ts [--records N] [--profile DIR]
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  caughtUp,
  recordMessage,
  startServiceProcess,
  startTestConsortium,
  submitClient,
} from '@waymark/testing/consortium';

const { values } = parseArgs({
  options: { records: { type: 'string', default: '50000' }, profile: { type: 'string' } },
});
const total = Number(values.records);
const perRequest = 500;

const consortium = await startTestConsortium({ blockTimeoutMs: 250 });
const [north] = consortium.firms;
const person = await north.enrol('client-1', 'client');
const center = await north.center('center', { logLevel: 'info' });
await center.start();
const outlet = await north.outlet('depot', center, { logLevel: 'info' });
await center.stop();
const nodeArgs = values.profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', values.profile];
const log = (name: string): string => join(consortium.folder, `${name}.log`);
const centerProcess = await startServiceProcess('enterprise', center.file, { logFile: log('center'), nodeArgs });
const outletProcess = await startServiceProcess('department', outlet.file, { logFile: log('outlet'), nodeArgs });
const { operations } = outletProcess.ready as { operations: number };
const ports = { grpc: Number(outletProcess.ready['grpc']), api: Number(outletProcess.ready['api']), operations };
await caughtUp(consortium, { ports } as never);

const client = submitClient(north, ports.grpc, person);
const cpuOf = async (pid: number | undefined): Promise<number> => {
  const { readFile } = await import('node:fs/promises');
  const stat = (await readFile(`/proc/${String(pid)}/stat`, 'utf8')).split(' ');
  return (Number(stat[13]) + Number(stat[14])) / 100;
};
const pids = {
  center: centerProcess.process.pid,
  outlet: outletProcess.process.pid,
  chaincode: consortium.chaincode.process.pid,
  'devnet+client': process.pid,
};
const cpu = async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    await Promise.all(Object.entries(pids).map(async ([name, pid]) => [name, await cpuOf(pid)] as const)),
  );

async function run(records: number, label: string): Promise<void> {
  const stream = client.open();
  const before = await cpu();
  const startMs = performance.now();
  let acceptedMs = 0;
  let accepted = 0;
  let anchored = 0;
  const reading = (async () => {
    for await (const { receipts, failures } of stream.responses) {
      if (failures.length > 0) throw new Error(JSON.stringify(failures[0]));
      for (const { state } of receipts)
        if (state === 'accepted') accepted += 1;
        else anchored += 1;
      if (accepted >= records && acceptedMs === 0) acceptedMs = performance.now();
    }
  })();
  const payload = randomBytes(380).toString('hex');
  for (let sent = 0; sent < records; sent += perRequest) {
    const batch = Array.from({ length: Math.min(perRequest, records - sent) }, (_, index) =>
      recordMessage(
        {
          eventId: `${label}-${String(sent + index)}`,
          consignment: `consignment-${String(Math.floor((sent + index) / 20))}`,
          businessIds: [{ type: 'order', value: `${label}-${String(sent + index)}` }],
          payload: { place: sent + index, payload },
        },
        sent + index,
      ),
    );
    await stream.write({ records: batch, flush: false });
  }
  stream.finish();
  await reading;
  const totalMs = performance.now() - startMs;
  const after = await cpu();
  const used = Object.entries(after).map(([name, seconds]) => `${name} ${(seconds - (before[name] ?? 0)).toFixed(1)}s`);
  process.stdout.write(
    `${label}: ${String(records)} records, accepted ${((records / (acceptedMs - startMs)) * 1000).toFixed(0)}/s (${String(accepted)} seen), ` +
      `anchored ${((anchored / totalMs) * 1000).toFixed(0)}/s in ${(totalMs / 1000).toFixed(1)} s; cpu ${used.join(', ')}\n`,
  );
}

await run(Math.min(5_000, total), 'warm-up');
await run(total, 'measured');
client.close();
await outletProcess.end('SIGTERM');
await centerProcess.end('SIGTERM');
await consortium.stop();
