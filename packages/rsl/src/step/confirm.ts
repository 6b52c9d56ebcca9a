import type { Candidate } from '../block/candidate.ts';
import type { Seal } from '../block/header.ts';
import type { BlockHash } from '../ids.ts';
import { type Node, persist } from './node.ts';

/** Seals the candidate on top and hands out what that confirms. */
export function sealTop(node: Node, seal: Seal): void {
  const candidate = node.log.open?.candidate;
  const state = node.log.seal(seal);
  persist(node, { type: 'seal', seal });
  if (candidate !== undefined) node.out.sealed.push({ candidate, seal });
  confirmUpTo(node, state.confirmed);
}

/** Hands out every block up to here that was not handed out yet. */
export function confirmUpTo(node: Node, height: number): void {
  for (let next = node.confirmed + 1; next <= height; next += 1) {
    const entry = node.log.entry(next);
    if (entry?.seal === null || entry === null) continue;
    node.out.confirmed.push({ candidate: entry.candidate, seal: entry.seal });
  }
  if (height <= node.confirmed) return;
  node.confirmed = height;
  const { cursors } = node.log.top;
  node.ownReceipts = node.ownReceipts.filter(({ department, seq }) => (cursors.get(department)?.seq ?? 0) < seq);
}

/** A header of this hash is on the channel (D7: its anchor confirms a block; D12: another header than ours is found out). */
export function anchored(node: Node, height: number, hash: BlockHash): void {
  const held = node.log.state(height)?.hash;
  if (held === undefined || height === 0) return;
  if (held === hash) {
    if (height > node.confirmed) persist(node, { type: 'confirmed', height });
    confirmUpTo(node, height);
  } else if (height <= node.confirmed) {
    // Above that it is only a block that another center made anew, and this member has not heard of yet.
    node.out.alerts.push({ type: 'anchor-mismatch', height, anchored: hash, held });
  }
}

/** Whether a block that the driver has not applied yet holds this oid below `height`. */
export function isRecent(node: Node, height: number): (oid: string) => boolean {
  const sets: ReadonlySet<string>[] = [];
  for (let at = Math.max(node.applied, node.log.base.height) + 1; at < height; at += 1) {
    const oids = node.log.entry(at)?.oids;
    if (oids !== undefined && oids.size > 0) sets.push(oids);
  }
  return (oid) => sets.some((oids) => oids.has(oid));
}

/** Whether two candidates are one and the same, but for the salt, which nobody signs. */
export function isSame(a: Candidate, b: Candidate): boolean {
  return (
    a.height === b.height &&
    a.term === b.term &&
    a.center === b.center &&
    a.epoch === b.epoch &&
    a.prev === b.prev &&
    a.root === b.root &&
    a.count === b.count
  );
}
