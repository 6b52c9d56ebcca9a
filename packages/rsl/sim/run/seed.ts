import { maybeLie, endLie } from './lying.ts';
import { createOperator, type Operator } from './operator.ts';
import { runRelay } from './relay.ts';
import type { SeedResult } from './result.ts';
import { CALM } from './scenario.ts';
import { makeTrouble } from './trouble.ts';
import { centerOf, createWorld, type Machine, TICK_MS, type World, type WorldOptions } from './world.ts';

/** Least events of a run, and the time after healing within which everything must be settled. */
export const LEAST_EVENTS = 2_000;
const PATIENCE_MS = 20_000;
const MOST_EVENTS = 200_000;

/** Runs the world of one seed to its end, or to the first violation. */
export function runSeed(seed: number, options: WorldOptions = {}): SeedResult {
  const world = createWorld(seed, options);
  const { scenario, events, judge } = world;
  for (const name of scenario.members) world.addMachine(name);
  const operator = createOperator(world);
  for (const machine of world.machines.values()) machine.member.start();
  repeat(world, TICK_MS, () => tickAll(world));
  repeat(world, 40, () => {
    runRelay(world);
    operator.tick();
    if (world.random.chance(100)) keepBackups(world);
  });
  repeat(world, scenario.submitEveryMs, () => submit(world));
  repeat(world, 120, () => resend(world));
  repeat(world, 100, () => restartDown(world));
  if (scenario.troubles.length > 0) {
    repeat(world, scenario.troubleEveryMs, () => {
      if (!world.isHealed) makeTrouble(world, operator, world.random.pick(scenario.troubles));
    });
  }
  events.after(scenario.healAtMs, () => heal(world));

  let isQuiet = false;
  let lastEvent = MOST_EVENTS * 2;
  while (events.count() < lastEvent && !(isQuiet && events.count() >= LEAST_EVENTS)) {
    if (!events.step()) break;
    if (judge.violations.length > 0)
      lastEvent = Math.min(lastEvent, events.count() + (options.eventsAfterViolation ?? 0));
    if (!world.isHealed || events.count() % 16 !== 0 || isQuiet) continue;
    isQuiet = unsettled(world, operator) === null;
    const isOver = events.nowMs() > scenario.healAtMs + PATIENCE_MS || events.count() > MOST_EVENTS;
    if (isOver && !isQuiet) judge.report('liveness', unsettled(world, operator) ?? 'not settled');
  }
  return resultOf(world, seed);
}

function repeat(world: World, everyMs: number, run: () => void): void {
  const again = (): void => {
    run();
    world.events.after(everyMs, again);
  };
  world.events.after(everyMs, again);
}

function tickAll(world: World): void {
  for (const machine of world.machines.values()) {
    if (machine.isRetired) continue;
    // Each tick is an event of its own: members do not tick in step.
    world.events.after(world.random.below(TICK_MS), () => {
      machine.member.tick();
      maybeLie(world, machine);
    });
  }
}

function keepBackups(world: World): void {
  const machine = world.random.pick([...world.machines.values()]);
  if (world.random.chance(500) || machine.backup.length === 0) machine.backup = machine.member.disk.backup();
}

/** Whatever went down comes up again some time; at once when the trouble is over. */
function restartDown(world: World): void {
  for (const machine of world.machines.values()) {
    const { member, isRetired, isHeldDown, puppet } = machine;
    if (member.isUp() || isRetired || isHeldDown || puppet !== null) continue;
    if (world.isHealed || world.random.chance(150)) member.start();
  }
}

/** Departments hand in new records, as long as the trouble lasts. */
function submit(world: World): void {
  if (world.isHealed) return;
  const machine = world.random.pick([...world.machines.values()]);
  if (machine.isRetired || machine.isHeldDown) return;
  const submission = machine.member.submitter.next();
  if (submission !== null) sendToCenter(world, machine, [submission]);
}

/** What is not confirmed is sent again. */
function resend(world: World): void {
  for (const machine of world.machines.values()) {
    if (machine.isRetired || machine.isHeldDown) continue;
    const waiting = machine.member.submitter.unconfirmed(3);
    if (waiting.length > 0) sendToCenter(world, machine, waiting);
  }
}

type Submissions = ReturnType<Machine['member']['submitter']['unconfirmed']>;

/** To the center that the department's own member follows, or to anybody when it knows none. */
function sendToCenter(world: World, { member }: Machine, submissions: Submissions): void {
  const known = member.core()?.status().center;
  const names = [...world.machines.keys()];
  const to = known ?? world.random.pick(names);
  for (const submission of submissions) {
    if (to === member.name) member.receive(member.name, { kind: 'submit', submission });
    else world.network.send(member.name, to, { kind: 'submit', submission });
  }
}

/** The trouble ends: everything works again, and nobody lies any more. */
function heal(world: World): void {
  world.isHealed = true;
  world.note('healed');
  world.network.mend();
  world.network.weather = { ...CALM };
  world.isChainAway = false;
  for (const machine of world.machines.values()) {
    const { member } = machine;
    member.disk.fault = undefined;
    member.syncDelayMs = 0;
    member.clock.correct();
    endLie(world, machine);
    member.resume();
  }
  restartDown(world);
}

/** What is not settled yet; null when everything that was submitted is accounted for everywhere. */
function unsettled(world: World, operator: Operator): string | null {
  const center = centerOf(world);
  const status = center?.member.core()?.status();
  if (center === undefined || status === undefined) return 'there is no center';
  if (operator.isBusy()) return 'a membership change is not done';
  const { members } = status.configuration;
  for (const name of members) {
    const machine = world.machines.get(name);
    if (machine === undefined || machine.isRetired) return `${name} is a member without a machine`;
    const [waiting] = machine.member.submitter.unconfirmed(1);
    if (waiting !== undefined) return `${name}'s submission ${waiting.seq} is not confirmed`;
  }
  const height = status.confirmed.height;
  for (const name of members) {
    const here = world.machines.get(name)?.member.store().height() ?? 0;
    if (here < lastRecords(world)) return `${name} has confirmed ${here} of ${lastRecords(world)}`;
  }
  if (world.chain.height() < lastRecords(world)) return `the channel has ${world.chain.height()} of ${height} blocks`;
  return null;
}

/** The highest confirmed block that holds records. */
function lastRecords(world: World): number {
  for (let height = world.judge.chain.size; height > 0; height -= 1) {
    if ((world.judge.chain.get(height)?.entries.length ?? 0) > 0) return height;
  }
  return 0;
}

function resultOf(world: World, seed: number): SeedResult {
  const { scenario, judge, events } = world;
  const { members, profile, tolerated, lies, troubles } = scenario;
  for (const { checker, atMs, message } of judge.violations)
    world.trace.line(`${atMs} VIOLATION ${checker}: ${message}`);
  const faults: Record<string, number> = {};
  for (const kind of [...world.faults.keys()].sort()) faults[kind] = world.faults.get(kind) ?? 0;
  return {
    seed,
    events: events.count(),
    violations: judge.violations,
    blocksConfirmed: judge.chain.size,
    centerChanges: world.centers.size,
    faults,
    digest: world.trace.digest(),
    world: `n=${members.length} ${profile} t=${tolerated} liars=${[...world.liars].join('+')} colluders=${[...world.colluders].join('+')} lies=${lies.join('+')} troubles=${troubles.join('+')}`,
  };
}
