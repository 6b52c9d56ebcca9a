import { isConfirmedBySeals } from '../block/confirmation.ts';
import type { Seal } from '../block/header.ts';
import type { Crypto } from '../crypto.ts';
import { type ChainState, type Cursor, departmentsDigest } from '../log/chain.ts';
import { type Configuration, configurationStatement } from '../membership/configuration.ts';
import type { PlantedFaults } from '../testing-seams/faults.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Checks a snapshot against the last configuration that this member knows: each change is proven by the members before it, the headers confirm
 * the block, its department hash covers the sequences.
 * @returns the state it stands for, or null when it does not prove itself
 */
export function installable(
  crypto: Crypto,
  ledger: string,
  known: Configuration,
  snapshot: Snapshot,
  faults: PlantedFaults,
): ChainState | null {
  const [seal] = snapshot.seals;
  if (seal === undefined) return null;
  if (faults.snapshotUnverified !== true && !isProven(crypto, ledger, known, snapshot, seal, faults)) return null;
  return stateOf(snapshot, seal, faults);
}

/** The state that a snapshot stands for; its proofs are not looked at. */
export function stateOf(snapshot: Snapshot, seal: Seal, faults: PlantedFaults): ChainState {
  const cursors = faults.snapshotLosesSequences === true ? new Map<string, Cursor>() : cursorMap(snapshot);
  return {
    height: seal.header.height,
    term: seal.header.term,
    hash: seal.hash,
    timestampMs: seal.header.timestampMs,
    confirmed: seal.header.height,
    cursors,
    epochs: { current: snapshot.configuration, pending: null },
  };
}

function isProven(
  crypto: Crypto,
  ledger: string,
  known: Configuration,
  snapshot: Snapshot,
  seal: Seal,
  faults: PlantedFaults,
): boolean {
  let configuration = known;
  for (const { configuration: next, seals } of snapshot.configurations) {
    if (next.epoch <= configuration.epoch) continue;
    if (next.epoch !== configuration.epoch + 1) return false;
    const root = crypto.merkleRoot([crypto.leafHash(configurationStatement(next))]);
    if (seals[0]?.header.root !== root || !isConfirmedBySeals(crypto, ledger, [configuration, next], seals, faults))
      return false;
    configuration = next;
  }
  if (
    crypto.digest(configurationStatement(configuration)) !==
    crypto.digest(configurationStatement(snapshot.configuration))
  ) {
    return false;
  }
  if (seal.header.height !== snapshot.height) return false;
  if (departmentsDigest(crypto, snapshot.salt, cursorMap(snapshot)) !== seal.header.departments) return false;
  return isConfirmedBySeals(crypto, ledger, [configuration], snapshot.seals, faults);
}

function cursorMap({ cursors }: Snapshot): Map<string, Cursor> {
  return new Map(cursors.map(({ department, seq, hash }) => [department, { seq, hash }]));
}
