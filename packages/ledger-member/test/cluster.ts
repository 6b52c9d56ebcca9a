import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedgerLog, type LedgerLog } from '@waymark/ledger-log';
import {
  type Configuration,
  type Crypto,
  type MemberId,
  type Message,
  noSubmission,
  type SealedBlock,
  type Submission,
  submissionStatement,
} from '@waymark/rsl';
import { fakeCrypto } from '../../rsl/test/support/fake-crypto.ts';
import { createLedgerMember, type LedgerMember, type MemberAlert, type MemberChain } from '../src/index.ts';

const ledger = 'firm/channel';

/** A chain in memory that survives its member, as a disk would. */
export interface MemoryChain extends MemberChain {
  readonly blocks: SealedBlock[];
}

/** One member of the cluster. */
export interface Seat {
  readonly member: LedgerMember;
  readonly log: LedgerLog;
  readonly chain: MemoryChain;
  readonly alerts: MemberAlert[];
  readonly faults: unknown[];
}

/** Members in one process, with logs on disk and messages through memory. */
export interface Cluster {
  readonly seats: Map<MemberId, Seat>;
  readonly crypto: (id: MemberId) => Crypto;
  open(id: MemberId, options?: { folder?: string; create?: boolean }): Promise<Seat>;
  close(id: MemberId): Promise<void>;
  /** Neither direction, or only what goes from the first to the second. */
  cut: Set<string>;
  submission(department: MemberId, oids: readonly string[]): Submission;
  /** Resolves with what `look` answers once that is not undefined; looked at after every delivery. */
  until<T>(look: () => T | undefined): Promise<T>;
  center(): Promise<Seat>;
  folder(id: MemberId): string;
  stop(): Promise<void>;
}

export function createCluster(configuration: Configuration, tickMs = 10): Cluster {
  const root = mkdtempSync(join(tmpdir(), 'waymark-ledger-member-'));
  const seats = new Map<MemberId, Seat>();
  const chains = new Map<MemberId, MemoryChain>();
  const remembered = new Map<MemberId, Map<MemberId, ReturnType<LedgerLog['position']>>>();
  const known = new Set<MemberId>();
  const sequences = new Map<MemberId, { seq: number; prev: string }>();
  const cut = new Set<string>();
  const watchers = new Set<() => void>();
  const changed = (): void => {
    for (const watch of [...watchers]) watch();
  };

  const cluster: Cluster = {
    seats,
    cut,
    crypto: fakeCrypto,
    folder: (id) => join(root, id),
    async open(id, { folder = join(root, id), create = !known.has(id) } = {}) {
      known.add(id);
      const log = await openLedgerLog({ folder, create, markAfterMs: null });
      const chain = chains.get(id) ?? memoryChain();
      chains.set(id, chain);
      const alerts: MemberAlert[] = [];
      const faults: unknown[] = [];
      const memory = remembered.get(id) ?? new Map<MemberId, ReturnType<LedgerLog['position']>>();
      remembered.set(id, memory);
      const greet = (): void => {
        for (const [peer, seat] of seats) {
          if (peer === id || cut.has(`${id}>${peer}`) || cut.has(`${peer}>${id}`)) continue;
          seat.member.greeted(id, member.greeting(peer));
          member.greeted(peer, seat.member.greeting(id));
        }
      };
      const member = createLedgerMember({
        ledger,
        id,
        configuration,
        crypto: fakeCrypto(id),
        audit: { record: () => null, followsRejection: () => true, followsAcceptance: () => true },
        random: () => Math.floor(Math.random() * 2 ** 32),
        log,
        chain,
        peers: { send: (message) => deliver(message), announce: greet },
        remembered: memory,
        remember: (peer, position) => memory.set(peer, position),
        events: {
          onAlert: (alert) => {
            alerts.push(alert);
            changed();
          },
          onFault: (error) => {
            faults.push(error);
            changed();
          },
          onApplied: changed,
          onOffice: changed,
        },
        nowMs: () => Date.now(),
        monotonicMs: () => performance.now(),
        tickMs,
        standsFirst: configuration.eligible[0] === id,
      });
      const seat: Seat = { member, log, chain, alerts, faults };
      seats.set(id, seat);
      greet();
      member.start();
      return seat;
    },
    async close(id) {
      const seat = seats.get(id);
      seats.delete(id);
      await seat?.member.stop();
      await seat?.log.close();
    },
    submission(department, oids) {
      const own = fakeCrypto(department);
      const last = sequences.get(department) ?? { seq: 0, prev: noSubmission };
      const records = oids.map((oid) => ({ oid, leaf: own.leafHash([oid]) }));
      const body = {
        ledger,
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
    },
    until<T>(look: () => T | undefined): Promise<T> {
      return new Promise((resolve) => {
        const watch = (): void => {
          const found = look();
          if (found === undefined) return;
          watchers.delete(watch);
          resolve(found);
        };
        watchers.add(watch);
        watch();
      });
    },
    center: () => cluster.until(() => [...seats.values()].find(({ member }) => member.office().isHere)),
    async stop() {
      for (const id of [...seats.keys()]) await cluster.close(id);
      rmSync(root, { recursive: true, force: true });
    },
  };

  function deliver(message: Message): void {
    setImmediate(() => {
      if (cut.has(`${message.from}>${message.to}`)) return;
      void seats.get(message.to)?.member.receive(structuredClone(message)).then(changed);
    });
  }
  return cluster;
}

function memoryChain(): MemoryChain {
  const blocks: SealedBlock[] = [];
  const oids = new Set<string>();
  return {
    blocks,
    get height() {
      return blocks.length;
    },
    apply(applied) {
      for (const block of applied) {
        if (block.candidate.height !== blocks.length + 1) continue;
        blocks.push(block);
        const { content } = block.candidate;
        if (content.kind === 'records')
          for (const { submission } of content.audited) for (const { oid } of submission.records) oids.add(oid);
      }
      return Promise.resolve();
    },
    sync: () => Promise.resolve(),
    installSnapshot: () => Promise.reject(new Error('no snapshots here')),
    isRecorded: (oid) => oids.has(oid),
  };
}
