import { type LedgerLog, type LogPosition } from '@waymark/ledger-log';
import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import {
  type Audit,
  type BlockHash,
  type Configuration,
  createCore,
  type Crypto,
  type DepartmentCursor,
  type Equivocation,
  type Limits,
  type MemberId,
  type MembershipChange,
  type Message,
  type Ready,
  type RslCore,
  type Seal,
  type SealedBlock,
  type Status,
  type Submission,
  type SubmissionReceipt,
  type VoteCertificate,
} from '@waymark/rsl';
import { createApplier } from './applier.ts';
import { createClearance, goesOn } from './clearance.ts';
import type { MemberChain, MemberEvents, MemberGreeting, MemberPeers, Office } from './ports.ts';
import { createProposals, notInOffice, refusalOf } from './proposals.ts';

/** Blocks that stay in memory below the last applied one, so that a member that is a little behind needs no snapshot. */
const blocksKeptInMemory = 64;
/** Ticks for which everybody else leaves the first election of a new ledger to the preferred center. */
const patienceTicks = 50;
/** Ticks that are made up for at most after the process stood still. */
const maxTicksAtOnce = 64;

/** What a member is made of. */
export interface LedgerMemberOptions {
  readonly ledger: string;
  readonly id: MemberId;
  /** Of epoch 1; later ones are in the ledger. */
  readonly configuration: Configuration;
  readonly crypto: Crypto;
  /** `isRecorded` is the member's own matter. */
  readonly audit: Omit<Audit, 'isRecorded'>;
  /** A whole number from 0 to 2^32 - 1. */
  readonly random: () => number;
  readonly limits?: Partial<Limits>;
  readonly log: LedgerLog;
  readonly chain: MemberChain;
  readonly peers: MemberPeers;
  /** What was remembered of other members' logs before; kept up by `remember`. */
  readonly remembered?: ReadonlyMap<MemberId, LogPosition>;
  /** Makes durable what another member said of its log. */
  readonly remember?: (member: MemberId, position: LogPosition) => void;
  /** Finds out what the audit of a message's candidates needs to know; the message waits for it, and those of the same sender behind it. */
  readonly prepare?: (message: Message) => Promise<void> | undefined;
  readonly events?: MemberEvents;
  /** Wall clock, for what is signed. */
  readonly nowMs: () => number;
  /** Monotonic clock. */
  readonly monotonicMs: () => number;
  readonly tickMs: number;
  /** Whether this member stands at once when it finds nobody in office: the preferred center of a new ledger. */
  readonly standsFirst?: boolean;
}

/** How a member stands, for operators. */
export interface MemberStatus extends Status {
  /** Applied to the chain. */
  readonly applied: number;
  /** Whether enough others have said what they remember of this member's log; until then it takes no part. */
  readonly isCleared: boolean;
  readonly isBarred: boolean;
  readonly fault: string | null;
}

/** One member of a private ledger at work (packages/rsl/README.md, "The driver's duties in order"). */
export interface LedgerMember {
  start(): void;
  /** Finishes what is on its way to the disk. */
  stop(): Promise<void>;
  /** A message of another member, from the transport. Resolves when the next one of this sender may be given in. */
  receive(message: Message): Promise<void>;
  /** For a connection to another member. */
  greeting(peer: MemberId): MemberGreeting;
  greeted(peer: MemberId, greeting: MemberGreeting): void;
  /**
   * At the center: takes a submission; resolves when its receipt binds, durable here.
   * @throws WaymarkError unavailable (`details.center`: who is in office), conflict (`already-recorded`), sequence-gap, replay-conflict, signature-invalid,
   *   recipient-mismatch, input-invalid, limit-exceeded
   */
  propose(submission: Submission): Promise<SubmissionReceipt>;
  /** Where a department's sequence stands at the center. @throws WaymarkError unavailable */
  position(department: MemberId): DepartmentCursor | null;
  /** @throws WaymarkError unavailable, input-invalid */
  changeMembership(change: MembershipChange): void;
  /** @throws WaymarkError unavailable, input-invalid */
  handOver(to: MemberId): void;
  /** Stands for election now. */
  campaign(): void;
  receipted(receipt: SubmissionReceipt): void;
  anchored(height: number, hash: BlockHash): void;
  accuse(evidence: Equivocation): void;
  confirmation(height: number): readonly Seal[] | null;
  election(): VoteCertificate | null;
  block(height: number): SealedBlock | null;
  office(): Office;
  status(): MemberStatus;
  /** Whether the log has room for more submissions. */
  readonly hasRoom: boolean;
}

/**
 * Builds a member.
 * @throws WaymarkError configuration-invalid; internal when the log's steps are no history of this member
 */
export function createLedgerMember(options: LedgerMemberOptions): LedgerMember {
  return new Member(options);
}

class Member implements LedgerMember {
  readonly #options: LedgerMemberOptions;
  readonly #core: RslCore;
  readonly #applier;
  readonly #clearance;
  readonly #proposals = createProposals();
  readonly #remembered: Map<MemberId, LogPosition>;
  #timer: NodeJS.Timeout | undefined;
  #tickedAtMs = 0;
  #working: Promise<void> | undefined;
  #isStopped = false;
  #fault: unknown;
  #office: Office = { center: null, term: 0, isHere: false };
  #compacted = 0;
  #synced = 0;
  #waited = 0;

  constructor(options: LedgerMemberOptions) {
    this.#options = options;
    const { chain, log, audit, events = {} } = options;
    this.#applier = createApplier(
      chain,
      (blocks) => {
        if (!this.#isStopped) events.onApplied?.(blocks);
      },
      (error) => this.#fail(error),
    );
    this.#core = createCore({
      ledger: options.ledger,
      id: options.id,
      configuration: options.configuration,
      crypto: options.crypto,
      audit: { ...bound(audit), isRecorded: (oid) => this.#applier.isRecorded(oid) },
      random: options.random,
      limits: { closingTicks: options.configuration.profile.center === 'trusted' ? 1 : 0, ...options.limits },
      persisted: log.restored.steps,
      applied: chain.height,
    });
    this.#clearance = createClearance(log, options.id, () => this.#core.status().configuration);
    this.#remembered = new Map(options.remembered);
  }

  start(): void {
    const { tickMs, monotonicMs, standsFirst } = this.#options;
    this.#tickedAtMs = monotonicMs();
    this.#timer = setInterval(() => this.#tick(), tickMs);
    if (standsFirst === true && this.#clearance.isCleared) this.#core.campaign();
    this.#work();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    this.#proposals.abandon(null);
    await this.#working;
    await this.#applier.idle();
  }

  async receive(message: Message): Promise<void> {
    if (!this.#takesPart()) return;
    await this.#options.prepare?.(message);
    if (!this.#takesPart()) return;
    this.#guarded(() => this.#core.step(message, this.#options.nowMs()));
    this.#work();
  }

  greeting(peer: MemberId): MemberGreeting {
    return { position: this.#options.log.position(), remembered: this.#remembered.get(peer) ?? null };
  }

  greeted(peer: MemberId, { position, remembered }: MemberGreeting): void {
    const wasCleared = this.#clearance.isCleared;
    const standing = this.#clearance.heard(peer, remembered);
    if (standing !== 'held') this.#options.events?.onAlert?.({ type: 'forgotten', by: peer, standing });
    if (goesOn(this.#remembered.get(peer), position)) {
      this.#remembered.set(peer, position);
      this.#options.remember?.(peer, position);
    }
    if (!this.#takesPart()) return;
    const { term, center } = this.#core.status();
    // The preferred center stands as soon as there are enough to vote, and again with each who comes, until somebody is in office.
    const isFirst = this.#options.standsFirst === true && center === null && term === 0;
    if (isFirst) this.#guarded(() => this.#core.campaign());
    if (!isFirst && wasCleared) return;
    this.#work();
  }

  propose(submission: Submission): Promise<SubmissionReceipt> {
    if (!this.office().isHere) return Promise.reject(notInOffice(this.office().center));
    if (!this.hasRoom)
      return Promise.reject(new WaymarkError('unavailable', "The ledger's log is nearly full; it takes nothing in."));
    const result = this.#core.propose(submission, this.#options.nowMs());
    if (!result.accepted) return Promise.reject(refusalOf(result));
    const receipt = this.#proposals.wait(submission.department, submission.seq);
    this.#work();
    return receipt;
  }

  position(department: MemberId): DepartmentCursor | null {
    this.#requireOffice();
    return this.#core.position(department);
  }

  changeMembership(change: MembershipChange): void {
    this.#requireOffice();
    const result = this.#core.changeMembership(change);
    if (!result.accepted) throw refusalOf(result);
    this.#work();
  }

  handOver(to: MemberId): void {
    this.#requireOffice();
    const result = this.#core.handOver(to);
    if (!result.accepted) throw refusalOf(result);
    this.#work();
  }

  campaign(): void {
    if (!this.#takesPart()) return;
    this.#core.campaign();
    this.#work();
  }

  receipted(receipt: SubmissionReceipt): void {
    this.#core.receipted(receipt);
  }

  anchored(height: number, hash: BlockHash): void {
    if (this.#isStopped) return;
    this.#core.anchored(height, hash);
    this.#work();
  }

  accuse(evidence: Equivocation): void {
    this.#core.accuse(evidence);
    this.#work();
  }

  confirmation(height: number): readonly Seal[] | null {
    return this.#core.confirmation(height);
  }

  election(): VoteCertificate | null {
    return this.#core.election();
  }

  block(height: number): SealedBlock | null {
    return this.#core.block(height);
  }

  office(): Office {
    const { role, term, center } = this.#core.status();
    const isHere = role === 'center' && this.#takesPart() && !this.#stoodStill;
    return { center: role === 'center' && !isHere ? null : center, term, isHere };
  }

  status(): MemberStatus {
    return {
      ...this.#core.status(),
      applied: this.#applier.height,
      isCleared: this.#clearance.isCleared,
      isBarred: this.#clearance.isBarred,
      fault: this.#fault === undefined ? null : faultOf(this.#fault),
    };
  }

  get hasRoom(): boolean {
    return !this.#options.log.stats().isNearlyFull;
  }

  #takesPart(): boolean {
    return !this.#isStopped && this.#clearance.isCleared;
  }

  /** Whether so much time went by unnoticed that others may have elected another center (SIGSTOP, a long pause). */
  get #stoodStill(): boolean {
    const { monotonicMs, tickMs, limits } = this.#options;
    return monotonicMs() - this.#tickedAtMs > tickMs * (limits?.electionTicks ?? 10);
  }

  /** Nobody has ever been in office: the preferred center is about to be started, too. */
  #isPatient(): boolean {
    const { configuration, id } = this.#options;
    const { term, center } = this.#core.status();
    if (term > 0 || center !== null || configuration.eligible[0] === id) return false;
    this.#waited += 1;
    return this.#waited <= patienceTicks;
  }

  #requireOffice(): void {
    const office = this.office();
    if (!office.isHere) throw notInOffice(office.center);
  }

  #tick(): void {
    const { monotonicMs, nowMs, tickMs } = this.#options;
    const passed = Math.floor((monotonicMs() - this.#tickedAtMs) / tickMs);
    this.#tickedAtMs = monotonicMs();
    if (!this.#takesPart()) return;
    if (this.#isPatient()) return;
    // A center that stood still has to find out that it lost touch; a follower hears first what arrived meanwhile.
    const ticks = this.#core.status().role === 'center' ? Math.min(Math.max(passed, 1), maxTicksAtOnce) : 1;
    this.#guarded(() => {
      for (let tick = 0; tick < ticks; tick += 1) this.#core.tick(nowMs());
    });
    this.#work();
  }

  /** Everything that is fed before the next turn of the event loop shares one sync. */
  #work(): void {
    if (this.#working !== undefined || this.#isStopped) return;
    this.#working = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#run())
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#working = undefined;
      });
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      if (this.#core.hasReady()) await this.#handOut(this.#core.ready());
      else if (!(await this.#checkpoint())) break;
    }
    this.#noticeOffice();
  }

  async #handOut(ready: Ready): Promise<void> {
    const { peers, log, events = {}, chain } = this.#options;
    for (const message of ready.early) peers.send(message);
    if (ready.sealed.length > 0) events.onSealed?.(ready.sealed);
    const isCenter = this.#core.status().role === 'center';
    const persisted = ready.persist.length > 0 ? log.persist(ready.persist) : undefined;
    // A center's departments are at work now, a department's center waits for its answer.
    try {
      if (isCenter) this.#nameBodies(ready.persist);
    } finally {
      await persisted;
    }
    for (const message of ready.messages) peers.send(message);
    for (const receipt of ready.receipts) this.#proposals.receipt(receipt);
    if (!isCenter) this.#nameBodies(ready.persist);
    if (ready.snapshot !== null) {
      await this.#applier.idle();
      await chain.installSnapshot(ready.snapshot);
      events.onSnapshot?.(ready.snapshot);
    }
    if (ready.confirmed.length > 0) {
      events.onConfirmed?.(ready.confirmed);
      this.#applier.add(ready.confirmed);
    }
    if (ready.returned.length > 0) events.onReturned?.(ready.returned);
    for (const alert of ready.alerts) events.onAlert?.(alert);
    this.#core.advance();
    this.#noticeOffice();
  }

  /** Bodies are encrypted while others are waited for: their names are needed as soon as a block is sealed. */
  #nameBodies(steps: Ready['persist']): void {
    const { crypto } = this.#options;
    for (const step of steps) if (step.type === 'candidate') crypto.bodyId(step.candidate);
  }

  /** Makes room in the log; answers whether it did anything. Called while nothing is handed out. */
  async #checkpoint(): Promise<boolean> {
    const { log, chain } = this.#options;
    if (!log.stats().isCheckpointDue) return false;
    const height = this.#applier.height - blocksKeptInMemory;
    if (height > this.#compacted && height > this.#synced) {
      // What the log forgets, the chain must hold.
      const applied = this.#applier.height;
      await chain.sync();
      this.#synced = applied;
      return true;
    }
    if (height > this.#compacted && this.#core.compact(height) !== null) {
      this.#compacted = height;
      return true;
    }
    await log.checkpoint(this.#core.checkpoint());
    return !log.stats().isCheckpointDue;
  }

  #noticeOffice(): void {
    const office = this.office();
    const before = this.#office;
    if (office.center === before.center && office.term === before.term && office.isHere === before.isHere) return;
    this.#office = office;
    if (!office.isHere) this.#proposals.abandon(office.center);
    this.#options.events?.onOffice?.(office);
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** What the disk may not hold must not be promised again: the member is over. */
  #fail(error: unknown): void {
    if (this.#fault !== undefined) return;
    this.#fault = error;
    this.#isStopped = true;
    clearInterval(this.#timer);
    this.#proposals.abandon(null);
    this.#options.events?.onFault?.(error);
  }
}

function bound(audit: Omit<Audit, 'isRecorded'>): Omit<Audit, 'isRecorded'> {
  return {
    record: (submission, entry, context) => audit.record(submission, entry, context),
    followsRejection: (submission, entry, reason, context) =>
      audit.followsRejection(submission, entry, reason, context),
    followsAcceptance: (submission, entry, context) => audit.followsAcceptance(submission, entry, context),
  };
}

function faultOf(error: unknown): string {
  return isWaymarkError(error) ? error.code : 'internal';
}
