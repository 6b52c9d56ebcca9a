import { sealProblem } from '../block/certificate.ts';
import type { Seal } from '../block/header.ts';
import { confirmedBy } from '../confirm.ts';
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
    if (seals[0]?.header.root !== root || !isConfirmed(crypto, ledger, [configuration, next], seals, faults))
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
  return isConfirmed(crypto, ledger, [configuration], snapshot.seals, faults);
}

/** Whether each of these headers has its quorum and follows the one before, and together they confirm the first. */
function isConfirmed(
  crypto: Crypto,
  ledger: string,
  configurations: readonly Configuration[],
  seals: readonly Seal[],
  faults: PlantedFaults,
): boolean {
  const [first] = seals;
  if (first === undefined) return false;
  const lying = configurations.some(({ profile }) => profile.center === 'lying');
  let below = { height: first.header.height - 1, term: 0, hash: first.header.prev, confirmed: 0 };
  for (const seal of seals) {
    const { height, term, prev } = seal.header;
    if (seal.header.ledger !== ledger || height !== below.height + 1 || prev !== below.hash) return false;
    if (sealProblem(crypto, seal, configurations, faults) !== null) return false;
    below = { height, term, hash: seal.hash, confirmed: confirmedBy(below, { height, term }, lying, faults) };
  }
  return below.confirmed >= first.header.height;
}

function cursorMap({ cursors }: Snapshot): Map<string, Cursor> {
  return new Map(cursors.map(({ department, seq, hash }) => [department, { seq, hash }]));
}
