import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { programOf } from '@waymark/network';
import { type EventCounts, eventCounts } from './support/events.ts';
import { judge } from './support/judgement.ts';
import { type Load, type LoadEvent, startLoad } from './support/load.ts';
import { type Draws, drawsFrom, seedOfRun } from './support/random.ts';
import { type Firm, runConsortium, type RunningConsortium } from './support/running-consortium.ts';
import { killByPidFile } from './support/kill-by-pid-file.ts';

/** Issue 3: at least fifty points. */
const killCount = Number(process.env['WAYMARK_KILLS'] ?? 60);
const loadsPerOutlet = 2;

type Kind = 'devnet' | 'chaincode' | 'enterprise' | 'department';

interface Victim {
  readonly kind: Kind;
  readonly name: string;
}

/** What one firm's clients hold after the load, and what they hold of the records that came last. */
interface FirmLoad {
  readonly firm: Firm;
  readonly loads: readonly Load[];
}

test(
  'kill -9 at seeded points of every process under load: every acknowledged record comes back once, nothing is twice on the chain',
  async () => {
    const seed = seedOfRun();
    const draws = drawsFrom(seed);
    progress(`seed ${String(seed)} (WAYMARK_SEED sets it)`);
    const running = await runConsortium();
    let firmLoads: readonly FirmLoad[] = [];
    try {
      const events = eventCounts<LoadEvent>();
      firmLoads = await startLoads(running, events, draws);
      const killed = await killAll(running, events, draws);
      progress(`${JSON.stringify(killed)} killed; waiting for what is open`);
      await within(120_000, Promise.all(firmLoads.flatMap(({ loads }) => loads.map((load) => load.finish()))));
      expect(firmLoads.flatMap(({ loads }) => loads.flatMap(({ violations }) => violations))).toEqual([]);

      const figures = { seed, killed, streamsBroken: events.total('broken'), acknowledged: 0, lost: 0, double: 0 };
      for (const firmLoad of firmLoads) {
        progress(`reading back what ${firmLoad.firm.mspId} acknowledged`);
        const { firm, loads } = firmLoad;
        const acknowledged = new Map(loads.flatMap((load) => [...load.acknowledged]));
        const outcome = await judge(running, firm, { acknowledged, afterSeq: 0, name: 'last' });
        figures.acknowledged += outcome.acknowledged;
        figures.lost += outcome.lost.length;
        figures.double += outcome.double.length;
        expect(outcome.lost).toEqual([]);
        expect(outcome.double).toEqual([]);
        expect(outcome.broken).toEqual([]);
      }
      progress(JSON.stringify(figures));
      expect(Object.values(killed).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(
        Math.min(killCount, 50),
      );
    } finally {
      for (const load of firmLoads.flatMap(({ loads }) => loads)) load.abort();
      await running.end();
    }
  },
  10 * 60_000,
);

async function within<T>(deadlineMs: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('records stay without an acknowledgement')), deadlineMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function progress(text: string): void {
  process.stderr.write(`kill-9 ${String(Math.round(performance.now() / 1_000))} s: ${text}\n`);
}

async function startLoads(
  { firms }: RunningConsortium,
  events: EventCounts<LoadEvent>,
  draws: Draws,
): Promise<FirmLoad[]> {
  return Promise.all(
    firms.map(async (firm) => {
      const identity = await firm.identity('client');
      const loads = Array.from({ length: loadsPerOutlet }, (_, index) =>
        startLoad({
          firm,
          identity,
          name: `${firm.mspId}-${String(index)}`,
          draws: drawsFrom(draws.between(0, 2 ** 31)),
          onEvent: (event) => events.count(event),
        }),
      );
      return { firm, loads };
    }),
  );
}

/** Kills and restarts until every point was used; returns how many kills each kind of process took. */
async function killAll(
  { consortium }: RunningConsortium,
  events: EventCounts<LoadEvent>,
  draws: Draws,
): Promise<Record<Kind, number>> {
  const victims: Victim[] = [
    ...consortium.channel.nodes.map(({ name }) => ({ kind: 'devnet' as const, name })),
    ...consortium.channel.chaincodes.map(({ name }) => ({ kind: 'chaincode' as const, name })),
    ...consortium.services.map(({ kind, process: { name } }) => ({
      kind: programOf(kind),
      name,
    })),
  ];
  const killed: Record<Kind, number> = { devnet: 0, chaincode: 0, enterprise: 0, department: 0 };
  const kinds = Object.keys(killed) as Kind[];
  const order = draws.shuffled(Array.from({ length: killCount }, (_, index) => kinds[index % kinds.length] as Kind));
  const processOf = (name: string) => consortium.processes().find((process) => process.name === name);
  for (const [point, kind] of order.entries()) {
    const victim = draws.pick(victims.filter((item) => item.kind === kind));
    const event = draws.pick(['submitted', 'acknowledged', 'acknowledged', 'anchored'] as const);
    const times = draws.between(1, 40);
    try {
      await events.next(event, times);
    } catch (cause) {
      throw new Error(`before kill ${String(point)} (${victim.name}); ${logTails(consortium.layout.run, victims)}`, {
        cause,
      });
    }
    const process = processOf(victim.name);
    process?.kill('SIGKILL');
    const end = await process?.exited;
    expect(end?.signal).toBe('SIGKILL');
    killed[kind] += 1;
    if (draws.next() < 0.25) killed[kind] += await killWhileStarting(consortium, victim.name, draws);
    await consortium.restart(victim.name);
  }
  // The last restart counts as survived only when work goes on after it.
  await events.next('anchored', 1);
  return killed;
}

/** Kills a process on its way up, at a moment of its start that the seed draws; 1 when it was hit. */
async function killWhileStarting(
  consortium: RunningConsortium['consortium'],
  name: string,
  draws: Draws,
): Promise<number> {
  if (name.startsWith('chaincode-')) return 0;
  const timer = setTimeout(() => killByPidFile(join(consortium.layout.run, `${name}.pid`)), draws.between(80, 600));
  try {
    await consortium.restart(name);
  } catch {
    return 1;
  } finally {
    clearTimeout(timer);
  }
  // It was up before the moment came: it goes the ordinary way.
  const up = consortium.processes().find((item) => item.name === name);
  up?.kill('SIGKILL');
  await up?.exited;
  return 1;
}

function logTails(runFolder: string, victims: readonly Victim[]): string {
  return victims
    .map(({ name }) => {
      const lines = readFileSync(join(runFolder, `${name}.log`), 'utf8')
        .trimEnd()
        .split('\n');
      const tail = lines.slice(-6).map((line) => line.slice(0, 400));
      return `\n--- ${name}\n${tail.join('\n')}`;
    })
    .join('');
}
