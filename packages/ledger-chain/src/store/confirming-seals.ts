import { maxProofSeals, type Seal } from '@waymark/rsl';

/**
 * The seals of a chain that confirm a block, by the rule for a lying center, which is enough for a trusted one too (docs/rsl.md, "Confirmed").
 * @returns null when the chain does not go far enough above it
 */
export function confirmingSeals(height: number, sealAt: (height: number) => Seal | null): readonly Seal[] | null {
  const seals: Seal[] = [];
  for (let at = height; seals.length < maxProofSeals; at += 1) {
    const seal = sealAt(at);
    if (seal === null) return null;
    const below = seals.at(-1);
    seals.push(seal);
    if (seals.length >= 3 && below?.header.term === seal.header.term) return seals;
  }
  return null;
}
