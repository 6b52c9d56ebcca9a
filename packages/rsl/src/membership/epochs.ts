import type { Content } from '../block/candidate.ts';
import type { PlantedFaults } from '../testing-seams/faults.ts';
import type { Configuration } from './configuration.ts';

/** Which configurations are in force at a place of the chain: a pure function of the sealed blocks below it. */
export interface Epochs {
  readonly current: Configuration;
  /** A change that is sealed but not confirmed yet: until then both count (Raft thesis section 4.3). */
  readonly pending: { readonly configuration: Configuration; readonly height: number } | null;
}

/** Configurations whose quorums must all be met by a block with this content, or by an election with it on top of the log. */
export function inForce(epochs: Epochs, content?: Content): readonly Configuration[] {
  const configurations = [epochs.current];
  if (epochs.pending !== null) configurations.push(epochs.pending.configuration);
  if (content?.kind === 'configuration') configurations.push(content.configuration);
  return configurations;
}

/** The epochs after one more sealed block, by which blocks up to `confirmed` are confirmed. */
export function nextEpochs(
  epochs: Epochs,
  height: number,
  content: Content,
  confirmed: number,
  faults: PlantedFaults = {},
): Epochs {
  let { current, pending } = epochs;
  if (content.kind === 'configuration') {
    if (faults.twoMembershipChanges === true && pending !== null) current = pending.configuration;
    pending = { configuration: content.configuration, height };
  }
  if (pending !== null && (pending.height <= confirmed || faults.configurationAtOnce === true)) {
    current = pending.configuration;
    pending = null;
  }
  return current === epochs.current && pending === epochs.pending ? epochs : { current, pending };
}
