import type { ContentStore } from '@waymark/content';
import {
  createLedgerRecords,
  type LedgerRecords,
  openPrivateLedger,
  type PrivateLedger,
  type PrivateLedgerParts,
  requireOffice,
} from '@waymark/private-ledger';
import { isWaymarkError, type JsonObject, WaymarkError } from '@waymark/protocol';
import { standingByRegister } from '@waymark/audit';
import type { Component } from '@waymark/service-kit';
import type { KeyStore } from '@waymark/vault';
import { createAnchorRelay } from '../anchoring/anchor-relay.ts';
import type { AnchorRelay } from '../anchoring/ports.ts';
import type { Journal, JournalBatch } from '../journal/journal.ts';
import type { OwnLedger } from '../pins/own-ledger.ts';
import type { BatchOutcome } from '../upload/batch-outcome.ts';
import { batchPorts } from './batch-ports.ts';
import { createJournalProjection } from './journal-projection.ts';
import { createLedgerAcceptance, type LedgerAcceptance } from './ledger-acceptance.ts';
import { createLedgerReceipts } from './ledger-receipts.ts';
import { createOwnLedger } from './own-ledger.ts';
import { createStandbyContent } from './standby-content.ts';
import { publishBlocks } from './publish-blocks.ts';

/** What the private ledger of a center is made of, beside what every member's is. */
export interface CenterLedgerParts extends PrivateLedgerParts {
  readonly journal: Journal;
  readonly content: ContentStore;
  /** Whether the firm's centers share the content store. */
  readonly sharesContent: boolean;
  readonly keyStore: KeyStore;
  /** Batches go on, are confirmed, or are anchored: for the outlet's stream. */
  readonly onOutcome: (outcome: BatchOutcome) => void;
  /** This member has entered or left office. */
  readonly onOffice: (isHere: boolean) => void;
  /** There is room again, or there may be. */
  readonly onRoom: () => void;
  /** The highest block from `first` to `last` that the firm's policy on pins lets be anchored. */
  readonly mayAnchor: (first: number, last: number) => number;
}

/** The private ledger at a center: in office, or standing by. */
export interface CenterLedger {
  readonly acceptance: LedgerAcceptance;
  readonly privateLedger: PrivateLedger;
  /** For look-ups and proofs. */
  readonly records: LedgerRecords;
  readonly relay: AnchorRelay;
  /** The own chain, for those who keep its blocks. */
  readonly ownLedger: OwnLedger;
  /** Whether so much waits for the channel or the disk that nothing more is taken. */
  readonly full: boolean;
  readonly components: readonly Component[];
  outcomeOf(outlet: string, seq: number): BatchOutcome | undefined;
  /** @throws WaymarkError unavailable (`details.center`) */
  requireOffice(): void;
  status(): JsonObject;
}

/** Opens it. @throws WaymarkError as `openPrivateLedger` */
export async function openCenterLedger(parts: CenterLedgerParts): Promise<CenterLedger> {
  const { journal, content, identity, channel, logger, replica, nowMs } = parts;
  const { mspId } = identity;
  const privateLedger = await openPrivateLedger(parts);
  const { member, chain, crypto, notes, alerts, rules, metrics } = privateLedger;
  const receipts = createLedgerReceipts({ journal, signer: identity, channel, msp: mspId });
  const readsContent = parts.config.audit.kinds.length > 0;
  const acceptance = createLedgerAcceptance({
    privateLedger,
    journal,
    receipts,
    content,
    audit: { rules, standingOf: standingByRegister(parts.register, nowMs) },
    portsFor: (checked, accepted) =>
      batchPorts({ channel, mspId, journal, keyStore: parts.keyStore, readsContent }, checked, accepted),
    nowMs,
  });

  const outcome = (batch: JournalBatch): BatchOutcome | undefined => {
    const { outlet, seq, state, place } = batch;
    if (batch.refusal !== undefined) return { outlet, seq, state: 'refused', refusal: batch.refusal };
    if (state !== 'confirmed' && state !== 'anchored') return undefined;
    return { outlet, seq, state, receipt: receipts.of(batch), rejected: place?.rejected ?? [] };
  };
  const outcomeOf = (outlet: string, seq: number): BatchOutcome | undefined => {
    const batch = journal.batch(outlet, seq);
    return batch === undefined ? undefined : outcome(batch);
  };
  /** Only the center in office has outlets to tell; receipts that nobody asks for are not signed. */
  const tell = (batches: readonly { outlet: string; seq: number }[]): void => {
    if (!member.office().isHere) return;
    for (const { outlet, seq } of batches) {
      const known = outcomeOf(outlet, seq);
      if (known !== undefined) parts.onOutcome(known);
    }
    parts.onRoom();
  };
  const projection = createJournalProjection({
    msp: mspId,
    journal,
    chain,
    replica,
    onConfirmed(batches) {
      for (const { outlet, seq } of batches) {
        const acceptedAtMs = acceptance.acceptedAtMs(outlet, seq);
        if (acceptedAtMs !== undefined) metrics.confirmedAfter(nowMs() - acceptedAtMs);
        acceptance.settled(outlet, seq);
      }
      tell(batches);
    },
    onAnchored: tell,
    onFault: parts.onFault,
  });
  const relay = createAnchorRelay({
    mspId,
    chain: {
      height: () => chain.height,
      header(height) {
        const header = chain.header(height);
        if (header === null) throw new WaymarkError('gone', 'The block is not here.', { details: { height } });
        return header;
      },
      configuration: (epoch) => notes.configuration(epoch),
    },
    member: {
      id: identity.enrolmentId,
      crypto,
      isCenter: () => member.office().isHere,
      term: () => member.status().term,
      confirmation: (height) => member.confirmation(height),
      election: () => member.election(),
    },
    channel: parts.contract,
    replica,
    publish: publishBlocks(chain, content),
    mayAnchor: parts.mayAnchor,
    needsElection(why) {
      logger.warn('the channel has to see another election: the office is handed over', { reason: why });
      handOver();
    },
    onAlert: (alert) => {
      alerts.raise(alert).catch((error: unknown) => logger.error('an alert could not be written', { error }));
    },
    onAnchored: ({ anchor, txId }) =>
      logger.info('blocks of the private ledger are anchored', { height: anchor.last, count: anchor.last - anchor.first + 1, txId }), // prettier-ignore
    onRetry: (error, delayMs) => logger.warn('anchoring is tried again', { error, delayMs }),
    limits: parts.config.anchor,
  });
  const standbyContent = parts.sharesContent
    ? undefined
    : createStandbyContent({
        privateLedger,
        id: identity.enrolmentId,
        content,
        identityPem: parts.identityPem,
        logger,
      });
  privateLedger.listen({
    applied(blocks) {
      standbyContent?.wake();
      projection.applied(blocks);
      relay.wake();
    },
    office({ isHere }) {
      if (!isHere) {
        acceptance.leftOffice();
        privateLedger.facts.clear();
      }
      parts.onOffice(isHere);
      relay.wake();
    },
  });

  /** While nobody can say how much waits, it counts as too much. */
  function isBacklogFull(): boolean {
    try {
      return relay.backlog().full;
    } catch (error) {
      if (isWaymarkError(error, 'unavailable')) return true;
      throw error;
    }
  }

  /** To the first that may take it: a center that the channel does not take for one anchors nothing. */
  function handOver(): void {
    const { configuration } = member.status();
    for (const other of configuration.eligible) {
      if (other === identity.enrolmentId) continue;
      try {
        member.handOver(other);
        return;
      } catch (error) {
        logger.warn('the office could not be handed over', { peer: other, error });
      }
    }
  }

  return {
    acceptance,
    privateLedger,
    records: createLedgerRecords(mspId, chain, member),
    relay,
    ownLedger: createOwnLedger(chain, content),
    outcomeOf,
    get full() {
      return isBacklogFull() || !member.hasRoom;
    },
    requireOffice: () => requireOffice(member.office()),
    components: [
      ...privateLedger.components,
      projection,
      ...(standbyContent === undefined ? [] : [standbyContent]),
      { name: relay.name, start: () => relay.start(), stop: () => relay.stop() },
    ],
    status: () => ({ ...privateLedger.status(), relay: relay.phase }),
  };
}
