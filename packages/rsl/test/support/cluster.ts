import {
  type Audit,
  type Configuration,
  createCore,
  type Crypto,
  type Limits,
  type MemberId,
  type Message,
  noSubmission,
  type PersistStep,
  type PlantedFaults,
  type Profile,
  type ProposeResult,
  type Ready,
  type RslCore,
  type SealedBlock,
  type Submission,
  submissionStatement,
} from '../../src/index.ts';
import { fakeCrypto } from './fake-crypto.ts';

/** One member with its disk. */
export interface Member {
  core: RslCore;
  disk: PersistStep[];
  readonly confirmed: SealedBlock[];
  readonly sealed: SealedBlock[];
  readonly alerts: Ready['alerts'][number][];
  readonly recorded: Set<string>;
  isDown: boolean;
}

export interface ClusterOptions {
  readonly members?: readonly MemberId[];
  readonly learners?: readonly MemberId[];
  readonly eligible?: readonly MemberId[];
  readonly profile?: Profile;
  readonly limits?: Partial<Limits>;
  readonly faults?: PlantedFaults;
  readonly audit?: Partial<Audit>;
  readonly random?: () => number;
  readonly extra?: readonly MemberId[];
  readonly crypto?: (id: MemberId) => Crypto;
}

/** A ledger without faults of its own: messages arrive in order, unless a test takes them away. */
export interface Cluster {
  readonly configuration: Configuration;
  readonly members: ReadonlyMap<MemberId, Member>;
  readonly wire: Message[];
  member(id: MemberId): Member;
  /** Members or links ("a>b") from which nothing arrives. */
  readonly cut: Set<string>;
  /** Runs one member's duties. */
  work(id: MemberId, see?: (ready: Ready) => void): void;
  /** Delivers what is on the wire now; answers whether there was anything. */
  deliver(only?: (message: Message) => boolean): boolean;
  /** Works and delivers until nothing happens any more. */
  settle(): void;
  tick(ids?: readonly MemberId[]): void;
  elect(id: MemberId): void;
  submission(department: MemberId, oids: readonly string[]): Submission;
  submit(department: MemberId, ...oids: string[]): ProposeResult;
  center(): MemberId | null;
  restart(id: MemberId, keep?: number): void;
  nowMs: number;
}

export const standard: readonly MemberId[] = ['a', 'b', 'c', 'd'];

export function createCluster(options: ClusterOptions = {}): Cluster {
  const ids = options.members ?? standard;
  const configuration: Configuration = {
    epoch: 1,
    members: ids,
    learners: options.learners ?? [],
    eligible: options.eligible ?? ids.slice(0, 2),
    profile: options.profile ?? { center: 'lying', colluding: 0 },
  };
  const crypto = options.crypto ?? fakeCrypto;
  const members = new Map<MemberId, Member>();
  const wire: Message[] = [];
  const cut = new Set<string>();
  const sequences = new Map<MemberId, { seq: number; prev: string }>();
  let nowMs = 1_000_000;

  const make = (id: MemberId, disk: PersistStep[], recorded: Set<string>): RslCore => {
    let seed = id.charCodeAt(0) * 7919;
    return createCore({
      ledger: 'firm/channel',
      id,
      configuration,
      crypto: crypto(id),
      audit: {
        record: () => null,
        followsRejection: () => true,
        followsAcceptance: () => true,
        isRecorded: (oid) => recorded.has(oid),
        ...options.audit,
      },
      random: options.random ?? (() => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0)),
      limits: { electionTicks: 10, ...options.limits },
      persisted: disk,
      ...(options.faults === undefined ? {} : { faults: options.faults }),
    });
  };
  for (const id of [...ids, ...(options.learners ?? []), ...(options.extra ?? [])]) {
    const recorded = new Set<string>();
    members.set(id, {
      core: make(id, [], recorded),
      disk: [],
      confirmed: [],
      sealed: [],
      alerts: [],
      recorded,
      isDown: false,
    });
  }

  const member = (id: MemberId): Member => {
    const found = members.get(id);
    if (found === undefined) throw new Error(`no member ${id}`);
    return found;
  };
  const work = (id: MemberId, see: (ready: Ready) => void = () => undefined): void => {
    const state = member(id);
    while (!state.isDown && state.core.hasReady()) {
      const ready = state.core.ready();
      see(ready);
      wire.push(...ready.early);
      state.disk.push(...structuredClone(ready.persist));
      wire.push(...ready.messages);
      state.sealed.push(...ready.sealed);
      state.confirmed.push(...ready.confirmed);
      state.alerts.push(...ready.alerts);
      for (const { candidate } of ready.confirmed) {
        if (candidate.content.kind !== 'records') continue;
        for (const { submission, rejected } of candidate.content.audited) {
          submission.records.forEach(({ oid }, index) => {
            if (!rejected.some((r) => r.index === index)) state.recorded.add(oid);
          });
        }
      }
      state.core.advance();
    }
  };
  const isCut = ({ from, to }: Message): boolean => cut.has(from) || cut.has(to) || cut.has(`${from}>${to}`);
  const deliver = (only: (message: Message) => boolean = () => true): boolean => {
    const batch = wire.splice(0);
    let isAny = false;
    for (const message of batch) {
      if (!only(message)) {
        wire.push(message);
        continue;
      }
      isAny = true;
      const to = members.get(message.to);
      if (to === undefined || to.isDown || isCut(message)) continue;
      to.core.step(structuredClone(message), nowMs);
    }
    return isAny;
  };
  const submission = (department: MemberId, oids: readonly string[]): Submission => {
    const own = crypto(department);
    const last = sequences.get(department) ?? { seq: 0, prev: noSubmission };
    const records = oids.map((oid) => ({ oid, leaf: own.leafHash([oid]) }));
    const body = {
      ledger: 'firm/channel',
      department,
      seq: last.seq + 1,
      prev: last.prev,
      root: own.merkleRoot(records.map(({ leaf }) => leaf)),
      records,
      attachment: new Uint8Array(0),
    };
    const statement = submissionStatement(body);
    const made = { ...body, hash: own.digest(statement), signature: own.sign(statement) };
    sequences.set(department, { seq: made.seq, prev: made.hash });
    return made;
  };
  const cluster: Cluster = {
    configuration,
    members,
    wire,
    member,
    cut,
    work,
    deliver,
    settle() {
      for (let round = 0; round < 1_000; round += 1) {
        for (const id of members.keys()) work(id);
        if (!deliver()) return;
      }
      throw new Error('the cluster does not come to rest');
    },
    tick(tickIds = [...members.keys()]) {
      nowMs += 100;
      for (const id of tickIds) if (!member(id).isDown) member(id).core.tick(nowMs);
    },
    elect(id) {
      member(id).core.campaign();
      cluster.settle();
    },
    submission,
    submit(department, ...oids) {
      const center = cluster.center();
      if (center === null) throw new Error('no center');
      nowMs += 1;
      return member(center).core.propose(submission(department, oids), nowMs);
    },
    center() {
      let found: { id: MemberId; term: number } | null = null;
      for (const [id, { core, isDown }] of members) {
        const { role, term } = core.status();
        if (!isDown && role === 'center' && term > (found?.term ?? -1)) found = { id, term };
      }
      return found?.id ?? null;
    },
    restart(id, keep) {
      const state = member(id);
      if (keep !== undefined) state.disk = state.disk.slice(0, keep);
      state.core = make(id, structuredClone(state.disk), state.recorded);
      state.confirmed.length = 0;
      state.isDown = false;
    },
    get nowMs() {
      return nowMs;
    },
    set nowMs(value) {
      nowMs = value;
    },
  };
  return cluster;
}
