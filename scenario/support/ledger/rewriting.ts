import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openLedgerChain } from '@waymark/ledger-chain';
import {
  ackStatement,
  candidateStatement,
  contentCounts,
  contentRoot,
  type Crypto,
  type SealedBlock,
  sealStatement,
} from '@waymark/rsl';
import type { LedgerConsortium } from './ledger-firm.ts';
import { ledgerFolderOf, openMemberDisk, openMemberKeys } from './member-disk.ts';

/**
 * Writes another history onto the disk of a member that does not run: in the last block with records the first record counts as rejected, and that block and all
 * above it are sealed anew with every member's own key, as a firm can that owns all of them. Nothing in the chain by itself is wrong.
 * @returns height of the block that was changed
 */
export async function rewriteChain(ledgerOfFirm: LedgerConsortium, member: string): Promise<number> {
  const {
    running: { consortium },
    firm,
  } = ledgerOfFirm;
  const keys = await keysOfAll(ledgerOfFirm);
  const { bodyCipher, ledger } = await openMemberKeys(consortium, firm, member);
  const folder = join(ledgerFolderOf(consortium, firm, member), 'chain');
  const rewritten = `${folder}-rewritten`;
  const disk = await openMemberDisk(consortium, firm, member);
  const copy = await openLedgerChain({ folder: rewritten, ledger, bodyCipher });
  let changed = 0;
  try {
    const blocks: SealedBlock[] = [];
    for (let height = 1; height <= disk.chain.height; height += 1) blocks.push(await disk.chain.block(height));
    const at = blocks.findLastIndex(({ candidate }) => candidate.content.kind === 'records');
    const target = blocks[at];
    if (target === undefined) throw new Error('there is no block with records');
    changed = target.candidate.height;
    blocks[at] = withoutFirstRecord(target);
    for (let index = at; index < blocks.length; index += 1) {
      const block = blocks[index];
      if (block !== undefined) blocks[index] = sealedAnew(block, blocks[index - 1]?.seal.hash ?? '', keys);
    }
    await copy.apply(blocks);
  } finally {
    await disk.chain.close();
    await copy.close();
  }
  await rm(folder, { recursive: true });
  await rename(rewritten, folder);
  return changed;
}

function withoutFirstRecord({ candidate, seal }: SealedBlock): SealedBlock {
  const { content } = candidate;
  if (content.kind !== 'records') throw new Error('no records');
  const [first, ...others] = content.audited;
  if (first === undefined) throw new Error('no records');
  const audited = [{ ...first, rejected: [{ index: 0, reason: 'time-too-old' }] }, ...others];
  return { candidate: { ...candidate, content: { ...content, audited } }, seal };
}

/** Every member's keys, as a firm has them that owns all of its members. */
export async function keysOfAll({
  running: { consortium },
  firm,
  members,
}: LedgerConsortium): Promise<ReadonlyMap<string, Crypto>> {
  return new Map(
    await Promise.all(
      members.map(async (name) => [name, (await openMemberKeys(consortium, firm, name)).crypto] as const),
    ),
  );
}

/** The block on another one, with root, counts and body as its content makes them, signed by its center and acknowledged by the members that are in its certificate. */
export function sealedAnew(
  { candidate, seal }: SealedBlock,
  prev: string,
  keys: ReadonlyMap<string, Crypto>,
): SealedBlock {
  const keysOf = (member: string): Crypto => {
    const crypto = keys.get(member);
    if (crypto === undefined) throw new Error(`no keys of ${member}`);
    return crypto;
  };
  const own = keysOf(candidate.center);
  const unsigned = { ...candidate, prev, root: contentRoot(own, candidate.content) };
  const remade = { ...unsigned, signature: own.sign(candidateStatement(unsigned)) };
  const { accepted, rejected } = contentCounts(remade.content);
  const header = { ...seal.header, prev, root: remade.root, accepted, rejected, body: own.bodyId(remade) };
  const hash = own.headerHash(header);
  const certificate = seal.certificate.map(({ member, ackTimeMs }) => ({
    member,
    ackTimeMs,
    signature: keysOf(member).sign(ackStatement({ ...remade, ackTimeMs })),
  }));
  const center = keysOf(seal.center);
  const unsealed = { header, hash, center: seal.center, certificate };
  return { candidate: remade, seal: { ...unsealed, signature: center.sign(sealStatement(unsealed)) } };
}
