import { WaymarkError } from '@waymark/protocol';
import type { CoreOptions, RslCore, Status } from './core.ts';
import { defaultLimits } from './limits.ts';
import { genesis } from './log/chain.ts';
import { createLog } from './log/log.ts';
import { checkConfiguration } from './membership/configuration.ts';
import type { Message } from './messages.ts';
import type { Ready } from './ready.ts';
import { confirmingSeals, makeSnapshot } from './snapshot/make.ts';
import { accuse } from './step/blame.ts';
import { campaign, onHandOver, onVoteReply, onVoteRequest } from './step/campaign.ts';
import { onBlocks, onFetch, onSnapshot } from './step/catch-up.ts';
import { flushCenter, onAppendReply, tickCenter, trySeal } from './step/center.ts';
import { anchored, confirmUpTo } from './step/confirm.ts';
import { onAppend } from './step/follower.ts';
import { emptyOutbox, type Node, type Outbox, persist } from './step/node.ts';
import { checkpoint, restore } from './step/restore.ts';
import { becomeFollower, resetElectionTimer } from './step/role.ts';
import { changeMembership, handOver, lastCursor, propose } from './step/submit.ts';
import { noFaults } from './testing-seams/faults.ts';

/**
 * Makes one member's core.
 * @throws WaymarkError configuration-invalid; internal when `persisted` is not what `ready()` handed out
 */
export function createCore(options: CoreOptions): RslCore {
  checkConfiguration(options.configuration);
  const node = createNode(options);
  restore(node, options.persisted ?? []);
  const applied = options.applied ?? 0;
  const confirmed = node.confirmed;
  node.applied = Math.max(applied, node.log.base.height);
  node.confirmed = Math.min(node.applied, confirmed);
  if (node.snapshot !== null && applied < node.snapshot.height) node.out.snapshot = node.snapshot;
  confirmUpTo(node, confirmed);
  resetElectionTimer(node);
  return coreOf(node);
}

function createNode({
  ledger,
  id,
  configuration,
  crypto,
  audit,
  random,
  limits,
  faults = noFaults,
}: CoreOptions): Node {
  return {
    ledger,
    id,
    crypto,
    audit,
    random,
    firstConfiguration: configuration,
    limits: { ...defaultLimits, ...limits },
    faults,
    log: createLog(genesis(configuration), faults),
    nowMs: 0,
    role: 'follower',
    term: 0,
    votedFor: null,
    boundTo: null,
    following: null,
    electionElapsed: 0,
    heartbeatElapsed: 0,
    timeoutTicks: 0,
    campaign: null,
    leadership: null,
    queue: [],
    queuedRecords: 0,
    ownReceipts: [],
    liars: new Map(),
    refusedCandidate: null,
    confirmed: 0,
    applied: 0,
    snapshot: null,
    configurations: [],
    out: emptyOutbox(),
  };
}

function coreOf(node: Node): RslCore {
  /** What was handed out and is not known to be durable. */
  let handedOut: Outbox | null = null;

  const advance = (): void => {
    if (handedOut === null) return;
    const { confirmed } = handedOut;
    const holdsTop = node.log.open !== null && !node.out.persist.some((step) => step.type === 'candidate');
    handedOut = null;
    node.applied = Math.max(node.applied, confirmed.at(-1)?.candidate.height ?? 0);
    if (node.leadership === null || !holdsTop || node.leadership.isOwnDurable) return;
    node.leadership.isOwnDurable = true;
    trySeal(node);
  };

  return {
    tick(nowMs) {
      node.nowMs = nowMs;
      node.electionElapsed += 1;
      if (node.role === 'center') tickCenter(node);
      else if (node.electionElapsed >= node.timeoutTicks) campaign(node, true, null);
    },
    step(message, nowMs) {
      node.nowMs = nowMs;
      if (message.to === node.id && message.from !== node.id) dispatch(node, message);
    },
    propose(submission, nowMs) {
      node.nowMs = nowMs;
      return propose(node, submission);
    },
    changeMembership: (change) => changeMembership(node, change),
    handOver: (to) => handOver(node, to),
    campaign: () => campaign(node, true, null),
    receipted(receipt) {
      const isOwn = receipt.department === node.id && receipt.ledger === node.ledger;
      const isOpen = (node.log.top.cursors.get(node.id)?.seq ?? 0) < receipt.seq;
      if (isOwn && isOpen) node.ownReceipts.push(receipt);
    },
    anchored: (height, hash) => anchored(node, height, hash),
    accuse: (evidence) => void accuse(node, evidence),
    compact(height) {
      if (height > Math.min(node.confirmed, node.applied) || height <= node.log.base.height) return null;
      const snapshot = makeSnapshot(node.log, height, node.configurations);
      if (snapshot === null) return null;
      node.log.compact(height);
      node.snapshot = snapshot;
      node.configurations = snapshot.configurations;
      persist(node, { type: 'compact', snapshot });
      return snapshot;
    },
    hasReady() {
      if (handedOut !== null) return true;
      flushCenter(node);
      return !isEmpty(node.out);
    },
    ready() {
      if (handedOut === null) {
        flushCenter(node);
        handedOut = node.out;
        node.out = emptyOutbox();
      }
      const ready: Ready = handedOut;
      return ready;
    },
    advance,
    status: () => statusOf(node),
    checkpoint: () => checkpoint(node),
    confirmation: (height) => confirmingSeals(node.log, height),
    election: () => (node.role === 'center' ? (node.leadership?.certificate ?? null) : null),
    position(department) {
      const cursor = lastCursor(node, department);
      return cursor === undefined ? null : { department, seq: cursor.seq, hash: cursor.hash };
    },
    block(height) {
      const entry = node.log.entry(height);
      return entry?.seal === null || entry === null ? null : { candidate: entry.candidate, seal: entry.seal };
    },
  };
}

function dispatch(node: Node, message: Message): void {
  switch (message.type) {
    case 'append': {
      onAppend(node, message);
      return;
    }
    case 'append-reply':
      if (message.result !== 'stale') {
        onAppendReply(node, message);
        return;
      }
      // A later term makes an end of this one (Raft section 5.1); how far it may jump is limited, since nobody has proven it.
      if (message.term > node.term && message.term <= node.term + node.limits.maxTermStep) {
        becomeFollower(node, message.term);
      }
      return;
    case 'vote-request': {
      onVoteRequest(node, message);
      return;
    }
    case 'vote-reply': {
      onVoteReply(node, message);
      return;
    }
    case 'hand-over': {
      onHandOver(node, message);
      return;
    }
    case 'snapshot': {
      onSnapshot(node, message);
      return;
    }
    case 'fetch': {
      onFetch(node, message);
      return;
    }
    case 'blocks': {
      onBlocks(node, message);
      return;
    }
    case 'evidence':
      return void accuse(node, message.evidence);
    default:
      throw new WaymarkError('internal', 'A message of an unknown type reached the core.');
  }
}

function isEmpty(out: Outbox): boolean {
  return out.snapshot === null && Object.values(out).every((list) => list === null || (list as unknown[]).length === 0);
}

function statusOf(node: Node): Status {
  const { log, leadership } = node;
  const { height, term, hash } = log.top;
  const confirmed = log.state(node.confirmed);
  const { current, pending } = log.top.epochs;
  const open = log.open?.candidate.content;
  return {
    id: node.id,
    role: node.role,
    term: node.term,
    center: node.role === 'center' ? node.id : (node.following?.center ?? null),
    height: log.lastHeight,
    sealed: { height, term, hash },
    confirmed: { height: node.confirmed, term: confirmed?.term ?? 0, hash: confirmed?.hash ?? '' },
    firstHeight: log.base.height + 1,
    configuration: current,
    pendingConfiguration: pending?.configuration ?? (open?.kind === 'configuration' ? open.configuration : null),
    votedFor: node.votedFor,
    pendingRecords: node.queuedRecords,
    handingOverTo: leadership?.handOver?.to ?? null,
    progress: [...(node.role === 'center' ? (leadership?.progress ?? []) : [])].map(([member, p]) => ({
      member,
      mode: p.mode,
      match: p.match,
      sealed: p.sealed,
    })),
    liars: [...node.liars.keys()].sort(),
  };
}
