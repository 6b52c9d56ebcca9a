import { WaymarkError, type Evidence } from '@waymark/protocol';
import type { Registry } from 'prom-client';
import type { Component } from '../lifecycle/component.ts';
import type { Logger } from '../log/logger.ts';
import { createLeafReader, type BatchSource } from './leaf-reader.ts';
import type {
  CommittedAnchor,
  CommittedReport,
  LedgerCertificateFacts,
  LedgerConfigurationFacts,
  LedgerHeadFacts,
  PrivateLedgerFacts,
} from './ledger-facts.ts';
import { registerReplicaMetrics } from './metrics.ts';
import type { Change, NodeFacts, OrganisationFacts } from './projection.ts';
import { createProjector, type BlockSource } from './projector.ts';
import type { ReplicaState } from './replica-state.ts';
import { type PlacedEvidence, ReplicaStore } from './replica-store.ts';
import type { IndexHit } from './rows.ts';
import { createBlockWaiters } from './waiters.ts';

/** Evidence as committed. */
export interface CommittedEvidence {
  readonly evidence: Evidence;
  readonly batchHash: string;
  readonly txId: string;
  readonly blockNumber: bigint;
}

/** What the channel says of private ledgers, every organisation's (D7). One peer's word, as all of the replica. */
export interface LedgerReplica {
  /** An organisation's ledger as registered. */
  privateLedger(mspId: string): PrivateLedgerFacts | undefined;
  /** How far it is anchored; `last` 0 before the first anchor, undefined for a ledger that is not registered. */
  ledgerHead(mspId: string): LedgerHeadFacts | undefined;
  ledgerConfiguration(mspId: string, epoch: number): LedgerConfigurationFacts | undefined;
  /** Certificates of its members, by digest; 1,024 at most. Whether one was revoked is in the register: see `isRevoked`. */
  ledgerCertificates(mspId: string): readonly LedgerCertificateFacts[];
  /** Anchors in order, from the one on that covers `fromHeight`; 1,000 at most. */
  anchors(mspId: string, fromHeight: number, limit: number): readonly CommittedAnchor[];
  /** The one anchor that holds this block. */
  anchorCovering(mspId: string, height: number): CommittedAnchor | undefined;
  /** Reports against it, the newest first; 1,000 at most. */
  ledgerReports(mspId: string, limit: number): readonly CommittedReport[];
  /** Called for each new anchor once it is on disk, in order. Returns the function that ends it. */
  onAnchor(listener: (anchor: CommittedAnchor) => void): () => void;
  /** Called for each new report once it is on disk. Returns the function that ends it. */
  onReport(listener: (report: CommittedReport) => void): () => void;
  /** Waits until a block is anchored. @throws WaymarkError `unavailable` when `signal` aborts first or the replica is stopped */
  waitForAnchor(mspId: string, height: number, signal?: AbortSignal): Promise<CommittedAnchor>;
}

/**
 * A node's copy of addresses and node facts, for fast look-ups that promise nothing (S6, S8): it was read from one peer,
 * and another process may have altered it. Reads throw `data-abnormal` when a row has lost its form, `unavailable` when the
 * file cannot be read or was emptied.
 */
export interface Replica extends Component, LedgerReplica {
  /** Where a record lies; the first evidence that holds it. */
  findByOid(recordOid: Uint8Array): IndexHit | undefined;
  /** Records under a look-up token, in the order they were committed. */
  findByToken(token: Uint8Array, limit: number): readonly IndexHit[];
  evidence(evidenceId: string): Evidence | undefined;
  committed(evidenceId: string): CommittedEvidence | undefined;
  /** Evidence in the order of the channel, from the one behind `position` (0: from the first). */
  evidenceAfter(position: number, limit: number): readonly PlacedEvidence[];
  node(mspId: string, enrolmentId: string): NodeFacts | undefined;
  organisation(mspId: string): OrganisationFacts | undefined;
  /** Whether the node or this certificate of it was revoked. False for a node that was never registered: see `node`. */
  isRevoked(mspId: string, enrolmentId: string, certificateDigest: string): boolean;
  /** Enters look-up tokens, which only the firm that made the records knows. Safe to repeat. */
  addTokens(entries: readonly { readonly recordOid: Uint8Array; readonly tokens: readonly Uint8Array[] }[]): void;
  /** Waits until a block has been applied. @throws WaymarkError `unavailable` when `signal` aborts first */
  waitForBlock(blockNumber: bigint, signal?: AbortSignal): Promise<void>;
  /**
   * Called for each new evidence once it is on disk, in block order. After a restart what came before is not repeated: ask
   * `committed`. Returns the function that ends it.
   */
  onEvidence(listener: (committed: CommittedEvidence) => void): () => void;
  /** Called for each node of the register that was entered or changed, once that is on disk. Returns the function that ends it. */
  onNode(listener: (node: NodeFacts) => void): () => void;
  /** Waits until all batches known now are in the index. @throws WaymarkError `unavailable` when `signal` aborts first */
  waitForLeaves(signal?: AbortSignal): Promise<void>;
  /** Empties the replica and reads it again from block 0. Tokens stay. */
  rebuild(): void;
  readonly state: ReplicaState;
}

/** What a replica is made of. */
export interface ReplicaOptions {
  /** SQLite file; made when it is not there. */
  readonly path: string;
  readonly ledger: BlockSource;
  readonly content: BatchSource;
  readonly logger: Logger;
  readonly registry?: Registry;
  /** Batches whose records belong into this node's index; default: all. A firm's node has no use for those of others. */
  readonly indexes?: (evidence: Evidence) => boolean;
  /** Wait before connecting again; grows up to `maxMs`. Default 200 to 10,000. */
  readonly reconnect?: { readonly baseMs: number; readonly maxMs: number };
  /** Wait before a batch that could not be read is tried again; doubles. Default 500. */
  readonly leafRetryMs?: number;
}

/** Opens the replica; `start` begins to follow the channel. Reads work before that, with what is there. */
export function openReplica(options: ReplicaOptions): Replica {
  const logger = options.logger.child({ component: 'replica' });
  const store = new ReplicaStore(options.path, () => projector.repair(), options.indexes);
  const listeners = new Set<(committed: CommittedEvidence) => void>();
  const nodeListeners = new Set<(node: NodeFacts) => void>();
  const leafListeners = new Set<() => void>();
  const anchorListeners = new Set<(anchor: CommittedAnchor) => void>();
  const reportListeners = new Set<(report: CommittedReport) => void>();
  const stopped = new AbortController();
  const waiters = createBlockWaiters(() => store.checkpointOrUndefined());

  const onApplied = (blockNumber: bigint, changes: readonly Change[]): void => {
    let found = false;
    for (const change of changes) {
      if (change.kind === 'node') for (const listener of nodeListeners) listener(change.node);
      if (change.kind === 'anchor') for (const listener of anchorListeners) listener({ ...change.anchor, blockNumber });
      if (change.kind === 'ledger-report')
        for (const listener of reportListeners) listener({ ...change.report, blockNumber });
      if (change.kind !== 'evidence') continue;
      found = true;
      const { evidence, txId } = change;
      for (const listener of listeners) listener({ evidence, batchHash: evidence.batchHash, txId, blockNumber });
    }
    if (found) leafReader.wake();
    waiters.reached(blockNumber);
  };
  const projector = createProjector({
    store,
    ledger: options.ledger,
    logger,
    onApplied,
    ...(options.reconnect === undefined ? {} : { backoff: options.reconnect }),
  });
  const leafReader = createLeafReader({
    store,
    source: options.content,
    channel: options.ledger.channel,
    logger,
    onRead: () => {
      for (const listener of leafListeners) listener();
    },
    ...(options.leafRetryMs === undefined ? {} : { firstDelayMs: options.leafRetryMs }),
  });
  /** An index that was emptied under our feet must not answer "there is nothing": it is read again instead. */
  const found = <T>(hit: T, isNothing: boolean): T => {
    if (isNothing && store.isEmptied()) {
      projector.restart();
      throw new WaymarkError('unavailable', 'the index was emptied and is being read again');
    }
    return hit;
  };

  const replica: Replica = {
    name: 'replica',
    start() {
      projector.start();
      leafReader.start();
    },
    async stop() {
      stopped.abort();
      await Promise.all([projector.stop(), leafReader.stop()]);
      waiters.abandon();
      store.close();
    },
    findByOid(recordOid) {
      const hit = store.findByOid(recordOid);
      return found(hit, hit === undefined);
    },
    findByToken(token, limit) {
      const hits = store.findByToken(token, limit);
      return found(hits, hits.length === 0);
    },
    evidence: (evidenceId) => replica.committed(evidenceId)?.evidence,
    committed(evidenceId) {
      const row = store.evidence(evidenceId);
      return found(row === undefined ? undefined : { ...row, batchHash: row.evidence.batchHash }, row === undefined);
    },
    evidenceAfter: (position, limit) => store.evidenceAfter(position, limit),
    node: (mspId, enrolmentId) => store.node(mspId, enrolmentId),
    organisation: (mspId) => store.organisation(mspId),
    isRevoked(mspId, enrolmentId, certificateDigest) {
      const node = store.node(mspId, enrolmentId);
      if (node === undefined) return false;
      return (
        node.state === 'revoked' ||
        node.certificates.some(({ digest, state }) => digest === certificateDigest && state === 'revoked')
      );
    },
    privateLedger: (mspId) => store.ledgers((ledgers) => ledgers.privateLedger(mspId)),
    ledgerHead: (mspId) => store.ledgers((ledgers) => ledgers.head(mspId)),
    ledgerConfiguration: (mspId, epoch) => store.ledgers((ledgers) => ledgers.configuration(mspId, epoch)),
    ledgerCertificates: (mspId) => store.ledgers((ledgers) => ledgers.certificates(mspId, maxCertificates)),
    anchors: (mspId, fromHeight, limit) =>
      store.ledgers((ledgers) => ledgers.anchors(mspId, fromHeight, Math.min(limit, maxPage))),
    anchorCovering(mspId, height) {
      const [anchor] = replica.anchors(mspId, height, 1);
      if (anchor !== undefined && anchor.first <= height) return anchor;
      if (height < 1 || (replica.ledgerHead(mspId)?.last ?? 0) < height) return undefined;
      projector.restart();
      throw new WaymarkError('unavailable', 'the index has lost an anchor and is being read again');
    },
    ledgerReports: (mspId, limit) => store.ledgers((ledgers) => ledgers.reports(mspId, Math.min(limit, maxPage))),
    onAnchor(listener) {
      anchorListeners.add(listener);
      return () => void anchorListeners.delete(listener);
    },
    onReport(listener) {
      reportListeners.add(listener);
      return () => void reportListeners.delete(listener);
    },
    waitForAnchor(mspId, height, signal) {
      return waitForAnchor(replica, { mspId, height }, [stopped.signal, ...(signal === undefined ? [] : [signal])]);
    },
    addTokens: (entries) => store.addTokens(entries),
    waitForBlock: (blockNumber, signal) => waiters.wait(blockNumber, signal),
    onEvidence(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onNode(listener) {
      nodeListeners.add(listener);
      return () => void nodeListeners.delete(listener);
    },
    async waitForLeaves(signal) {
      while (store.pendingState().count > 0) await nextRead(leafListeners, signal);
    },
    rebuild: () => projector.restart(),
    get state() {
      return { ...projector.state, ...store.counts(), pendingBatches: store.pendingState().count };
    },
  };
  if (options.registry !== undefined) registerReplicaMetrics(options.registry, () => replica.state);
  return replica;
}

const maxPage = 1_000;
const maxCertificates = 1_024;

function waitForAnchor(
  replica: LedgerReplica,
  { mspId, height }: { readonly mspId: string; readonly height: number },
  signals: readonly AbortSignal[],
): Promise<CommittedAnchor> {
  const signal = AbortSignal.any([...signals]);
  const known = replica.anchorCovering(mspId, height);
  if (known !== undefined) return Promise.resolve(known);
  return new Promise((resolve, reject) => {
    const end = (): void => {
      forget();
      signal.removeEventListener('abort', onAbort);
    };
    const onAbort = (): void => {
      end();
      reject(new WaymarkError('unavailable', 'the block is not anchored yet', { details: { mspId, height } }));
    };
    const forget = replica.onAnchor((anchor) => {
      if (anchor.msp !== mspId || anchor.last < height || anchor.first > height) return;
      end();
      resolve(anchor);
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

function nextRead(listeners: Set<() => void>, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (then: () => void) => (): void => {
      listeners.delete(onRead);
      signal?.removeEventListener('abort', onAbort);
      then();
    };
    const onRead = end(resolve);
    const onAbort = end(() => reject(new WaymarkError('unavailable', 'the index is not complete')));
    if (signal?.aborted === true) onAbort();
    else {
      listeners.add(onRead);
      signal?.addEventListener('abort', onAbort, { once: true });
    }
  });
}
