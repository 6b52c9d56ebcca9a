import { encodeAnchor, makeAnchor, type SealedBlock } from '@waymark/rsl';
import type { LedgerConsortium } from './ledger-firm.ts';
import { openMemberDisk, openMemberKeys } from './member-disk.ts';
import { keysOfAll, sealedAnew } from './rewriting.ts';

/**
 * The anchor of a block above all others, which no member has: sealed, and confirmed by two more, with the keys of the center in office and of all departments.
 * @param member one that does not run and has everything, whose disk is read
 */
export async function forgeAnchor(ledger: LedgerConsortium, member: string) {
  const { running, firm } = ledger;
  const { consortium } = running;
  const disk = await openMemberDisk(consortium, firm, member);
  const tip = await disk.chain.block(disk.chain.height).finally(() => disk.chain.close());
  const keys = await keysOfAll(ledger);
  const blocks: SealedBlock[] = [];
  for (let below: SealedBlock = tip; blocks.length < 3; below = blocks.at(-1) ?? tip) {
    const height = below.candidate.height + 1;
    const empty = {
      candidate: { ...below.candidate, height, count: 0, content: { kind: 'empty' } as const },
      seal: { ...below.seal, header: { ...below.seal.header, height } },
    };
    blocks.push(sealedAnew(empty, below.seal.hash, keys));
  }
  const [first] = blocks;
  const { center, term } = tip.candidate;
  if (first === undefined) throw new Error('no block');
  const { crypto } = await openMemberKeys(consortium, firm, center);
  const seals = blocks.map(({ seal }) => seal);
  const anchor = makeAnchor(crypto, { headers: [first.seal.header], seals, center, term, election: null });
  return { height: first.candidate.height, hash: first.seal.hash, center, bytes: encodeAnchor(anchor) };
}
