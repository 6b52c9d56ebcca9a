import type { MemberId, MembershipChange, Message } from '../../src/index.ts';
import { type Cluster, createCluster } from '../support/cluster.ts';
import type { Outcome } from './outcome.ts';
import { listOf, type TraceStep } from './trace.ts';

const electionTicks = 10;
const submitter = 'outlet';

/**
 * Plays an etcd trace on RSL members with a trusted center, and reads off what it comes to. Heights, terms and messages differ (RSL proposes one block at
 * a time, always asks before it stands, closes with empty blocks); who leads, what is committed and in which order, and who takes part do not.
 */
export function playTrace(steps: readonly TraceStep[]): Outcome {
  const first = steps.find(({ name }) => name === 'add-nodes');
  if (first === undefined) throw new Error('the trace has no nodes');
  const voters = listOf(first.args, 'voters');
  const learners = listOf(first.args, 'learners');
  const hasLease = first.args.includes('checkquorum=true');
  const all = Array.from({ length: 9 }, (_, index) => String(index + 1));
  const cluster = createCluster({
    members: voters,
    learners,
    eligible: voters,
    profile: { center: 'trusted' },
    extra: all.filter((id) => !voters.includes(id) && !learners.includes(id)),
    limits: { electionTicks },
    // Half a time-out more than the least: nobody stands for election but who is told to.
    random: () => electionTicks / 2,
  });
  const changes: MembershipChange[] = [];
  for (const step of steps) play(cluster, step, changes, hasLease);
  settleAll(cluster, changes);
  return read(cluster);
}

function play(
  cluster: Cluster,
  { name, args, given }: TraceStep,
  changes: MembershipChange[],
  hasLease: boolean,
): void {
  const ids = args.filter((arg) => /^\d+$/.test(arg));
  const [id = ''] = ids;
  switch (name) {
    case 'campaign':
      if (!hasLease) loseLease(cluster, id);
      cluster.member(id).core.campaign();
      return;
    case 'propose': {
      const center = cluster.member(id).core;
      if (center.status().role === 'center')
        center.propose(cluster.submission(submitter, [args[1] ?? '']), cluster.nowMs);
      return;
    }
    case 'propose-conf-change':
      changes.push(
        ...given.flatMap((line) => line.trim().split(/\s+/)).flatMap((word) => changesFor(cluster, id, word)),
      );
      tryChange(cluster, id, changes);
      return;
    case 'process-ready':
      for (const member of ids) cluster.work(member);
      return;
    case 'deliver-msgs': {
      const dropped = listOf(args, 'drop');
      const lost = (message: Message): boolean => dropped.includes(message.to);
      cluster.wire.splice(0, cluster.wire.length, ...cluster.wire.filter((message) => !lost(message)));
      if (ids.length > 0) cluster.deliver(({ to }) => ids.includes(to));
      return;
    }
    case 'stabilize':
      if (ids.length === 0) settleAll(cluster, changes);
      else settleSome(cluster, ids);
      return;
    case 'tick-heartbeat':
      cluster.tick([id]);
      return;
    case 'tick-election':
      for (let count = 0; count < electionTicks; count += 1) cluster.tick([id]);
      return;
    case 'transfer-leadership': {
      const [from = ''] = listOf(args, 'from');
      const [to = ''] = listOf(args, 'to');
      cluster.member(from).core.handOver(to);
      return;
    }
    case 'compact':
      cluster.member(id).core.compact(cluster.member(id).core.status().confirmed.height);
      return;
    case 'add-nodes':
    case 'log-level':
    case 'raft-log':
    case 'raft-state':
    case 'report-unreachable':
    case 'send-snapshot':
    case 'set-randomized-election-timeout':
    case 'status':
      return;
    default:
      throw new Error(`there is nothing like "${name}" in RSL`);
  }
}

/** A change of etcd's as RSL's steps: a voter is a learner first. */
function changesFor(cluster: Cluster, center: MemberId, operation: string): MembershipChange[] {
  const member = operation.slice(1);
  const isLearner = cluster.member(center).core.status().configuration.learners.includes(member);
  switch (operation[0]) {
    case 'v':
      return isLearner
        ? [{ type: 'promote', member }]
        : [
            { type: 'add-learner', member },
            { type: 'promote', member },
          ];
    case 'l':
      return [{ type: 'add-learner', member }];
    case 'r':
      return [{ type: 'remove', member }];
    default:
      throw new Error(`there is nothing like "${operation}" in RSL`);
  }
}

/** Without check quorum etcd's voters have no lease: here it is let run out first. */
function loseLease(cluster: Cluster, candidate: MemberId): void {
  for (const [id, { core }] of cluster.members) {
    if (id === candidate || core.status().role === 'center') continue;
    for (let count = 0; count < electionTicks; count += 1) cluster.tick([id]);
  }
}

function settleSome(cluster: Cluster, ids: readonly MemberId[]): void {
  for (let round = 0; round < 1_000; round += 1) {
    for (const id of ids) cluster.work(id);
    if (!cluster.deliver(({ to }) => ids.includes(to))) return;
  }
}

/** Until nothing happens: a heartbeat for what was lost, and one change of the configuration after the other. */
function settleAll(cluster: Cluster, changes: MembershipChange[]): void {
  for (let round = 0; round < 12; round += 1) {
    cluster.settle();
    const center = cluster.center();
    if (center === null) return;
    tryChange(cluster, center, changes);
    cluster.tick([center]);
  }
  cluster.settle();
}

function tryChange(cluster: Cluster, center: MemberId, changes: MembershipChange[]): void {
  const [next] = changes;
  if (next !== undefined && cluster.member(center).core.changeMembership(next).accepted) changes.shift();
}

/** What the center holds; when there is none, what the member with the longest chain holds. */
function read(cluster: Cluster): Outcome {
  const leader = cluster.center();
  const longest = [...cluster.members].reduce((a, b) =>
    b[1].core.status().sealed.height > a[1].core.status().sealed.height ? b : a,
  );
  const [id, { core, confirmed }] = leader === null ? longest : ([leader, cluster.member(leader)] as const);
  const { firstHeight, sealed, configuration } = core.status();
  const committed = confirmed
    .map(({ candidate }) => candidate)
    .concat(blocksFrom(cluster, id, firstHeight, sealed.height))
    .flatMap(({ content }) => (content.kind === 'records' ? content.audited : []))
    .flatMap(({ submission }) => submission.records.map(({ oid }) => oid));
  return {
    leader,
    committed: [...new Set(committed)],
    voters: configuration.members,
    learners: configuration.learners,
  };
}

function blocksFrom(cluster: Cluster, id: MemberId, from: number, to: number) {
  const { core } = cluster.member(id);
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => core.block(from + index)).flatMap((block) =>
    block === null ? [] : [block.candidate],
  );
}
