import type { ContentStore } from '@waymark/content';
import { type CoseSigner, type Evidence, type JsonObject, parseCid, toHex } from '@waymark/protocol';
import type { Component, Logger, Register, Replica } from '@waymark/service-kit';
import type { Router } from 'express';
import type { EnterpriseConfiguration } from '../configuration.ts';
import type { Journal, JournalBatch } from '../journal/journal.ts';
import { createConnections } from '../members/connections.ts';
import type { Members } from '../members/members.ts';
import { type ObservedReader, observedReader, type Trouble } from '../repair/observed-reader.ts';
import { createRepairs, type RepairCounts } from '../repair/repairs.ts';
import { createCollector } from './collector.ts';
import { createKeeper } from './keeper.ts';
import { createLedgerFollower } from './ledger-follower.ts';
import { createLedgerGate } from './ledger-gate.ts';
import { createOfferSweeper } from './offer-sweeper.ts';
import { openPinStore } from './open-pin-store.ts';
import type { OwnLedger } from './own-ledger.ts';
import { createPinService } from './pin-service.ts';
import { createPinsRouter } from './pins-router.ts';
import { createPinner } from './pinner.ts';
import { createPinReceipts } from './receipts.ts';
import { createUnitKeeper } from './unit-keeper.ts';
import { createWatcher } from './watcher.ts';

/** What an operator is told about pins. */
export interface PinStatus {
  /** Organisations that must hold a batch or the body of a block, by the policy of this firm. */
  readonly replicas: number;
  readonly anchorAfterReceipts: boolean;
  /** Own batches on the channel, and own blocks under its anchors. */
  readonly anchored: number;
  /** Those of them that `replicas` organisations hold, by their receipts and the last check. */
  readonly replicated: number;
  readonly missing: number;
  /** Batches and bodies of the channel, whoever's, that are still to be pinned here. */
  readonly waiting: number;
  /** Accepted batches, or confirmed blocks, that wait for pin receipts before they go to the channel. */
  readonly withoutReceipts: number;
  readonly lastRoundAtMs: number | undefined;
  readonly members: readonly {
    readonly mspId: string;
    readonly reachable: boolean | undefined;
    readonly code: string | undefined;
    /** Batches and bodies whose receipt it has not given. */
    readonly awaited: number;
  }[];
  readonly repairs: RepairCounts;
}

/** Everything about keeping batches and blocks with several organisations (S5, S7). */
export interface Pins {
  /** In the order they start. */
  readonly components: readonly Component[];
  readonly router: Router;
  readonly status: () => PinStatus;
  readonly statusDocument: () => JsonObject;
  /** Those of the accepted batches, in their order, that the policy lets go to the channel; asks for the receipts of the others. */
  readonly mayAnchor: (batches: readonly JournalBatch[]) => readonly JournalBatch[];
  /** The highest block of the own ledger from `first` to `last` that the policy lets be anchored; below `first` for none. */
  readonly mayAnchorBlocks: (first: number, last: number) => number;
  /** Forgets a batch that the channel refused. */
  readonly refused: (batch: JournalBatch) => void;
  /** The content store for reads: what they find altered or missing is repaired behind them. */
  readonly reader: ObservedReader;
  /** Reports what a read by another organisation's center met: it asks for much that was never here. */
  readonly readerForCenters: ObservedReader;
  close(): void;
}

/** What it is made of. */
export interface PinsParts {
  readonly config: Pick<EnterpriseConfiguration, 'mspId' | 'channel' | 'pins' | 'content'>;
  /** File for what is known of pins. */
  readonly path: string;
  readonly identity: CoseSigner & { readonly enrolmentId: string };
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly content: ContentStore;
  readonly replica: Replica;
  readonly register: Register;
  readonly journal: Pick<Journal, 'batch' | 'pendingCount'>;
  readonly members: Members;
  /** The firm's private ledger, once it is open. */
  readonly ownLedger: () => OwnLedger | undefined;
  /** Told when batches or blocks may have become free to go to the channel. */
  readonly onReceipts: () => void;
  readonly logger: Logger;
  readonly nowMs: () => number;
}

/** Puts the parts together. */
export function createPins(parts: PinsParts): Pins {
  const { config, content, replica, members, nowMs } = parts;
  const { mspId, channel } = config;
  const { replicas, anchorAfterReceipts } = config.pins;
  const logger = parts.logger.child({ component: 'pins' });
  const store = openPinStore(parts.path);
  const connections = createConnections({ members, identity: parts, nowMs });
  const keeper = createKeeper({
    content,
    storeHasNetwork: config.content.kind === 'kubo',
    connections,
    maxDagBytes: config.pins.maxDagBytes,
  });
  const receipts = createPinReceipts({ ...config, node: parts.identity.enrolmentId, signer: parts.identity, ...parts });
  const units = createUnitKeeper({ channel, replica, store, content, keeper, ownLedger: parts.ownLedger });
  let withoutReceipts = 0;
  const holdOwn = (cid: string): void => {
    const known = store.replicas(cid).some(({ msp }) => msp === mspId);
    if (known) store.setReplicaState(cid, mspId, 'held');
    else store.addReplica(cid, receipts.sign(cid));
  };
  const ask = (cids: readonly string[]): void => {
    if (cids.length === 0) return;
    store.want(cids, connections.organisations());
    collector.wake();
  };

  const collector = createCollector({
    store,
    members,
    connections,
    receipts,
    logger,
    nowMs,
    onReceipts: parts.onReceipts,
  });
  const pinner = createPinner({
    mspId,
    replica,
    store,
    units,
    holdOwn,
    wasAccepted: (evidence: Evidence) => {
      const known = parts.journal.batch(evidence.outlet, evidence.seq);
      return known !== undefined && known.state !== 'refused' && toHex(known.batchHash) === evidence.batchHash;
    },
    onOwnAnchored: ask,
    logger,
    nowMs,
  });
  const follower = createLedgerFollower({
    channel,
    mspId,
    replica,
    store,
    keeper,
    members,
    ownLedger: parts.ownLedger,
    isPinned: (cid) => content.isPinned(parseCid(cid)),
    holdOwn,
    onOwnAnchored: ask,
    onWaiting: () => pinner.wake(),
    logger,
  });
  const gate = createLedgerGate({
    mspId,
    replicas,
    store,
    ownLedger: parts.ownLedger,
    holdOwn,
    ask,
    onPublished: parts.onReceipts,
    logger,
  });
  const watcher = createWatcher({
    mspId,
    store,
    keeper,
    content,
    connections,
    replicas,
    intervalMs: config.pins.watchIntervalMs,
    onLost: () => collector.wake(),
    onWaiting: () => pinner.wake(),
    logger,
    nowMs,
    random: Math.random,
  });
  const repairs = createRepairs({
    keeper,
    keepUnit: (cid) => {
      const unit = store.anchored(cid);
      return unit && units.checkOf(unit) && units.keep(unit, { isDoubted: true });
    },
    onRepaired: () => watcher.wake(),
    mspId,
    logger,
    nowMs,
  });
  const sweeper = createOfferSweeper({
    store,
    unpin: (cid) => content.unpin(parseCid(cid)),
    lifetimeMs: config.pins.offerLifetimeMs,
    logger,
    nowMs,
  });
  const service = createPinService({
    channel,
    hasLedger: (msp) => replica.privateLedger(msp) !== undefined,
    store,
    units,
    keeper,
    receipts,
    members,
    maxOffersPerMember: config.pins.maxOffersPerMember,
    nowMs,
  });

  const status = (): PinStatus => {
    const { anchored, replicated, waiting } = store.counts(replicas);
    return {
      replicas,
      anchorAfterReceipts,
      anchored,
      replicated,
      missing: anchored - replicated,
      waiting,
      withoutReceipts: Math.min(withoutReceipts, parts.journal.pendingCount()) + gate.lacking,
      lastRoundAtMs: watcher.lastRoundAtMs,
      members: connections.reachability().map((one) => ({ ...one, awaited: store.wantedCount(one.mspId) })),
      repairs: repairs.counts,
    };
  };

  return {
    // Stopped first, and with it whatever waits for another center.
    components: [
      members,
      pinner,
      follower,
      collector,
      watcher,
      repairs,
      sweeper,
      { name: 'member-connections', start: () => undefined, stop: () => connections.close() },
    ],
    router: createPinsRouter({ mspId, service, callsPerMinute: config.pins.callsPerMinute }),
    status,
    statusDocument: () => {
      const { lastRoundAtMs, members: others, repairs: counts, ...rest } = status();
      return {
        ...rest,
        lastRoundAt: lastRoundAtMs === undefined ? null : new Date(lastRoundAtMs).toISOString(),
        members: others.map((one) => ({ ...one, reachable: one.reachable ?? null, code: one.code ?? null })),
        repairs: { ...counts },
      };
    },
    mayAnchor(batches) {
      if (!anchorAfterReceipts) return batches;
      const free: JournalBatch[] = [];
      const lacking: string[] = [];
      const held = new Set<string>();
      for (const batch of batches) {
        if (!store.replicas(batch.cid).some(({ msp }) => msp === mspId)) holdOwn(batch.cid);
        if (store.receiptCount(batch.cid) < replicas) {
          lacking.push(batch.cid);
          held.add(batch.outlet);
        } else if (!held.has(batch.outlet)) free.push(batch);
      }
      withoutReceipts = batches.length - free.length;
      ask(lacking);
      return free;
    },
    mayAnchorBlocks: (first, last) => (anchorAfterReceipts ? gate.mayAnchor(first, last) : last),
    refused: ({ cid }) => store.forget(cid),
    reader: observedReader(content, (cid) => repairs.report(cid)),
    readerForCenters: observedReader(content, (cid, trouble: Trouble) => {
      if (trouble === 'altered' || store.anchored(cid.toString()) !== undefined) repairs.report(cid);
    }),
    close: () => store.close(),
  };
}
