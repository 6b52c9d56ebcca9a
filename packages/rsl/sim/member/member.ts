import {
  createCore,
  type Configuration,
  type Message,
  type PersistStep,
  type PlantedFaults,
  type Ready,
  type RslCore,
  type SealedBlock,
  type SubmissionReceipt,
} from '../../src/index.ts';
import type { SimClock } from '../world/clock.ts';
import { createSimCrypto } from '../world/crypto.ts';
import type { SimDisk } from '../world/disk.ts';
import type { EventQueue } from '../world/events.ts';
import type { SimKeys } from '../world/keys.ts';
import type { Random } from '../world/random.ts';
import { countFault, type FaultCounts } from '../world/trace.ts';
import type { Wire } from '../world/wire.ts';
import type { DriverBug } from '../bugs/planted.ts';
import { createSimAudit } from './audit.ts';
import { createBlockStore, type BlockStore } from './block-store.ts';
import { LEDGER, type Submitter } from './submitter.ts';

/** What a member's driver tells the world, for those who judge. */
export interface MemberObserver {
  sent(member: string, message: Message): void;
  synced(member: string, steps: readonly PersistStep[]): void;
  replaced(member: string, steps: readonly PersistStep[]): void;
  /** Told at once, before the step is synced. */
  sealed(member: string, blocks: readonly SealedBlock[]): void;
  applied(member: string, ready: Ready): void;
  /** A department's member was given a receipt for its submission. */
  receiptTaken(member: string, receipt: SubmissionReceipt): void;
  /** The core threw: a broken invariant. */
  broken(member: string, error: unknown): void;
}

export interface MemberOptions {
  readonly name: string;
  readonly configuration: Configuration;
  readonly events: EventQueue;
  readonly random: Random;
  readonly keys: SimKeys;
  readonly clock: SimClock;
  readonly disk: SimDisk<PersistStep>;
  readonly faults: FaultCounts;
  readonly planted: PlantedFaults;
  readonly driverBug: DriverBug | undefined;
  readonly submitter: Submitter;
  readonly observer: MemberObserver;
  readonly send: (from: string, to: string, wire: Wire) => void;
  /** Another member's confirmed blocks, for what a snapshot left out. */
  readonly blockAt: (height: number) => SealedBlock | undefined;
  readonly closingTicks: number;
  /** Sees what the core wants to send and answers what is sent instead. */
  readonly outgoing?: (message: Message) => readonly Message[];
}

/** One machine of the ledger: the core, and the driver that does its duties in order on a simulated disk, clock and network. */
export interface SimMember {
  readonly name: string;
  readonly disk: SimDisk<PersistStep>;
  readonly clock: SimClock;
  readonly submitter: Submitter;
  isUp(): boolean;
  core(): RslCore | null;
  store(): BlockStore;
  start(): void;
  crash(): void;
  /** The next write loses power half way. */
  crashAtNextWrite(): void;
  /** The process is stopped for a while, and finds everything waiting when it goes on (SIGSTOP). */
  pause(): void;
  /** Goes on, and loses power no more. */
  resume(): void;
  /** The disk is what it was when `records` were copied from it; the blocks it served are fetched again. */
  restore(records: readonly PersistStep[]): void;
  receive(from: string, wire: Wire): void;
  tick(): void;
  /** Calls the core and does what follows from it. */
  act(run: (core: RslCore) => void): void;
  /** Forgets blocks that are confirmed and rewrites the disk. */
  compact(): void;
  syncDelayMs: number;
}

const LIMITS = {
  maxBlockRecords: 8,
  maxSubmissionRecords: 8,
  maxPendingRecords: 60,
  maxAppendEntries: 4,
  inclusionBlocks: 4,
  heartbeatTicks: 2,
  electionTicks: 8,
} as const;

export const INCLUSION_BLOCKS = LIMITS.inclusionBlocks;

export function createMember(options: MemberOptions): SimMember {
  const { name, events, random, disk, clock, observer, faults, driverBug } = options;
  let core: RslCore | null = null;
  let store = createBlockStore();
  let paused = false;
  let syncing = false;
  let crashAtWrite = false;
  // Counts starts and stops: what was planned by an earlier life does not happen in this one.
  let life = 0;
  let inbox: (() => void)[] = [];
  const receipts = new Map<string, SubmissionReceipt>();
  const audit = createSimAudit(() => store);

  const guarded = (run: () => void): void => {
    try {
      run();
    } catch (error) {
      observer.broken(name, error);
      stop();
    }
  };
  const stop = (): void => {
    core = null;
    life += 1;
    inbox = [];
    syncing = false;
    paused = false;
    crashAtWrite = false;
  };
  const whenFree = (run: () => void): void => {
    if (core === null) return;
    if (syncing || paused) {
      if (inbox.length < 400) inbox.push(run);
    } else {
      run();
      pump();
    }
  };
  const post = (messages: readonly Message[]): void => {
    for (const original of messages) {
      for (const message of options.outgoing?.(original) ?? [original]) {
        observer.sent(name, message);
        options.send(name, message.to, { kind: 'core', message });
      }
    }
  };
  const finish = (ready: Ready): void => {
    if (ready.snapshot !== null) fillFrom(ready.snapshot.height);
    for (const block of ready.confirmed) apply(block);
    observer.applied(name, ready);
    if (driverBug !== 'sendBeforeSync') post(ready.messages);
    for (const receipt of ready.receipts) options.send(name, receipt.department, { kind: 'receipt', receipt });
    const confirmedSeq = store.sequenceOf(name);
    options.submitter.confirmedUpTo(confirmedSeq);
    for (const [key, { seq }] of receipts) if (seq <= confirmedSeq) receipts.delete(key);
    core?.advance();
  };
  const apply = (block: SealedBlock): void => {
    store.add(block);
  };
  const fillFrom = (height: number): void => {
    for (let next = store.height() + 1; next <= height; next += 1) {
      const block = options.blockAt(next);
      if (block === undefined) return;
      apply(block);
    }
  };
  const pump = (): void => {
    while (core !== null && !syncing && !paused) {
      if (!core.hasReady()) {
        const next = inbox.shift();
        if (next === undefined) return;
        next();
        continue;
      }
      const ready = core.ready();
      post(ready.early);
      observer.sealed(name, ready.sealed);
      if (driverBug === 'sendBeforeSync') post(ready.messages);
      if (ready.persist.length === 0) {
        finish(ready);
        continue;
      }
      const steps = driverBug === 'forgetSeals' ? ready.persist.filter(({ type }) => type !== 'seal') : ready.persist;
      if (!disk.write(steps) && driverBug !== 'ignoreFullDisk') {
        countFault(faults, 'disk-full');
        stop();
        return;
      }
      if (crashAtWrite) {
        countFault(faults, 'crash-at-write');
        crash();
        return;
      }
      if (member.syncDelayMs === 0) {
        if (!syncNow(steps)) return;
        finish(ready);
        continue;
      }
      syncing = true;
      const mine = life;
      events.after(random.between(1, member.syncDelayMs), () => {
        if (mine !== life) return;
        syncing = false;
        guarded(() => {
          if (!syncNow(steps)) return;
          finish(ready);
          pump();
        });
      });
    }
  };
  const syncNow = (steps: readonly PersistStep[]): boolean => {
    if (disk.sync()) {
      observer.synced(name, steps);
      return true;
    }
    countFault(faults, 'fsync-error');
    if (driverBug === 'ignoreSyncError') return true;
    // After a failed sync nobody knows what is on the disk: the process ends and reads it anew.
    crash();
    return false;
  };
  const isIdle = (): boolean => core !== null && !syncing && !core.hasReady();
  const crash = (): void => {
    const torn = disk.crash(random);
    if (torn !== 'clean') countFault(faults, torn === 'torn' ? 'torn-tail' : 'lost-writes');
    stop();
  };

  const member: SimMember = {
    name,
    disk,
    clock,
    submitter: options.submitter,
    syncDelayMs: 0,
    isUp: () => core !== null,
    core: () => core,
    store: () => store,
    start() {
      if (core !== null) return;
      guarded(() => {
        observer.replaced(name, disk.read());
        if (driverBug === 'auditForgets') store.forgetOids();
        core = createCore({
          ledger: LEDGER,
          id: name,
          configuration: options.configuration,
          crypto: createSimCrypto(options.keys, name),
          audit,
          random: () => random.next(),
          limits: { ...LIMITS, closingTicks: options.closingTicks },
          persisted: disk.read(),
          applied: store.height(),
          faults: options.planted,
        });
        for (const receipt of receipts.values()) core.receipted(receipt);
        pump();
      });
    },
    crash: () => {
      if (core !== null) crash();
    },
    crashAtNextWrite: () => (crashAtWrite = true),
    pause: () => (paused = true),
    resume() {
      paused = false;
      crashAtWrite = false;
      guarded(pump);
    },
    restore(records) {
      if (core !== null) crash();
      disk.replace(records);
      store = createBlockStore();
    },
    receive(from, wire) {
      guarded(() =>
        whenFree(() => {
          if (core !== null) take(core, from, wire);
        }),
      );
    },
    tick() {
      // A stopped process misses its ticks; it does not find them waiting.
      if (core === null || paused || syncing) return;
      guarded(() => whenFree(() => core?.tick(clock.wallMs())));
    },
    act(run) {
      guarded(() => whenFree(() => (core === null ? undefined : run(core))));
    },
    compact() {
      if (core === null || syncing || paused) return;
      guarded(() => {
        const snapshot = core?.compact(core.status().confirmed.height - 1) ?? null;
        if (core === null || snapshot === null) return;
        pump();
        // Only when nothing is under way: the checkpoint stands for everything that was handed out.
        if (!isIdle()) return;
        const steps = core.checkpoint();
        disk.replace(steps);
        observer.replaced(name, steps);
        countFault(faults, 'compaction');
      });
    },
  };

  const take = (running: RslCore, from: string, wire: Wire): void => {
    const nowMs = clock.wallMs();
    switch (wire.kind) {
      case 'core': {
        running.step(wire.message, nowMs);
        return;
      }
      case 'receipt': {
        takeReceipt(running, wire.receipt);
        return;
      }
      case 'turned-down':
        return;
      case 'submit': {
        const { submission } = wire;
        const result = running.propose(submission, nowMs);
        if (result.accepted) return;
        const { reason, center } = result;
        options.send(name, from, { kind: 'turned-down', seq: submission.seq, reason, center });
      }
    }
  };
  // A department keeps its receipts: after a restart the core is told of them again.
  const takeReceipt = (running: RslCore, receipt: SubmissionReceipt): void => {
    if (receipt.department !== name || receipt.seq <= store.sequenceOf(name)) return;
    // A center may give a receipt again; the first one binds it most.
    const key = `${receipt.seq}/${receipt.term}/${receipt.center}`;
    const before = receipts.get(key);
    if (before === undefined || before.height > receipt.height) receipts.set(key, receipt);
    running.receipted(receipt);
    observer.receiptTaken(name, receipt);
  };
  return member;
}
