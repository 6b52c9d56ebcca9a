import { randomInt } from 'node:crypto';
import { createAudit, createFactStore, type FactStore, type Rule, standingByRegister } from '@waymark/audit';
import { createBodyCipher, type LedgerChain, openLedgerChain, type StoredBlock } from '@waymark/ledger-chain';
import { openLedgerLog } from '@waymark/ledger-log';
import {
  attachmentOf,
  createLedgerMember,
  createPeers,
  type LedgerMember,
  type MemberAlert,
  type Office,
  type Peers,
  signedBatches,
} from '@waymark/ledger-member';
import { type JsonObject, ledgerName, WaymarkError } from '@waymark/protocol';
import { createCoseKeys, createCrypto, type Crypto, decodeHeader, type Returned, type SealedBlock } from '@waymark/rsl';
import {
  alertOfCore,
  type AlertBook,
  type AnchorContract,
  type AnchorWatch,
  type Component,
  createAnchorWatch,
  type Logger,
  openAlertBook,
  type Register,
  type Replica,
} from '@waymark/service-kit';
import type { CertificateVerifier, SigningIdentity } from '@waymark/vault';
import type { Registry } from 'prom-client';
import { auditRules } from './audit/audit-rules.ts';
import { createEnvelopeSamples } from './audit/envelope-samples.ts';
import { loadFirstConfiguration } from './configuration/first-configuration.ts';
import { type LedgerMembers, openLedgerMembers } from './configuration/members-file.ts';
import type { PrivateLedgerConfiguration } from './configuration/section.ts';
import { ledgerFolder } from './disk/ledger-folder.ts';
import { type MemberNotes, openMemberNotes } from './disk/member-notes.ts';
import { forgetRestore, isRestored, replayedChain } from './disk/restored-chain.ts';
import { type LedgerMetrics, registerLedgerMetrics } from './metrics.ts';

/** How far departments' clocks and registers may be from the center's: more than an outlet's clock may be off, or they would not follow honest rejections. */
const auditToleranceMs = 600_000;
/** Ticks for which a message of the center may wait for what it takes to judge it: fewer than half of those after which it counts as dead. */
const ticksWithoutAnswer = 4;

/** What a member is made of, beside its configuration. */
export interface PrivateLedgerParts {
  readonly config: PrivateLedgerConfiguration;
  readonly dataFolder: string;
  readonly channel: string;
  readonly identity: SigningIdentity;
  readonly identityPem: { readonly certificateChainPem: string; readonly privateKeyPem: string };
  /** 32 bytes that the firm's nodes share. Secret. */
  readonly indexRoot: Uint8Array;
  /** Goes by revocation lists: who may connect. */
  readonly verifier: CertificateVerifier;
  /** Without revocation lists: what was signed before a revocation stays valid. */
  readonly readingVerifier: CertificateVerifier;
  readonly register: Register;
  readonly replica: Replica;
  readonly contract: AnchorContract;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly nowMs: () => number;
  /** Keeps a call open for as long as its caller's certificate counts (`OpenCalls.serve`). */
  readonly serve: <T>(check: () => void, work: () => Promise<T>) => Promise<T>;
  /** The member cannot go on: its disk, or a broken invariant. */
  readonly onFault: (error: unknown) => void;
}

/** What a service hears from its member of the private ledger. None of these may throw. */
export interface LedgerListener {
  /** Confirmed blocks, applied and durable here, in order. */
  readonly applied?: (blocks: readonly SealedBlock[]) => void;
  readonly office?: (office: Office) => void;
  readonly returned?: (returned: readonly Returned[]) => void;
}

/** A firm's private ledger, as one of its members has it. */
export interface PrivateLedger {
  readonly ledger: string;
  readonly member: LedgerMember;
  readonly chain: LedgerChain;
  readonly crypto: Crypto;
  readonly facts: FactStore;
  /** What records are audited by. */
  readonly rules: readonly Rule[];
  readonly notes: MemberNotes;
  readonly alerts: AlertBook;
  readonly watch: AnchorWatch;
  readonly peers: Peers;
  readonly members: LedgerMembers;
  readonly metrics: LedgerMetrics;
  /** In the order in which they start; the service's gRPC server, with `peers` in it, comes after them. */
  readonly components: readonly Component[];
  listen(listener: LedgerListener): void;
  /** For `/v1/status`. */
  status(): JsonObject;
}

/**
 * Opens this node's part of the firm's private ledger: log, chain, notes, and the member around them. It takes part once the components are started.
 * @throws WaymarkError configuration-invalid, unavailable (`locked`, the disk), data-abnormal (a damaged disk)
 */
export async function openPrivateLedger(parts: PrivateLedgerParts): Promise<PrivateLedger> {
  const { config, channel, identity, logger, nowMs, replica } = parts;
  const { mspId, enrolmentId: id } = identity;
  const ledger = ledgerName(mspId, channel);
  const configuration = loadFirstConfiguration(config.configurationFile);
  const members = openLedgerMembers(config.membersFile, logger);
  const folder = ledgerFolder(parts.dataFolder);
  const listeners: LedgerListener[] = [];
  const rules = auditRules(config.audit);
  const bodyCipher = createBodyCipher({ indexRoot: parts.indexRoot, ledger });
  const crypto = createCrypto({
    bodyId: (candidate) => bodyCipher.bodyId(candidate),
    submissions: signedBatches({
      channel,
      holderOf: (der, atMs) => parts.readingVerifier.verify(der, { atMs, roles: ['client', 'peer'] }).enrolmentId,
    }),
    ...createCoseKeys({
      channel,
      signer: identity,
      publicKeyOf: (member, digest) => members.publicKeyOf(member, digest),
    }),
  });

  const log = await openLedgerLog({
    folder: folder.log,
    // An empty disk under somebody who was a member is no fresh start.
    create: !folder.wasMember,
    maxSizeBytes: config.maxLogBytes,
  });
  if (log.restored.tornTail !== null)
    logger.warn('an unfinished write at the end of the ledger log was cut off', {
      sizeBytes: log.restored.tornTail.sizeBytes,
    });
  const chain = await openLedgerChain({ folder: folder.chain, ledger, bodyCipher });
  const notes = openMemberNotes(folder.notes);
  const alerts = await openAlertBook({
    folder: folder.alerts,
    ledger,
    member: id,
    logger,
    registry: parts.registry,
    report: (proof) => parts.contract.report(mspId, proof),
  });
  const facts = createFactStore({ whenFull: configuration.eligible.includes(id) ? 'refuse' : 'evict-oldest' });
  const standingOf = standingByRegister(parts.register, nowMs);
  const { records, maxPerSecond, timeoutMs } = config.audit.envelopes;
  const samples = createEnvelopeSamples({
    records,
    maxPerSecond,
    // A follower that waits longer would take its center for dead.
    timeoutMs: Math.min(timeoutMs, config.tickMs * ticksWithoutAnswer),
    members,
    block: (height) => member.block(height),
    standingOf,
    identityPem: parts.identityPem,
    logger,
    onLooked: (outcome) => metrics.looked(outcome),
    nowMs,
    monotonicMs: () => performance.now(),
  });

  const peers: Peers = createPeers({
    ledger,
    member: id,
    peers: () => members.current(),
    identity: parts.identityPem,
    greeting: (peer) => member.greeting(peer),
    onGreeting: (peer, greeting) => member.greeted(peer, greeting),
    onMessage: (message) => member.receive(message),
    identify: (certificateDer) => memberOf(parts.verifier, certificateDer, nowMs),
    serve: parts.serve,
    readBlocks: (first, last) => blocksDown(chain, first, last),
    onConnected: (peer) => logger.info('a member of the ledger is connected', { peer }),
    onDisconnected: (peer, error) => logger.warn('a member of the ledger is away', { peer, error }),
    onUnreachable: (peer, error) => logger.debug('a member of the ledger cannot be reached', { peer, error }),
    onRefused: (peer, error) => logger.warn('a stream to the ledger was refused', { peer: peer ?? '', error }),
    onDropped: (_peer, _reason, messages) => metrics.dropped(messages),
  });
  members.onChange(() => peers.reload());

  const member = createLedgerMember({
    ledger,
    id,
    configuration,
    crypto,
    audit: createAudit({
      rules,
      // What was found out by samples is for following a center; a center judges by all that was handed in to it.
      facts: {
        ...facts,
        get: (hash) => facts.get(hash) ?? (member.status().role === 'center' ? undefined : samples.findings.get(hash)),
      },
      attachmentOf,
      standingOf,
      toleranceMs: auditToleranceMs,
      isRecorded: (oid) => chain.isRecorded(oid),
    }),
    random: () => randomInt(2 ** 32),
    log,
    chain: isRestored(folder.restored) ? replayedChain(chain, () => forgetRestore(folder.restored)) : chain,
    peers,
    remembered: notes.positions(),
    remember: (peer, position) => notes.notePosition(peer, position),
    prepare: (message) => samples.prepare(message),
    events: {
      onApplied(blocks) {
        for (const block of blocks) settle(block);
        watch.applied();
        for (const { applied } of listeners) applied?.(blocks);
      },
      onSnapshot: () => void backfill(),
      onOffice(office) {
        logger.info('the office of the ledger', {
          peer: office.center ?? '',
          term: office.term,
          state: office.isHere ? 'in office' : 'following',
        });
        for (const listener of listeners) listener.office?.(office);
      },
      onReturned(returned) {
        logger.warn('submissions were returned', { count: returned.length, reason: returned[0]?.reason });
        for (const listener of listeners) listener.returned?.(returned);
      },
      onAlert: raise,
      onFault: parts.onFault,
    },
    nowMs,
    monotonicMs: () => performance.now(),
    tickMs: config.tickMs,
    standsFirst: configuration.eligible[0] === id,
  });
  const watch = createAnchorWatch({
    mspId,
    ledger,
    replica,
    chain: {
      height: () => chain.height,
      header: async (height) => {
        const [header] = (await chain.storedBlock(height)).blocks;
        return header === undefined ? null : decodeHeader(header.bytes);
      },
    },
    hashing: crypto,
    member: {
      anchored: (height, hash) => member.anchored(height, hash),
      confirmation: (height) => member.confirmation(height),
    },
    alerts,
    onAgreed: (anchor) => chain.markAnchored(anchor),
    fromHeight: chain.anchoredUpTo + 1,
    logger,
    registry: parts.registry,
  });
  const metrics = registerLedgerMetrics(parts.registry, {
    status: () => member.status(),
    connected: () => peers.connected().length,
    anchored: () => replica.ledgerHead(mspId)?.last ?? 0,
  });

  /** What every member does with a block that is final, before its service does. */
  function settle({ candidate: { height, content } }: SealedBlock): void {
    if (content.kind === 'configuration') notes.noteConfiguration({ height, configuration: content.configuration });
    if (content.kind !== 'records') return;
    for (const { submission, rejected } of content.audited) {
      facts.forget(submission.hash);
      samples.findings.forget(submission.hash);
      for (const { reason } of rejected) metrics.rejected(reason, 1);
    }
  }

  function raise(alert: MemberAlert): void {
    alerts
      .raise(alertOfCore(alert, (height) => member.confirmation(height)))
      .catch((error: unknown) => logger.error('an alert could not be written', { error }));
  }

  /** Fetches the blocks that a snapshot stands for, so that this member has the whole chain (D2). */
  let filling: Promise<void> | undefined;
  function backfill(): Promise<void> {
    filling ??= fillIn().finally(() => {
      filling = undefined;
    });
    return filling;
  }
  async function fillIn(): Promise<void> {
    for (const peer of peers.connected()) {
      try {
        for (let range = chain.missing()[0]; range !== undefined; range = chain.missing()[0])
          if ((await chain.backfill(peers.readBlocks(peer, range.first, range.last))) === 0) break;
      } catch (error) {
        logger.warn('blocks could not be fetched from a member', { peer, error });
      }
    }
  }

  const disk: Component = {
    name: 'ledger-disk',
    start: () => undefined,
    stop: async () => {
      await member.stop();
      await samples.close();
      await filling;
      await log.close();
      await chain.close();
      notes.close();
    },
  };
  const taking: Component = {
    name: 'ledger-member',
    start: () => {
      member.start();
      if (chain.missing().length > 0) void backfill();
    },
    stop: () => peers.stop(),
  };
  return {
    ledger,
    member,
    chain,
    crypto,
    facts,
    rules,
    notes,
    alerts,
    watch,
    peers,
    members,
    metrics,
    components: [
      disk,
      members,
      alerts,
      watch,
      taking,
      { name: 'ledger-peers', start: () => peers.start(), stop: () => undefined },
    ],
    listen: (listener) => void listeners.push(listener),
    status(): JsonObject {
      const status = member.status();
      const head = replica.ledgerHead(mspId);
      return {
        ledger,
        member: id,
        role: status.role === 'center' && !member.office().isHere ? 'follower' : status.role,
        center: member.office().center,
        term: status.term,
        height: status.height,
        confirmed: status.confirmed.height,
        applied: status.applied,
        anchored: head?.last ?? 0,
        unanchored: Math.max(0, status.confirmed.height - (head?.last ?? 0)),
        epoch: status.configuration.epoch,
        pendingRecords: status.pendingRecords,
        profile: status.configuration.profile.center,
        isCleared: status.isCleared,
        isBarred: status.isBarred,
        fault: status.fault,
        liars: [...status.liars],
        alerts: alerts.entries().length,
        mismatches: watch.state.mismatches,
        members: status.configuration.members.map((name) => {
          const progress = status.progress.find((entry) => entry.member === name);
          return {
            id: name,
            role: name === member.office().center ? 'center' : status.configuration.eligible.includes(name) ? 'standby' : 'department', // prettier-ignore
            height: name === id ? status.height : (progress?.match ?? null),
            lag: progress === undefined ? null : Math.max(0, status.height - progress.match),
          };
        }),
        learners: [...status.configuration.learners],
      };
    },
  };
}

/** The member that a certificate is of. @throws WaymarkError certificate-untrusted, certificate-expired, certificate-revoked */
function memberOf(verifier: CertificateVerifier, certificateDer: Uint8Array, nowMs: () => number): string {
  return verifier.verify(certificateDer, { atMs: nowMs() }).enrolmentId;
}

/** Own blocks for a member that lacks them, the highest first, because each is known by the one above it. */
async function* blocksDown(chain: LedgerChain, first: number, last: number): AsyncGenerator<StoredBlock> {
  for (let height = Math.min(last, chain.height); height >= first; height -= 1) yield await chain.storedBlock(height);
}

/** @throws WaymarkError unavailable */
export function requireOffice(office: Office): void {
  if (office.isHere) return;
  throw new WaymarkError('unavailable', 'This center is not in office.', { details: { center: office.center ?? '' } });
}
