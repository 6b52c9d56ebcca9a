import { isDeepStrictEqual } from 'node:util';
import type { SealedBlock } from '@waymark/rsl';
import type { SimulatedFiles } from '@waymark/testing/simulated-files';
import type { LedgerLog } from '@waymark/ledger-log';
import { type Cluster, createCluster, standard } from '../../rsl/test/support/cluster.ts';
import { newDisk, openOn } from './support/log.ts';
import { drawFrom } from './support/story.ts';

const options = { maxSegmentSizeBytes: 6_000 };

/** One member's machine: its disk, its log, and what the log has of the core's steps. */
interface Machine {
  disk: SimulatedFiles;
  log: LedgerLog;
  stored: number;
}

/** A ledger of four whose members keep their steps in real logs, and lose power. Nothing of a member is sent before it is durable. */
class LoggedCluster {
  readonly cluster: Cluster = createCluster();
  readonly machines = new Map<string, Machine>();
  readonly #draw: ReturnType<typeof drawFrom>;
  /** What any member ever confirmed, by height. */
  readonly confirmed = new Map<number, string>();
  crashes = 0;
  checkpoints = 0;

  constructor(seed: number) {
    this.#draw = drawFrom(seed);
  }

  async start(): Promise<void> {
    for (const id of standard) {
      const disk = newDisk();
      this.machines.set(id, { disk, log: await openOn(disk, options), stored: 0 });
    }
  }

  /** A member's duties: what it has to persist goes to its log, and its messages go out when that is durable. */
  async work(id: string): Promise<void> {
    const member = this.cluster.member(id);
    const machine = this.machines.get(id);
    if (machine === undefined || member.isDown || !member.core.hasReady()) return;
    const { wire } = this.cluster;
    const before = wire.length;
    this.cluster.work(id);
    const messages = wire.splice(before);
    const steps = member.disk.slice(machine.stored);
    if (this.#draw(25) === 0) machine.disk.losePowerAt(machine.disk.operations() + 1 + this.#draw(3));
    try {
      if (steps.length > 0) await machine.log.persist(steps);
      machine.stored += steps.length;
      if (this.#draw(12) === 0) await this.#compact(id, machine);
    } catch (fault) {
      if (machine.disk.hasPower()) throw fault;
      await this.#restart(id, machine, steps.length);
      return;
    }
    wire.push(...messages);
    for (const block of member.confirmed.splice(0)) this.#note(block);
  }

  async settle(): Promise<void> {
    for (let round = 0; round < 200; round += 1) {
      for (const id of standard) await this.work(id);
      if (!this.cluster.deliver()) return;
    }
    throw new Error('the cluster does not come to rest');
  }

  async #compact(id: string, machine: Machine): Promise<void> {
    const member = this.cluster.member(id);
    const { core } = member;
    if (core.hasReady() || core.compact(core.status().confirmed.height - 1) === null) return;
    this.cluster.work(id);
    await machine.log.persist(member.disk.slice(machine.stored));
    const steps = [...core.checkpoint()];
    await machine.log.checkpoint(steps);
    member.disk = structuredClone(steps);
    machine.stored = steps.length;
    this.checkpoints += 1;
  }

  async #restart(id: string, machine: Machine, unanswered: number): Promise<void> {
    this.crashes += 1;
    machine.disk = machine.disk.afterPowerLoss(this.#draw);
    machine.log = await openOn(machine.disk, { ...options, create: false });
    const { steps } = machine.log.restored;
    const member = this.cluster.member(id);
    const isBeginning = isDeepStrictEqual(steps, member.disk.slice(0, steps.length));
    // Otherwise it is a checkpoint: then the core is at least not behind what it confirmed.
    if (isBeginning && steps.length < machine.stored && steps.length < member.disk.length - unanswered)
      throw new Error(`${id} has lost steps`);
    member.disk = [...steps];
    machine.stored = steps.length;
    this.cluster.restart(id);
  }

  #note({ seal }: SealedBlock): void {
    const { height } = seal.header;
    const known = this.confirmed.get(height);
    if (known !== undefined && known !== seal.hash) throw new Error(`two headers are confirmed for height ${height}`);
    this.confirmed.set(height, seal.hash);
  }
}

test.each([1, 2, 3])(
  'a ledger on logs that lose power again and again confirms one header for each height, and goes on (seed %i)',
  async (seed) => {
    const ledger = new LoggedCluster(seed);
    const draw = drawFrom(seed * 1_000);
    await ledger.start();
    for (let round = 0; round < 40; round += 1) {
      const center = ledger.cluster.center();
      if (center === null)
        for (let tick = 0; tick < 25 && ledger.cluster.center() === null; tick += 1) {
          ledger.cluster.tick();
          await ledger.settle();
        }
      else {
        ledger.cluster.submit(standard[1 + draw(3)] ?? 'b', `oid-${seed}-${round}`);
        await ledger.settle();
        ledger.cluster.tick();
        await ledger.settle();
      }
    }
    expect(ledger.crashes).toBeGreaterThan(2);
    expect(ledger.checkpoints).toBeGreaterThan(0);
    expect(ledger.confirmed.size).toBeGreaterThan(10);
    expect([...ledger.confirmed.keys()].sort((a, b) => a - b)).toEqual(
      Array.from({ length: ledger.confirmed.size }, (_none, index) => index + 1),
    );
  },
);
