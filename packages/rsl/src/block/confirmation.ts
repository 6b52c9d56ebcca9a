import { confirmedBy } from '../confirm.ts';
import type { Crypto } from '../crypto.ts';
import type { Configuration } from '../membership/configuration.ts';
import type { PlantedFaults } from '../testing-seams/faults.ts';
import { sealProblem } from './certificate.ts';
import type { Seal } from './header.ts';

/**
 * Whether sealed headers, each following the one before and each with its quorum, together confirm the first of them. Whoever knows the members
 * can check this without the ledger: a snapshot's receiver, an auditor, the channel.
 * @param configurations all in force at these heights
 */
export function isConfirmedBySeals(
  crypto: Crypto,
  ledger: string,
  configurations: readonly Configuration[],
  seals: readonly Seal[],
  faults: PlantedFaults = {},
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
