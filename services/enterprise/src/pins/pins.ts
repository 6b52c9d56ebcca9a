import type { ContentStore } from '@waymark/content';
import { type CoseSigner, type Evidence, type JsonObject, parseCid, toHex } from '@waymark/protocol';
import type { Component, Logger, Register, Replica } from '@waymark/service-kit';
import type { Router } from 'express';
import type { EnterpriseConfiguration } from '../configuration.ts';
import type { Journal, JournalBatch } from '../journal/journal.ts';
import { createConnections } from '../members/connections.ts';
import type { Members } from '../members/members.ts';
import { observedReader, type Trouble } from '../repair/observed-reader.ts';
import { createRepairs, type RepairCounts } from '../repair/repairs.ts';
import { anchoredBatchCheck } from './batch-check.ts';
import { createCollector } from './collector.ts';
import { createKeeper } from './keeper.ts';
import { createOfferSweeper } from './offer-sweeper.ts';
import { createPinService } from './pin-service.ts';
import { openPinStore } from './pin-store.ts';
import { createPinsRouter } from './pins-router.ts';
import { createPinner } from './pinner.ts';
import { createPinReceipts } from './receipts.ts';
import { createWatcher } from './watcher.ts';

/** What an operator is told about pins. */
export interface PinStatus {
  /** Organisations that must hold a batch, by the policy of this firm. */
  readonly replicas: number;
  readonly anchorAfterReceipts: boolean;
  /** Own batches on the channel. */
  readonly anchored: number;
  /** Those of them that `replicas` organisations hold, by their receipts and the last check. */
  readonly replicated: number;
  readonly missing: number;
  /** Batches of the channel, whoever's, that are still to be pinned here. */
  readonly waiting: number;
  /** Accepted batches that wait for pin receipts before they go to the channel. */
  readonly withoutReceipts: number;
  readonly lastRoundAtMs: number | undefined;
  readonly members: readonly {
    readonly mspId: string;
    readonly reachable: boolean | undefined;
    readonly code: string | undefined;
    /** Batches whose receipt it has not given. */
    readonly awaited: number;
  }[];
  readonly repairs: RepairCounts;
}

/** Everything about keeping batches with several organisations (S5, S7). */
export interface Pins {
  /** In the order they start. */
  readonly components: readonly Component[];
  readonly router: Router;
  readonly status: () => PinStatus;
  readonly statusDocument: () => JsonObject;
  /** Those of the accepted batches, in their order, that the policy lets go to the channel; asks for the receipts of the others. */
  readonly mayAnchor: (batches: readonly JournalBatch[]) => readonly JournalBatch[];
  /** Forgets a batch that the channel refused. */
  readonly refused: (batch: JournalBatch) => void;
  /** The content store for reads: what they find altered or missing is repaired behind them. */
  readonly reader: Pick<ContentStore, 'get'>;
  /** Reports what a read by another organisation's center met: it asks for much that was never here. */
  readonly readerForCenters: Pick<ContentStore, 'get'>;
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
  /** Told when batches may have become free to go to the channel. */
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
  let withoutReceipts = 0;

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
    channel,
    mspId,
    replica,
    store,
    keeper,
    receipts,
    wasAccepted: (evidence: Evidence) => {
      const known = parts.journal.batch(evidence.outlet, evidence.seq);
      return known !== undefined && known.state !== 'refused' && toHex(known.batchHash) === evidence.batchHash;
    },
    onOwnAnchored: (cids) => {
      store.want(cids, connections.organisations());
      collector.wake();
    },
    logger,
    nowMs,
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
    keepBatch: (cid) => {
      const batch = store.anchored(cid);
      const evidence = batch && replica.evidence(batch.evidenceId);
      return batch && evidence && keeper.keep(cid, batch.msp, anchoredBatchCheck(evidence, channel));
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
    replica,
    store,
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
      withoutReceipts: Math.min(withoutReceipts, parts.journal.pendingCount()),
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
        if (!store.replicas(batch.cid).some(({ msp }) => msp === mspId))
          store.addReplica(batch.cid, receipts.sign(batch.cid));
        if (store.receiptCount(batch.cid) < replicas) {
          lacking.push(batch.cid);
          held.add(batch.outlet);
        } else if (!held.has(batch.outlet)) free.push(batch);
      }
      withoutReceipts = batches.length - free.length;
      if (lacking.length > 0) {
        store.want(lacking, connections.organisations());
        collector.wake();
      }
      return free;
    },
    refused: ({ cid }) => store.forget(cid),
    reader: observedReader(content, (cid) => repairs.report(cid)),
    readerForCenters: observedReader(content, (cid, trouble: Trouble) => {
      if (trouble === 'altered' || store.anchored(cid.toString()) !== undefined) repairs.report(cid);
    }),
    close: () => store.close(),
  };
}
