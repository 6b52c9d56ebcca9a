import { WaymarkError } from '@waymark/protocol';
import type { PersistStep } from '../ready.ts';
import { stateOf } from '../snapshot/install.ts';
import type { Node } from './node.ts';

/**
 * Brings a member back from what its disk holds (README.md, "The driver's duties in order"). Its own disk is believed: what stands there was
 * checked before it was written, and the driver's log has checksums.
 * @throws WaymarkError internal when the steps do not follow one another
 */
export function restore(node: Node, steps: readonly PersistStep[]): void {
  for (const step of steps) replay(node, step);
  if (node.faults.resumeTruncated === true)
    node.log.truncate(Math.max(node.log.base.height + 1, node.log.lastHeight - 2));
  node.confirmed = Math.max(node.confirmed, node.log.top.confirmed, node.log.base.height);
}

function replay(node: Node, step: PersistStep): void {
  const { log } = node;
  switch (step.type) {
    case 'hard-state':
      node.term = step.term;
      node.votedFor = step.votedFor;
      node.boundTo = step.center;
      return;
    case 'candidate':
      log.put(step.candidate, step.ack);
      return;
    case 'ack':
      log.acknowledge(step.ack);
      return;
    case 'seal':
      log.seal(step.seal);
      return;
    case 'truncate':
      log.truncate(step.height);
      return;
    case 'submission':
      node.queue.push({ submission: step.submission, receipt: step.receipt });
      node.queuedRecords += step.submission.records.length;
      return;
    case 'confirmed':
      node.confirmed = Math.max(node.confirmed, step.height);
      return;
    case 'evidence':
      node.liars.set(step.evidence.center, step.evidence);
      return;
    case 'snapshot':
    case 'compact': {
      const [seal] = step.snapshot.seals;
      if (seal === undefined) throw new WaymarkError('internal', 'A stored snapshot has no header.');
      node.snapshot = step.snapshot;
      node.configurations = step.snapshot.configurations;
      const keepsTail = step.type === 'compact' && log.state(step.snapshot.height) !== null;
      if (keepsTail) log.compact(step.snapshot.height);
      else log.reset(stateOf(step.snapshot, seal, node.faults));
      return;
    }
  }
}

/** The shortest list of steps that leads to this state. */
export function checkpoint(node: Node): PersistStep[] {
  const { log, snapshot } = node;
  const steps: PersistStep[] = [];
  if (snapshot !== null) steps.push({ type: 'snapshot', snapshot });
  for (let height = log.base.height + 1; height <= log.lastHeight; height += 1) {
    const entry = log.entry(height);
    if (entry === null) continue;
    steps.push({ type: 'candidate', candidate: entry.candidate, ack: entry.ack });
    if (entry.seal !== null) steps.push({ type: 'seal', seal: entry.seal });
  }
  steps.push({ type: 'hard-state', term: node.term, votedFor: node.votedFor, center: node.boundTo });
  if (node.confirmed > log.top.confirmed) steps.push({ type: 'confirmed', height: node.confirmed });
  for (const evidence of node.liars.values()) steps.push({ type: 'evidence', evidence });
  for (const { submission, receipt } of node.queue) steps.push({ type: 'submission', submission, receipt });
  return steps;
}
