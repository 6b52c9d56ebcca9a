import { setTimeout as sleep } from 'node:timers/promises';
import type { TestConsortium } from './consortium.ts';
import type { TestService } from './service.ts';

const intervalMs = 10;

/** Waits until a condition holds; throws after `timeoutMs`. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('the condition did not come true in time');
    await sleep(intervalMs);
  }
}

/** Waits until services have read every block that the network has now: a registration before this call is known to them. */
export async function caughtUp(
  consortium: TestConsortium,
  ...services: readonly TestService<unknown>[]
): Promise<void> {
  const newest =
    Object.values(consortium.devnet.heights()).reduce((most, height) => (height > most ? height : most), 0n) - 1n;
  for (const service of services) {
    await until(async () => (await metric(service, 'waymark_replica_block_number')) >= Number(newest));
  }
}

/** Value of a metric of a running service. */
export async function metric(service: TestService<unknown>, name: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${String(service.ports.operations)}/metrics`);
  const line = (await answer.text())
    .split('\n')
    .find((text) => text.startsWith(`${name} `) || text.startsWith(`${name}{`));
  if (line === undefined) throw new Error(`no metric ${name}`);
  return Number(line.slice(line.lastIndexOf(' ') + 1));
}
