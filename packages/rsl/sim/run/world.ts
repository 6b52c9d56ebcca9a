import type { Configuration, Message, PersistStep, VoteCertificate } from '../../src/index.ts';
import { coreFaults, isDriverBug, type PlantedBug } from '../bugs/planted.ts';
import { createJudge, type Judge } from '../check/judge.ts';
import { createBlockReader, membershipOf } from '../check/recompute.ts';
import { createMember, INCLUSION_BLOCKS, type SimMember } from '../member/member.ts';
import { createSubmitter } from '../member/submitter.ts';
import { createAnchorChain, type AnchorChain } from '../world/chain.ts';
import { createClock } from '../world/clock.ts';
import { createDisk } from '../world/disk.ts';
import { createEventQueue, type EventQueue } from '../world/events.ts';
import { createKeys, type SimKeys } from '../world/keys.ts';
import { createNetwork, type SimNetwork } from '../world/network.ts';
import { type Random, seededRandom } from '../world/random.ts';
import { countFault, createTrace, type FaultCounts, type Trace } from '../world/trace.ts';
import { type Wire, wireLine } from '../world/wire.ts';
import { drawScenario, type Scenario } from './scenario.ts';

/** A member's machine as the world sees it: the member, or whatever stands in its place on the network. */
export interface Machine {
  readonly member: SimMember;
  /** Takes over what arrives, in place of the member's core: a center that lies. */
  puppet: { tick(): void; receive(from: string, wire: Wire): void } | null;
  /** Out of the configuration for good. */
  isRetired: boolean;
  /** The operator keeps it down. */
  isHeldDown: boolean;
  backup: readonly PersistStep[];
}

/** Everything of one simulated firm. */
export interface World {
  readonly scenario: Scenario;
  readonly events: EventQueue;
  readonly random: Random;
  readonly network: SimNetwork<Wire>;
  readonly keys: SimKeys;
  readonly chain: AnchorChain;
  readonly judge: Judge;
  readonly faults: FaultCounts;
  readonly trace: Trace;
  readonly machines: Map<string, Machine>;
  /** Members that do not follow the protocol, as it comes out. */
  readonly dishonest: Set<string>;
  /** Centers that have lied. */
  readonly liars: Set<string>;
  /** Departments in league with them. */
  readonly colluders: Set<string>;
  readonly bug: PlantedBug | undefined;
  /** Elections that went over the wire, by term and center. */
  readonly elections: ReadonlyMap<string, VoteCertificate>;
  readonly centers: ReadonlySet<string>;
  isHealed: boolean;
  isChainAway: boolean;
  addMachine(name: string): Machine;
  note(text: string): void;
}

export const TICK_MS = 20;

export interface WorldOptions {
  readonly planted?: PlantedBug;
  /** More departments in league than tolerated. */
  readonly overcolluding?: boolean;
  /** How long to go on after a rule was broken, to see which other checkers notice; not at all by default. */
  readonly eventsAfterViolation?: number;
  readonly print?: (line: string) => void;
}

export function createWorld(seed: number, options: WorldOptions): World {
  const random = seededRandom(seed);
  const scenario = drawScenario(random.fork(1), options.overcolluding === true);
  const events = createEventQueue();
  const faults: FaultCounts = new Map();
  const trace = createTrace(options.print);
  const keys = createKeys(seed);
  const reader = createBlockReader(keys);
  const configuration = firstConfiguration(scenario);
  const first = membershipOf(configuration);
  const dishonest = new Set(scenario.colluders);
  const judge = createJudge({
    first,
    reader,
    nowMs: () => events.nowMs(),
    dishonest,
    honestWorld: scenario.liarCount === 0,
    hasColluders: scenario.tolerated > 0,
    inclusionBlocks: INCLUSION_BLOCKS,
  });
  const machines = new Map<string, Machine>();
  const elections = new Map<string, VoteCertificate>();
  const centers = new Set<string>();
  const bug = options.planted;
  const note = (text: string): void => trace.line(`${events.nowMs()} ${text}`);

  const network = createNetwork<Wire>(events, random.fork(2), faults, { ...scenario.weather }, (from, to, wire) => {
    const machine = machines.get(to);
    if (machine === undefined) return;
    note(`${to} < ${from} ${wireLine(wire)}`);
    if (machine.puppet !== null) machine.puppet.receive(from, wire);
    else machine.member.receive(from, wire);
  });

  const world: World = {
    scenario,
    events,
    random,
    network,
    keys,
    judge,
    faults,
    trace,
    machines,
    dishonest,
    liars: new Set(),
    colluders: new Set(scenario.colluders),
    bug,
    elections,
    centers,
    isHealed: false,
    isChainAway: false,
    note,
    chain: createAnchorChain({ keys, reader, first, onAnchor: (anchor) => judge.anchor(anchor) }),
    addMachine(name) {
      const submitter = createSubmitter(name, keys, random.fork(3), ({ hash, department, seq, records }) =>
        judge.register({ hash, department, seq, oids: records.map(({ oid }) => oid) }),
      );
      const member = createMember({
        name,
        configuration,
        events,
        random: random.fork(4),
        keys,
        clock: createClock(events),
        disk: createDisk(),
        faults,
        // A liar's own core is sound: it is only not asked when it lies.
        planted: coreFaults(bug),
        // Every third world has centers that wait for more records before they add an empty block.
        closingTicks: seed % 3 === 2 ? 4 : 0,
        driverBug: bug !== undefined && isDriverBug(bug) ? bug : undefined,
        submitter,
        send: (from, to, wire) => (from === to ? loopBack(to, wire) : network.send(from, to, wire)),
        blockAt: (height) => storedBlock(machines, height),
        observer: {
          sent(from, message) {
            learn(message);
            judge.sent(from, message);
          },
          synced: (from, steps) => judge.synced(from, steps),
          replaced: (from, steps) => judge.replaced(from, steps),
          receiptTaken: (from, receipt) => judge.receiptTaken(from, receipt),
          sealed: (from, blocks) => judge.sealed(from, blocks),
          applied(from, ready) {
            for (const { candidate } of ready.confirmed) note(`${from} confirmed ${candidate.height}`);
            judge.applied(from, ready);
          },
          broken(from, error) {
            note(`${from} broke`);
            if (dishonest.has(from)) return;
            const stack = error instanceof Error ? (error.stack ?? error.message) : 'threw';
            // The innermost places tell what broke.
            judge.report('core-invariant', `${from}: ${stack.split('\n').slice(0, 3).join(' ')}`);
          },
        },
      });
      const machine: Machine = { member, puppet: null, isRetired: false, isHeldDown: false, backup: [] };
      machines.set(name, machine);
      return machine;
    },
  };

  const loopBack = (to: string, wire: Wire): void => events.after(1, () => machines.get(to)?.member.receive(to, wire));
  const learn = (message: Message): void => {
    if (message.type !== 'append') return;
    centers.add(`${message.term}/${message.from}`);
    if (message.election !== null) elections.set(`${message.term}/${message.from}`, message.election);
  };
  return world;
}

function firstConfiguration({ members, eligible, profile, tolerated }: Scenario): Configuration {
  return {
    epoch: 1,
    members: [...members].sort(),
    learners: [],
    eligible,
    profile: profile === 'trusted-center' ? { center: 'trusted' } : { center: 'lying', colluding: tolerated },
  };
}

function storedBlock(machines: ReadonlyMap<string, Machine>, height: number) {
  for (const { member } of machines.values()) {
    const block = member.store().get(height);
    if (block !== undefined) return block;
  }
  return undefined;
}

/** The machine whose core says it is center, in the highest term. */
export function centerOf(world: World): Machine | undefined {
  let found: Machine | undefined;
  let highest = -1;
  for (const machine of world.machines.values()) {
    const status = machine.member.core()?.status();
    if (status?.role !== 'center' || status.term <= highest) continue;
    found = machine;
    highest = status.term;
  }
  return found;
}

export function countWorldFault(world: World, kind: string, text: string): void {
  countFault(world.faults, kind);
  world.note(`! ${text}`);
}
