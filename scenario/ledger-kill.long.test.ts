import { type EventCounts, eventCounts } from './support/events.ts';
import { type LedgerConsortium, runLedgerConsortium } from './support/ledger/ledger-firm.ts';
import { judgeLedger } from './support/ledger/ledger-judgement.ts';
import { killOnTheWayUp, within } from './support/ledger/killing.ts';
import { type Load, type LoadEvent, startLoad } from './support/load.ts';
import { type Draws, drawsFrom, seedOfRun } from './support/random.ts';

/** As many cycles as fit, unless a number is given: `WAYMARK_KILL_CYCLES=500`. */
const budgetMs = 40_000;
const givenCycles = process.env['WAYMARK_KILL_CYCLES'];
const cycleLimit = Number(givenCycles ?? 10_000);
const untilMs = givenCycles === undefined ? budgetMs : Number(process.env['WAYMARK_KILL_SECONDS'] ?? 7_200) * 1_000;
const loadCount = 2;
const pauseMs = 60;
const progressTimeoutMs = 90_000;

test(
  'kill -9 of any member of a private ledger at seeded moments under load: every acknowledged record is anchored exactly once',
  async () => {
    const seed = seedOfRun();
    const draws = drawsFrom(seed);
    progress(`seed ${String(seed)} (WAYMARK_SEED sets it)`);
    const ledger = await runLedgerConsortium();
    const loads: Load[] = [];
    try {
      const events = eventCounts<LoadEvent>();
      const identity = await ledger.firm.identity('client');
      for (let index = 0; index < loadCount; index += 1)
        loads.push(
          startLoad({
            firm: ledger.firm,
            identity,
            name: `${ledger.firm.mspId}-${String(index)}`,
            draws: drawsFrom(draws.between(0, 2 ** 31)),
            onEvent: (event) => events.count(event),
            pauseMs,
            isSignedAnew: true,
          }),
        );
      await events.next('anchored', 1, progressTimeoutMs);
      const killed = await killAll(ledger, events, draws);
      progress(`${JSON.stringify(killed)} killed; waiting for what is open`);
      await within(
        progressTimeoutMs,
        'every record to be acknowledged',
        Promise.all(loads.map((load) => load.finish())),
      );
      expect(loads.flatMap(({ violations }) => violations)).toEqual([]);
      const acknowledged = new Map(loads.flatMap((load) => [...load.acknowledged]));
      const { lost, double, broken, ...counts } = await judgeLedger(ledger, acknowledged);
      const cycles = Object.values(killed).reduce((sum, count) => sum + count, 0);
      const streamsBroken = events.total('broken');
      progress(
        JSON.stringify({ seed, cycles, killed, ...counts, streamsBroken, lost: lost.length, double: double.length }),
      );
      expect({ lost, double, broken }).toEqual({ lost: [], double: [], broken: [] });
      expect(counts.terms).toBeGreaterThan(1);
    } finally {
      for (const load of loads) load.abort();
      await ledger.running.end();
    }
  },
  untilMs + 10 * 60_000,
);

function progress(text: string): void {
  process.stderr.write(`ledger-kill ${String(Math.round(performance.now() / 1_000))} s: ${text}\n`);
}

/** Kills and restarts members, one or two at a time, until all cycles or the time are used up; how many kills each took. */
async function killAll(
  ledger: LedgerConsortium,
  events: EventCounts<LoadEvent>,
  draws: Draws,
): Promise<Record<string, number>> {
  const killed: Record<string, number> = Object.fromEntries(ledger.members.map((member) => [member, 0]));
  const sum = (): number => Object.values(killed).reduce((total, count) => total + count, 0);
  const deadline = Date.now() + untilMs;
  let told = 0;
  while (sum() < cycleLimit && Date.now() < deadline) {
    // Often before the ledger has found together again.
    if (draws.next() < 0.5) {
      const event = draws.pick(['submitted', 'acknowledged', 'acknowledged', 'anchored'] as const);
      await events.next(event, draws.between(1, 12), progressTimeoutMs);
    }
    const drawn = draws.shuffled(ledger.members).slice(0, draws.next() < 0.15 ? 2 : 1);
    // However few cycles there are: the center is one of them.
    const victims = sum() === 0 ? ledger.members.slice(0, 1) : drawn;
    await Promise.all(victims.map((victim) => ledger.kill(victim)));
    for (const victim of victims) killed[victim] = (killed[victim] ?? 0) + 1;
    for (const victim of victims)
      if (draws.next() < 0.25 && (await killOnTheWayUp(ledger, victim, draws.between(80, 1_500))))
        killed[victim] = (killed[victim] ?? 0) + 1;
    await Promise.all(victims.map((victim) => ledger.restart(victim)));
    if (sum() - told >= 25) {
      told = sum();
      progress(`${String(told)} killed, ${String(events.total('acknowledged'))} acknowledged`);
    }
  }
  // The last restart counts as survived only when work goes on after it.
  await events.next('acknowledged', 1, progressTimeoutMs);
  await events.next('anchored', 1, progressTimeoutMs);
  return killed;
}
