import type { Seal } from '../block/header.ts';
import { cursorList } from '../log/chain.ts';
import type { Log } from '../log/log.ts';
import type { ConfigurationProof, Snapshot } from './snapshot.ts';

/** The sealed headers from a block up to the one that confirms it; null when they are not here. */
export function confirmingSeals(log: Log, height: number): Seal[] | null {
  const seals: Seal[] = [];
  for (let at = height; at <= log.top.height; at += 1) {
    const entry = log.entry(at);
    if (entry?.seal === null || entry?.after === null || entry === null) return null;
    seals.push(entry.seal);
    if (entry.after.confirmed >= height) return seals;
  }
  return null;
}

/**
 * Makes the snapshot of a confirmed block that is in the log.
 * @param earlier proofs of the configurations up to the log's base
 * @returns null when there is none to make: not in the log, not confirmed by it, or a change of the configuration on its way there
 */
export function makeSnapshot(log: Log, height: number, earlier: readonly ConfigurationProof[]): Snapshot | null {
  const entry = log.entry(height);
  const state = log.state(height);
  if (entry === null || state === null || state.epochs.pending !== null) return null;
  const seals = confirmingSeals(log, height);
  if (seals === null) return null;
  const configurations = [...earlier];
  for (let at = log.base.height + 1; at <= height; at += 1) {
    const content = log.entry(at)?.candidate.content;
    if (content?.kind !== 'configuration') continue;
    const proof = confirmingSeals(log, at);
    if (proof === null) return null;
    configurations.push({ configuration: content.configuration, seals: proof });
  }
  return {
    height,
    salt: entry.candidate.salt,
    cursors: cursorList(state.cursors),
    configuration: state.epochs.current,
    configurations,
    seals,
  };
}
